"""Autopilot: steps that are paused, left or failed in the middle, and what counts of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from pydantic import JsonValue
from support.clocks import StillClock
from support.hosts import PATIENCE_S, SIM, SmallHost, automatic, ended, reached, state_of
from support.logs import names_of

import resumelog
from resumelog import AutoPilot, LeaseLost, ResumeLog, StepContext, StopAsked


def pause_and_leave(pilot: AutoPilot, context: StepContext) -> None:
    """Leave the step for a pause, as one does that looks up often."""
    pilot.pause(SIM, "午休")
    assert context.should_stop()
    raise StopAsked


def driven(pilot: AutoPilot, *, resumed: int = 0) -> str:
    """Start the run, resume it so many times once its worker has left, and return its status."""
    pilot.start(SIM)
    ended(pilot)
    for _ in range(resumed):
        pilot.resume(SIM)
        ended(pilot)
    return str(pilot.status(SIM).status)


# Started again while the last worker leaves


@pytest.mark.parametrize("ask", ["stop", "reset"])
def test_a_run_is_started_again_while_the_old_step_still_leaves(log: ResumeLog, ask: str) -> None:
    let_go = threading.Event()
    leaving = [let_go]

    def step(context: StepContext) -> JsonValue:
        if leaving:
            context.progress(10)
            leaving.pop().wait(PATIENCE_S)
        return None

    pilot = automatic(log, SmallHost(preparing=step))
    pilot.start(SIM)
    reached(pilot)
    old = next(thread for thread in threading.enumerate() if SIM in thread.name)
    getattr(pilot, ask)(SIM)
    pilot.start(SIM)
    let_go.set()
    assert ended(pilot).status == "completed"
    old.join(PATIENCE_S)


# Paused


def test_pauses_are_no_failures(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        if context.attempt < 3:
            pause_and_leave(pilot, context)
        if context.attempt == 3:
            raise ValueError("坏了")
        return None

    pilot = automatic(log, SmallHost(starting=step))
    assert driven(pilot, resumed=2) == "completed"
    assert names_of(log, SIM).count("StepFailed") == 1


class OnRefusal(logging.Filter):
    """Does something the moment a command is refused."""

    def __init__(self, react: Callable[[], object]) -> None:
        super().__init__()
        self._reactions = [react]

    def filter(self, record: logging.LogRecord) -> bool:
        if "refused at version" in record.getMessage() and self._reactions:
            self._reactions.pop()()
        return True


@pytest.fixture
def clock() -> StillClock:
    """The clock of the log `still`."""
    return StillClock()


@pytest.fixture
def still(clock: StillClock) -> Iterator[ResumeLog]:
    """A log whose time stands still unless the test moves it."""
    with resumelog.open("memory:", clock=clock) as log:
        yield log


def nothing() -> None:
    """Let a look at the clock pass."""


def test_a_pause_between_two_steps_that_is_taken_back_at_once_ends_no_worker(
    still: ResumeLog, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    def step(_: StepContext) -> JsonValue:
        clock.meanwhile += [nothing, lambda: pilot.pause(SIM)]  # as the next step is to begin
        return None

    pilot = automatic(still, SmallHost(preparing=step))
    caplog.set_level(logging.INFO, "resumelog")
    with caplog.filtering(OnRefusal(lambda: pilot.resume(SIM))):
        assert driven(pilot) == "completed"
    assert {"Paused", "Resumed"} <= {*names_of(still, SIM)}


def test_a_step_that_returns_nothing_once_it_was_told_to_stop_is_begun_again(
    log: ResumeLog,
) -> None:
    kept: list[JsonValue] = []

    def step(context: StepContext) -> JsonValue:
        kept.append(context.resume_data)
        if context.attempt == 1:
            context.progress(40, resume_data={"round": 12})
            pilot.pause(SIM)
            assert context.should_stop()
        return None

    pilot = automatic(log, SmallHost(monitoring=step))
    assert driven(pilot, resumed=1) == "completed"
    assert kept == [None, {"round": 12}]


def test_a_step_that_returns_a_result_though_it_was_told_to_stop_is_done(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        pilot.pause(SIM)
        assert context.should_stop()
        return "done all the same"

    pilot = automatic(log, SmallHost(starting=step))
    assert driven(pilot) == "paused"
    assert pilot.status(SIM).last_completed_step == "starting"


# Failed


@pytest.mark.parametrize(
    "error", [LeaseLost("export 成片.mp4", epoch=1, current=2), SystemExit(1)], ids=repr
)
def test_whatever_a_step_raises_is_its_failure(log: ResumeLog, error: BaseException) -> None:
    def step(context: StepContext) -> JsonValue:
        if context.attempt == 1:
            raise error
        return None

    assert driven(automatic(log, SmallHost(starting=step))) == "completed"
    assert names_of(log, SIM).count("StepFailed") == 1


# Time at work


def test_time_at_work_goes_on_over_pauses_and_failed_attempts(
    still: ResumeLog, clock: StillClock
) -> None:
    told: list[float] = []

    def step(context: StepContext) -> JsonValue:
        told.append(context.active_s)
        clock.seconds += 30
        if context.attempt == 1:
            pause_and_leave(pilot, context)
        if context.attempt == 2:
            raise ValueError("坏了")
        return None

    pilot = automatic(still, SmallHost(starting=step))
    pilot.start(SIM)
    ended(pilot)
    clock.seconds += 1000
    pilot.resume(SIM)
    ended(pilot)
    assert state_of(still).completed["starting"].active_s == 90
    assert told == [0, 30, 60]
