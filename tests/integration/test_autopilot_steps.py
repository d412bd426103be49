"""Autopilot: what a step is given, how it may be written, and how often it is tried."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from pydantic import JsonValue
from support.clocks import StillClock
from support.hosts import (
    AT_ONCE,
    SIM,
    SKIPPED,
    STEPS,
    SmallHost,
    automatic,
    ended,
    reached,
    state_of,
)
from support.logs import events_of, names_of

import resumelog
from resumelog import AutoPilot, GaveUp, Limited, PilotOptions, Poll, ResumeLog, StepContext
from resumelog.application.errors import AlreadyRunning, NoHost
from resumelog.domain.autopilot_events import PollFailed, ProgressSaved
from resumelog.domain.errors import ModeNotManual, PercentOutOfRange

ROUNDS = 5


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def still(clock: StillClock) -> Iterator[ResumeLog]:
    """A log in whose time a wait takes no time."""
    with resumelog.open("memory:", clock=clock) as log:
        yield log


def driven(pilot: AutoPilot) -> str:
    pilot.start(SIM)
    return str(ended(pilot).status)


# Functions of both kinds


async def reads_slowly(context: StepContext) -> JsonValue:
    await asyncio.sleep(0)
    assert await context.wait_async(0.001)
    return "read"


def test_a_step_may_be_a_coroutine_function(log: ResumeLog) -> None:
    pilot = automatic(log, SmallHost(preparing=reads_slowly))
    assert driven(pilot) == "completed"
    done = state_of(log).completed["preparing"]
    assert log.log.value(done.originator_id, done.originator_version) == "read"


# Progress


def test_progress_is_written_once_an_interval_and_when_the_step_is_left(
    still: ResumeLog, clock: StillClock
) -> None:
    def step(context: StepContext) -> JsonValue:
        for percent in range(1, 100):
            context.progress(percent)
            clock.seconds += 0.125
        raise GaveUp("genug")

    pilot = automatic(still, SmallHost(preparing=step), SKIPPED)
    assert driven(pilot) == "failed"
    saved = [each for each in events_of(still, SIM) if isinstance(each, ProgressSaved)]
    assert [each.percent for each in saved] == [1, 41, 81, 99]


def test_progress_that_came_too_soon_is_written_once_its_time_has_come(still: ResumeLog) -> None:
    seen: list[float] = []

    def step(context: StepContext) -> JsonValue:
        for percent in (1, 40):
            context.progress(percent)
        for _ in range(2):
            context.wait(SKIPPED.progress_interval_s / 2)
            saved = state_of(still).progress
            assert saved
            seen.append(saved.percent)
        return None

    assert driven(automatic(still, SmallHost(preparing=step), SKIPPED)) == "completed"
    assert seen == [1, 40]


def test_resume_data_is_on_disk_when_progress_returns(still: ResumeLog) -> None:
    seen: list[JsonValue] = []

    def step(context: StepContext) -> JsonValue:
        for number in range(3):
            context.progress(number, resume_data={"round": number})
            context.progress(number, "nothing new to go on from")
            saved = state_of(still).progress
            assert saved
            seen.append(saved.resume_data)
        return None

    assert driven(automatic(still, SmallHost(preparing=step), SKIPPED)) == "completed"
    assert seen == [{"round": 0}, {"round": 1}, {"round": 2}]


def test_progress_that_waits_for_its_time_is_refused_at_once_where_it_is_none(
    still: ResumeLog,
) -> None:
    def step(context: StepContext) -> JsonValue:
        context.progress(1)
        with pytest.raises(PercentOutOfRange):
            context.progress(101)
        return None

    assert driven(automatic(still, SmallHost(preparing=step), SKIPPED)) == "completed"


# Tried again


def test_a_failed_step_is_tried_again_later_each_time(still: ResumeLog, clock: StillClock) -> None:
    tried: list[float] = []

    def step(_: StepContext) -> JsonValue:
        tried.append(clock.seconds)
        raise RuntimeError("坏了")

    pilot = still.autopilot(SmallHost(preparing=step), PilotOptions(attempts_max=4, backoff_s=5))
    pilot.configure(SIM, "auto")
    assert driven(pilot) == "failed"
    assert tried == [0, 5, 15, 35]
    assert (pilot.status(SIM).retry_count, pilot.status(SIM).error_step) == (4, "preparing")


def test_a_step_that_gave_up_is_not_tried_again(log: ResumeLog) -> None:
    def step(_: StepContext) -> JsonValue:
        raise GaveUp("no such model")

    host = SmallHost(preparing=step)
    pilot = automatic(log, host)
    assert driven(pilot) == "failed"
    assert (host.begun, pilot.status(SIM).error) == ([("preparing", 1)], "no such model")


def test_a_wait_before_the_next_try_ends_when_the_run_is_stopped(log: ResumeLog) -> None:
    def step(_: StepContext) -> JsonValue:
        raise RuntimeError("坏了")

    pilot = log.autopilot(SmallHost(preparing=step), PilotOptions(backoff_s=60, look_s=60))
    pilot.configure(SIM, "auto")
    pilot.start(SIM)
    reached(pilot, lambda run: run.retry_count == 1)
    pilot.stop(SIM)
    assert ended(pilot).status == "inactive"


# Deadlines and looks


def test_a_step_that_takes_too_long_fails_for_good(still: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        while context.wait(600):
            pass
        return None

    host = SmallHost(preparing=Limited(step, 1800))
    pilot = automatic(still, Named(host, preparing=Limited(step, 1800)), SKIPPED)
    assert driven(pilot) == "failed"
    assert pilot.status(SIM).error == "the step took longer than 1,800 s"


class Named(SmallHost):
    """A host with some steps as they are."""

    def __init__(self, host: SmallHost, **steps: object) -> None:
        super().__init__()
        self.raw = {**host.steps, **steps}

    @property
    def steps(self) -> dict[str, object]:  # type: ignore[override]  # steps of all kinds
        return self.raw


def test_a_poll_looks_until_it_is_over(still: ResumeLog, clock: StillClock) -> None:
    looked: list[float] = []

    def look(context: StepContext) -> JsonValue:
        looked.append(clock.seconds)
        context.progress(len(looked) * 20, resume_data=len(looked))
        return "over" if len(looked) == ROUNDS else None

    pilot = automatic(still, Named(SmallHost(), monitoring=Poll(look)), SKIPPED)
    assert driven(pilot) == "completed"
    assert looked == [0, 30, 60, 90, 120]
    assert state_of(still).completed["monitoring"].active_s == 120


@pytest.mark.parametrize(("broken", "status"), [(9, "completed"), (10, "failed")])
def test_ten_failed_looks_in_a_row_give_up(still: ResumeLog, broken: int, status: str) -> None:
    looks = iter(range(100))

    async def look(_: StepContext) -> JsonValue:
        if next(looks) < broken:
            raise ConnectionError("refused")
        return "over"

    pilot = automatic(still, Named(SmallHost(), monitoring=Poll(look)), SKIPPED)
    assert driven(pilot) == status
    failed = [each.in_a_row for each in events_of(still, SIM) if isinstance(each, PollFailed)]
    assert failed == [*range(1, broken + 1)]
    if status == "failed":
        assert pilot.status(SIM).error == "10 looks in a row failed; the last: refused"


def test_looks_that_fail_now_and_then_do_not_give_up(still: ResumeLog) -> None:
    looks = iter(range(100))

    def look(_: StepContext) -> JsonValue:
        number = next(looks)
        if number % 2:
            raise ConnectionError("refused")
        return "over" if number == 40 else None

    assert (
        driven(automatic(still, Named(SmallHost(), monitoring=Poll(look)), SKIPPED)) == "completed"
    )


def test_a_poll_gives_up_after_its_time(still: ResumeLog, clock: StillClock) -> None:
    pilot = automatic(
        still, Named(SmallHost(), monitoring=Poll(lambda _: None, limit_s=3600)), SKIPPED
    )
    assert driven(pilot) == "failed"
    assert (pilot.status(SIM).error, clock.seconds) == ("the step took longer than 3,600 s", 3600)


def test_a_poll_that_changes_nothing_writes_nothing(still: ResumeLog) -> None:
    looks = iter(range(1000))

    def look(context: StepContext) -> JsonValue:
        context.progress(50, "待机", resume_data=7)
        return None if next(looks) < 500 else "over"

    assert (
        driven(automatic(still, Named(SmallHost(), monitoring=Poll(look)), SKIPPED)) == "completed"
    )
    assert names_of(still, SIM).count("ProgressSaved") == 1


# By hand, and without a host


def test_by_hand_a_run_does_one_step_and_pauses(log: ResumeLog) -> None:
    host = SmallHost()
    pilot = log.autopilot(host, AT_ONCE)
    pilot.configure(SIM, "manual")
    for number, step in enumerate(STEPS, 1):
        pilot.step(SIM)
        run = ended(pilot)
        assert run.last_completed_step == step
        assert [name for name, _ in host.begun] == [*STEPS[:number]]
    assert run.status == "completed"
    assert names_of(log, SIM).count("Paused") == len(STEPS) - 1


def test_a_step_by_hand_that_fails_pauses_with_its_error(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        if context.attempt == 1:
            raise ValueError("坏了")
        return None

    pilot = log.autopilot(SmallHost(preparing=step), AT_ONCE)
    pilot.configure(SIM, "manual")
    pilot.step(SIM)
    run = ended(pilot)
    assert (run.status, run.error, run.last_completed_step) == (
        "paused",
        "ValueError: 坏了",
        "idle",
    )
    pilot.step(SIM)
    assert ended(pilot).last_completed_step == "preparing"


@pytest.mark.parametrize("mode", ["auto", None])
def test_only_a_run_in_manual_mode_is_stepped(log: ResumeLog, mode: str | None) -> None:
    pilot = log.autopilot(SmallHost(), AT_ONCE)
    if mode:
        pilot.configure(SIM, mode)
    with pytest.raises(ModeNotManual):
        pilot.step(SIM)


def test_a_step_by_hand_is_refused_while_one_is_at_work(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        context.progress(10)
        while context.wait(60):
            pass
        return None

    pilot = log.autopilot(SmallHost(preparing=step), AT_ONCE)
    pilot.configure(SIM, "manual")
    pilot.step(SIM)
    reached(pilot)
    with pytest.raises(AlreadyRunning):
        pilot.step(SIM)
    pilot.pause(SIM)
    assert ended(pilot).status == "paused"


def test_without_a_host_runs_are_controlled_and_none_is_driven(
    log: ResumeLog, other: ResumeLog
) -> None:
    control = other.autopilot()
    assert control.configure(SIM, "auto").mode == "auto"
    with pytest.raises(NoHost):
        control.start(SIM)
    pilot = log.autopilot(SmallHost(monitoring=Poll(lambda _: None)), AT_ONCE)
    pilot.start(SIM)
    reached(pilot, lambda run: run.current_step == "monitoring")
    assert control.pause(SIM).status == "paused"
    assert ended(pilot).status == "paused"
    assert control.resume(SIM).status == "active"
    assert pilot.recover() == [SIM]


# Recovery that goes on


def test_what_was_resumed_elsewhere_is_taken_up(log: ResumeLog, other: ResumeLog) -> None:
    def step(_: StepContext) -> JsonValue:
        return str(pilot.pause(SIM).status)

    pilot = automatic(log, SmallHost(preparing=step))
    pilot.start(SIM)
    ended(pilot)
    other.autopilot().resume(SIM)
    pilot.keep_recovering(every_s=0.01)
    reached(pilot, lambda run: run.status == "completed")


# Stopping


def test_a_step_that_ignores_that_it_should_stop_is_shown_as_stopping(log: ResumeLog) -> None:
    let_go = threading.Event()

    def step(context: StepContext) -> JsonValue:
        context.progress(10)
        let_go.wait(20)
        return "too late"

    pilot = automatic(log, SmallHost(preparing=step))
    pilot.start(SIM)
    reached(pilot)
    assert not pilot.status(SIM).is_stopping
    assert pilot.stop(SIM).is_stopping
    let_go.set()
    run = ended(pilot)
    assert (run.is_stopping, run.last_completed_step) == (False, "idle")


def test_only_runs_at_work_are_kept(log: ResumeLog) -> None:
    pilot = automatic(log, SmallHost(monitoring=Poll(lambda _: None)))
    pilot.start(SIM)
    reached(pilot, lambda run: run.current_step == "monitoring")
    pilot.status("sim-unknown")
    assert len(pilot._runs) == 1
    pilot.stop(SIM)
    ended(pilot)
    assert (len(pilot._runs), pilot._drivers) == (0, {})
