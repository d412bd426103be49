"""Autopilot: paused, stopped, reset, recovered, and started by many at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from pydantic import JsonValue
from support.hosts import (
    AT_ONCE,
    PATIENCE_S,
    SIM,
    STEPS,
    SmallHost,
    automatic,
    ended,
    paused_at_monitoring,
    reached,
    state_of,
    until_asked,
)
from support.logs import Store, names_of

from resumelog import ResumeLog, RunView, StepContext, StopAsked
from resumelog.application.errors import ClosedLog, NoSuchSimulation
from resumelog.application.steps import Step
from resumelog.domain.errors import BadMode, ModeNotAuto, NotActive, NotPaused

# Pausing, stopping, resetting


def test_a_pause_is_seen_by_the_step(log: ResumeLog) -> None:
    pilot, _ = paused_at_monitoring(log)
    run = pilot.status(SIM)
    assert (run.status, run.current_step) == ("paused", "monitoring")


def test_a_resumed_run_goes_on_at_its_step(log: ResumeLog) -> None:
    _, host = paused_at_monitoring(log)
    pilot = log.autopilot(SmallHost())
    pilot.resume(SIM, "小王")
    assert ended(pilot).status == "completed"
    assert [name for name, _ in host.begun] == [*STEPS[:3]]


def test_what_finishes_during_a_pause_is_recorded(log: ResumeLog, other: ResumeLog) -> None:
    def step(_: StepContext) -> JsonValue:
        other.autopilot(SmallHost()).pause(SIM, "午休")
        return "finished all the same"

    pilot = automatic(log, SmallHost(starting=step))
    pilot.start(SIM)
    run = ended(pilot)
    assert (run.status, run.last_completed_step) == ("paused", "starting")


def test_a_run_resumed_while_its_worker_leaves_goes_on(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        if context.attempt > 1:
            return None
        pilot.pause(SIM)
        assert context.should_stop()
        pilot.resume(SIM)
        raise StopAsked

    pilot = automatic(log, SmallHost(starting=step))
    pilot.start(SIM)
    reached(pilot, lambda run: run.status == "completed")


def test_a_stopped_run_keeps_what_is_completed(log: ResumeLog) -> None:
    host = SmallHost(monitoring=until_asked)
    pilot = automatic(log, host)
    pilot.start(SIM)
    reached(pilot)
    pilot.stop(SIM, "小王")
    run = ended(pilot)
    assert (run.status, run.current_step) == ("inactive", "monitoring")


def test_a_stopped_run_is_started_after_its_last_completed_step(log: ResumeLog) -> None:
    pilot, _ = paused_at_monitoring(log)
    pilot.stop(SIM)
    host = SmallHost()
    pilot = log.autopilot(host)
    pilot.start(SIM)
    assert ended(pilot).status == "completed"
    assert [name for name, _ in host.begun] == [*STEPS[2:]]


def test_what_a_stopped_worker_writes_is_refused(log: ResumeLog) -> None:
    def step(_: StepContext) -> JsonValue:
        pilot.stop(SIM)
        return "too late"

    pilot = automatic(log, SmallHost(starting=step))
    pilot.start(SIM)
    run = ended(pilot)
    assert (run.status, run.last_completed_step) == ("inactive", "preparing")


@pytest.mark.parametrize("begin_again", ["reset", "force"])
def test_a_run_can_begin_at_its_first_step_again(log: ResumeLog, begin_again: str) -> None:
    paused_at_monitoring(log)
    host = SmallHost()
    pilot = log.autopilot(host)
    if begin_again == "reset":
        pilot.reset(SIM)
    pilot.start(SIM, force=begin_again == "force")
    assert ended(pilot).status == "completed"
    assert [name for name, _ in host.begun] == [*STEPS]


def test_a_reset_keeps_the_mode(log: ResumeLog) -> None:
    pilot, _ = paused_at_monitoring(log)
    run = pilot.reset(SIM)
    assert (run.mode, run.status, run.current_step) == ("auto", "inactive", "idle")


def test_a_completed_run_is_not_started_again_unless_forced(log: ResumeLog) -> None:
    host = SmallHost()
    pilot = automatic(log, host)
    for forced, times in ((False, 1), (False, 1), (True, 2)):
        pilot.start(SIM, force=forced)
        ended(pilot)
        assert len(host.begun) == times * len(STEPS)


def test_a_forced_start_takes_over_from_the_worker_at_it(log: ResumeLog) -> None:
    slow = SmallHost(monitoring=until_asked)
    first = automatic(log, slow)
    first.start(SIM)
    reached(first)
    second = log.autopilot(SmallHost())
    second.start(SIM, force=True)
    assert ended(second).status == "completed"
    ended(first)
    assert names_of(log, SIM).count("Completed") == 1


def test_manual_on_an_active_run_pauses_it(log: ResumeLog) -> None:
    pilot = automatic(log, SmallHost(monitoring=until_asked))
    pilot.start(SIM)
    reached(pilot)
    pilot.configure(SIM, "manual")
    run = ended(pilot)
    assert (run.status, run.mode) == ("paused", "manual")


# Refusals


def test_a_simulation_that_the_host_does_not_know_is_refused(log: ResumeLog) -> None:
    pilot = log.autopilot(SmallHost())
    with pytest.raises(NoSuchSimulation):
        pilot.configure("unknown", "auto")
    assert log.queries.jobs() == []


@pytest.mark.parametrize("mode", ["semi", "", None])
def test_another_mode_is_refused(log: ResumeLog, mode: Any) -> None:
    with pytest.raises(BadMode):
        log.autopilot(SmallHost()).configure(SIM, mode)


def test_a_manual_run_is_not_started(log: ResumeLog) -> None:
    host = SmallHost()
    pilot = log.autopilot(host)
    pilot.configure(SIM, "manual")
    with pytest.raises(ModeNotAuto):
        pilot.start(SIM)
    assert host.begun == []


@pytest.mark.parametrize(("ask", "error"), [("pause", NotActive), ("resume", NotPaused)])
def test_an_inactive_run_is_neither_paused_nor_resumed(
    log: ResumeLog, ask: str, error: type[Exception]
) -> None:
    pilot = automatic(log, SmallHost())
    with pytest.raises(error):
        getattr(pilot, ask)(SIM)


@pytest.mark.parametrize("ask", ["stop", "reset"])
def test_stopping_or_resetting_an_unknown_run_is_harmless(log: ResumeLog, ask: str) -> None:
    assert not getattr(log.autopilot(SmallHost()), ask)(SIM).is_configured


# Several at once, and after a crash


def test_of_many_starts_at_once_one_starts(log: ResumeLog) -> None:
    host = SmallHost(monitoring=until_asked)
    pilot = automatic(log, host)
    together = threading.Barrier(8)

    def start(_: int) -> RunView:
        together.wait()
        return pilot.start(SIM)

    with ThreadPoolExecutor(8) as pool:
        assert {run.simulation_id for run in pool.map(start, range(8))} == {SIM}
    reached(pilot)
    assert [name for name, _ in host.begun] == [*STEPS[:3]]
    assert names_of(log, SIM).count("Started") == 1


def test_a_closed_log_hands_its_runs_back(store: Store) -> None:
    closing = store.open()
    pilot = automatic(closing, SmallHost(monitoring=until_asked))
    pilot.start(SIM)
    reached(pilot)
    pilot.close()
    host = SmallHost()
    pilot = store.open().autopilot(host)
    assert pilot.recover() == [SIM]
    assert ended(pilot).status == "completed"
    assert host.begun[0] == ("monitoring", 2)


def test_a_simulation_that_only_a_log_knows_is_not_started(log: ResumeLog) -> None:
    log.autopilot().configure("unknown", "auto")
    host = SmallHost()
    with pytest.raises(NoSuchSimulation):
        log.autopilot(host).start("unknown")
    assert (host.begun, names_of(log, "unknown")) == ([], ["Configured"])


def test_a_closed_pilot_begins_nothing(log: ResumeLog) -> None:
    pilot = automatic(log, SmallHost())
    pilot.close()
    with pytest.raises(ClosedLog):
        pilot.start(SIM)
    assert "Started" not in names_of(log, SIM)


def handed_back(log: ResumeLog) -> None:
    """Leave a run active without a worker."""
    pilot = automatic(log, SmallHost(monitoring=until_asked))
    pilot.start(SIM)
    reached(pilot)
    pilot.close()


class SlowToTell(SmallHost):
    """Tells its steps only once its service is closing."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked, self.is_closing = Event(), Event()

    @property
    def steps(self) -> Mapping[str, Step]:
        self.was_asked.set()
        self.is_closing.wait(PATIENCE_S)
        return super().steps


