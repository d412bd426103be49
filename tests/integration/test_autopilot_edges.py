"""Autopilot: what happens between two looks, two workers, or a step and what it left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import pytest
from pydantic import JsonValue
from support.clocks import StillClock
from support.hosts import (
    AT_ONCE,
    PATIENCE_S,
    SIM,
    SKIPPED,
    SmallHost,
    automatic,
    ended,
    reached,
    state_of,
)
from support.logs import events_of, names_of

import resumelog
from resumelog import Limited, Poll, ResumeLog, StepContext
from resumelog.application.step_context import waited
from resumelog.application.steps import Step
from resumelog.domain.autopilot_events import PollFailed, ProgressSaved
from resumelog.domain.errors import StepOutOfOrder

HOUR_S = 3600


class OneStep:
    """A host of one step, taken as it is."""

    def __init__(self, step: Step) -> None:
        self.steps: Mapping[str, Step] = {"preparing": step}

    def exists(self, _: str) -> bool:
        return True


@pytest.fixture
def clock() -> StillClock:
    """The clock of the log `still`."""
    return StillClock()


@pytest.fixture
def still(clock: StillClock) -> Iterator[ResumeLog]:
    """A log in whose time a wait takes no time."""
    with resumelog.open("memory:", clock=clock) as log:
        yield log


def test_a_wait_is_woken_by_what_is_asked_while_it_looks() -> None:
    clock, asked, looks = StillClock(), threading.Event(), iter((False, True))

    def is_over() -> bool:
        asked.set()
        return next(looks)

    assert not waited(clock, 60, look_s=60, asked=asked, is_over=is_over)
    assert clock.seconds == 0


def test_each_failed_look_is_recorded_also_after_one_that_found_nothing_new(
    still: ResumeLog,
) -> None:
    looks = iter(range(8))

    def look(_: StepContext) -> JsonValue:
        number = next(looks)
        if number % 2:
            raise ConnectionError("没有回应")
        return "over" if number == 6 else None

    pilot = still.autopilot(OneStep(Poll(look)), SKIPPED)
    pilot.configure(SIM, "auto")
    pilot.start(SIM)
    assert ended(pilot).status == "completed"
    failed = [each.in_a_row for each in events_of(still, SIM) if isinstance(each, PollFailed)]
    assert failed == [1, 1, 1]


def test_a_limited_step_may_take_its_time_after_a_long_downtime(
    still: ResumeLog, clock: StillClock
) -> None:
    closing = threading.Event()

    def step(context: StepContext) -> JsonValue:
        if context.attempt == 1:
            context.progress(10)
            closing.set()
            while context.wait(0):
                pass
        return None if context.should_stop() else "prepared"

    first = still.autopilot(OneStep(Limited(step, HOUR_S)), AT_ONCE)
    first.configure(SIM, "auto")
    first.start(SIM)
    assert closing.wait(PATIENCE_S)
    first.close()
    clock.seconds += 10 * HOUR_S
    second = still.autopilot(OneStep(Limited(step, HOUR_S)), AT_ONCE)
    assert second.recover() == [SIM]
    assert ended(second).status == "completed"


def test_what_a_step_left_behind_writes_into_no_later_one(log: ResumeLog) -> None:
    left: list[StepContext] = []

    def leave(context: StepContext) -> JsonValue:
        left.append(context)
        return None

    def later(_: StepContext) -> JsonValue:
        with pytest.raises(StepOutOfOrder, match="preparing"):
            left[0].progress(99, "zombie")
        with pytest.raises(StepOutOfOrder, match="preparing"):
            left[0].poll_failed(ValueError("坏了"), 1)
        return "refused"

    pilot = automatic(log, SmallHost(preparing=leave, starting=later))
    pilot.start(SIM)
    assert ended(pilot).status == "completed"
    done = state_of(log).completed["starting"]
    assert log.log.value(done.originator_id, done.originator_version) == "refused"
    assert not [each for each in events_of(log, SIM) if isinstance(each, ProgressSaved)]


@pytest.mark.parametrize("where", ["in the same process", "in another"])
def test_a_paused_run_is_started_while_its_worker_still_leaves(
    log: ResumeLog, other: ResumeLog, where: str
) -> None:
    let_go = threading.Event()

    def step(context: StepContext) -> JsonValue:
        if context.attempt == 1:
            context.progress(10)
            let_go.wait(PATIENCE_S)
        return None

    pilot = automatic(log, SmallHost(preparing=step))
    pilot.start(SIM)
    reached(pilot)
    pilot.pause(SIM)
    starting = pilot if where == "in the same process" else other.autopilot(SmallHost())
    assert starting.start(SIM).status == "active"
    let_go.set()
    reached(pilot, lambda run: run.status == "completed")
    assert names_of(log, SIM).count("Started") == 1


def test_a_forced_start_wakes_the_worker_that_it_ends(log: ResumeLog) -> None:
    waits = threading.Event()

    def step(context: StepContext) -> JsonValue:
        if not waits.is_set():
            waits.set()
            assert not context.wait(PATIENCE_S)
        return None

    pilot = log.autopilot(SmallHost(preparing=step), AT_ONCE.model_copy(update={"look_s": 60.0}))
    pilot.configure(SIM, "auto")
    pilot.start(SIM)
    assert waits.wait(PATIENCE_S)
    old = next(thread for thread in threading.enumerate() if SIM in thread.name)
    assert pilot.start(SIM, force=True).force_restarted
    old.join(PATIENCE_S / 2)
    assert not old.is_alive()
    assert ended(pilot).status == "completed"
    assert state_of(log).attempts == dict.fromkeys(state_of(log).steps[:-1], 1)