def test_closing_waits_for_the_recovery_under_way_and_hands_back_what_it_begins(
    log: ResumeLog,
) -> None:
    handed_back(log)
    host = SlowToTell()
    pilot = log.autopilot(host)
    host.is_closing = pilot._closing
    pilot.keep_recovering()
    assert host.was_asked.wait(PATIENCE_S)
    pilot.close()
    assert log.leases.holder(state_of(log).id) is None
    assert state_of(log).status == "active"


def test_a_run_is_recovered_though_a_thread_of_an_earlier_start_is_left(
    log: ResumeLog, other: ResumeLog
) -> None:
    let_go = Event()
    deaf_once = [let_go]

    def deaf(context: StepContext) -> JsonValue:
        if deaf_once:
            context.progress(10)
            deaf_once.pop().wait(PATIENCE_S)
        return None

    pilot = automatic(log, SmallHost(preparing=deaf))
    pilot.start(SIM)
    reached(pilot)
    pilot.stop(SIM)
    elsewhere = other.autopilot(SmallHost(preparing=until_asked), AT_ONCE)
    elsewhere.start(SIM)
    reached(elsewhere)
    elsewhere.close()
    pilot.keep_recovering(every_s=0.01)
    reached(pilot, lambda run: run.status == "completed")
    let_go.set()


def test_recovery_leaves_a_run_alone_that_is_being_driven(log: ResumeLog, other: ResumeLog) -> None:
    pilot = automatic(log, SmallHost(monitoring=until_asked))
    pilot.start(SIM)
    reached(pilot)
    assert other.autopilot(SmallHost()).recover() == []


def test_recovery_finds_nothing_to_do_after_a_completed_run(log: ResumeLog) -> None:
    pilot = automatic(log, SmallHost())
    pilot.start(SIM)
    ended(pilot)
    assert pilot.recover() == []


def test_the_resume_point_names_the_step(log: ResumeLog) -> None:
    pilot, _ = paused_at_monitoring(log)
    point = pilot.resume_point(SIM)
    assert [fact.value for fact in point.next] == ["monitoring"]
    assert [fact.value for fact in point.done] == [*STEPS[:2]]
