"""A state file of the old autopilot begins a run in every store, and a pilot goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.hosts import PATIENCE_S, STEPS, SmallHost, state_of
from support.logs import Store, events_of, names_of
from support.old_runs import SAMPLES, WHOLE, wrote

from resumelog import AutoPilot, ResumeLog
from resumelog.domain.autopilot_events import Failed, ProgressSaved, Recovered
from resumelog.domain.errors import AlreadyRecorded, ModeNotAuto
from resumelog.domain.events import Imported

BEGUN = ["Imported", "Configured", "Started"]
STEP = ["StepStarted", "ProgressSaved"]
COMES_TO = {
    "manual": ["Imported", "Configured"],
    "inactive_configured": ["Imported", "Configured"],
    "active_preparing": [*BEGUN, "StepCompleted"],
    "active_monitoring_mid": [*BEGUN, *["StepCompleted"] * 2, *STEP],
    "active_monitoring": [*BEGUN, *["StepCompleted"] * 3],
    "paused": [*BEGUN, *["StepCompleted"] * 2, *STEP, "Paused"],
    "stopped_inactive": [*BEGUN, *["StepCompleted"] * 2, *STEP, "Stopped"],
    "failed_prepare": [*BEGUN, "StepStarted", "StepFailed", "Failed"],
    "completed": [*BEGUN, *["StepCompleted"] * 4, "Completed"],
}
Go = Callable[[AutoPilot, str], object]


def start(pilot: AutoPilot, simulation_id: str) -> None:
    pilot.start(simulation_id)


def resume(pilot: AutoPilot, simulation_id: str) -> None:
    pilot.resume(simulation_id)


def recover(pilot: AutoPilot, simulation_id: str) -> None:
    assert pilot.recover() == [simulation_id]


GOES_ON: dict[str, tuple[Go, str]] = {
    "inactive_configured": (start, "preparing"),
    "active_preparing": (recover, "starting"),
    "active_monitoring_mid": (recover, "monitoring"),
    "active_monitoring": (recover, "generating_report"),
    "paused": (resume, "monitoring"),
    "stopped_inactive": (start, "monitoring"),
    "failed_prepare": (start, "preparing"),
}


def imported(log: ResumeLog, path: Path) -> str:
    log.import_autopilot(path)
    return path.name.removesuffix("_autopilot.json")


def driven(log: ResumeLog, go: Go, simulation_id: str) -> list[str]:
    """Let a pilot go on with it until it is completed; return the steps that were begun."""
    host = SmallHost()
    pilot = log.autopilot(host)
    go(pilot, simulation_id)
    assert pilot.wait(simulation_id, PATIENCE_S).status == "completed"
    return [name for name, _ in host.begun]


@pytest.mark.parametrize("name", WHOLE)
def test_an_import_is_in_the_log_with_where_it_came_from(
    log: ResumeLog, other: ResumeLog, name: str
) -> None:
    simulation_id = imported(log, SAMPLES[name])
    assert names_of(other, simulation_id) == COMES_TO[name]
    first = events_of(other, simulation_id)[0]
    assert isinstance(first, Imported)
    assert first.source == str(SAMPLES[name])
    assert first.recorded["simulation_id"] == simulation_id
    (view,) = other.queries.jobs()
    assert (view.name, log.leases.holder(view.id)) == (simulation_id, None)


@pytest.mark.parametrize("name", GOES_ON)
def test_a_pilot_goes_on_after_the_last_completed_step(log: ResumeLog, name: str) -> None:
    go, first = GOES_ON[name]
    assert driven(log, go, imported(log, SAMPLES[name])) == [*STEPS[STEPS.index(first) :]]


@pytest.mark.parametrize("go", [resume, start])
def test_a_paused_run_is_resumed_or_started_in_another_process(
    store: Store, log: ResumeLog, go: Go
) -> None:
    simulation_id = imported(log, SAMPLES["paused"])
    assert store.open().autopilot(SmallHost()).recover() == []
    assert driven(store.open(), go, simulation_id) == [*STEPS[2:]]


def test_a_completed_run_stays_completed(log: ResumeLog) -> None:
    assert driven(log, start, imported(log, SAMPLES["completed"])) == []


@pytest.mark.parametrize(("last", "first"), [("monitoring", 3), ("starting", 2)])
def test_completed_without_a_report_is_not_completed(
    log: ResumeLog, tmp_path: Path, last: str, first: int
) -> None:
    path = wrote(tmp_path, status="completed", current_step="completed", last_completed_step=last)
    simulation_id = imported(log, path)
    run = log.autopilot().status(simulation_id)
    assert (run.status, run.current_step, run.completed_at) == ("inactive", STEPS[first], None)
    assert log.autopilot(SmallHost()).recover() == [], "somebody had stopped it"
    assert driven(log, start, simulation_id) == [*STEPS[first:]]


def test_a_run_in_manual_mode_is_not_started_and_does_its_steps_by_hand(log: ResumeLog) -> None:
    simulation_id = imported(log, SAMPLES["manual"])
    pilot = log.autopilot(SmallHost())
    with pytest.raises(ModeNotAuto):
        pilot.start(simulation_id)
    pilot.step(simulation_id)
    assert pilot.wait(simulation_id, PATIENCE_S).last_completed_step == "preparing"


def test_a_run_that_was_set_to_manual_while_it_was_active_is_paused(
    log: ResumeLog, tmp_path: Path
) -> None:
    simulation_id = imported(log, wrote(tmp_path, mode="manual"))
    pilot = log.autopilot(SmallHost())
    assert (pilot.status(simulation_id).status, pilot.recover()) == ("paused", [])


def test_what_was_under_way_goes_on_from_its_round(log: ResumeLog, tmp_path: Path) -> None:
    run = log.autopilot().status(imported(log, wrote(tmp_path)))
    assert (run.current_step, run.step_progress) == ("monitoring", 65)
    assert run.step_message == "模拟运行中: 13/20 轮"
    assert run.progress_detail == {"current_round": 13, "total_rounds": 20}
    saved = events_of(log, "sim_1")[-1]
    assert isinstance(saved, ProgressSaved)
    assert (saved.resume_data, saved.active_s) == (13, 0)


def test_a_failed_run_names_its_real_step_and_error(log: ResumeLog) -> None:
    simulation_id = imported(log, SAMPLES["failed_prepare"])
    failed = events_of(log, simulation_id)[-1]
    assert isinstance(failed, Failed)
    run = log.autopilot().status(simulation_id)
    assert (failed.step, run.error_step, run.retry_count) == ("preparing", "preparing", 1)
    assert run.error == "准备失败: LLM 余额不足"


def test_its_times_are_local_ones(log: ResumeLog, tmp_path: Path) -> None:
    path = wrote(tmp_path, status="paused", paused_at="2026-11-22T00:07:00+08:00")
    run = log.autopilot().status(imported(log, path))
    local = datetime(2026, 11, 22, 0, 5, 50, 841504).astimezone(UTC)
    assert run.created_at == local
    assert run.started_at == datetime(2026, 11, 22, 0, 6).astimezone(UTC)
    assert run.paused_at == datetime(2026, 11, 21, 16, 7, tzinfo=UTC)


def test_the_time_before_the_import_does_not_count_as_time_at_work(
    log: ResumeLog, tmp_path: Path
) -> None:
    old = {"created_at": "2020-01-01T00:00:00", "started_at": "2020-01-01T00:00:00"}
    simulation_id = imported(log, wrote(tmp_path, **old))
    told: list[float] = []
    host = SmallHost(monitoring=lambda context: told.append(context.active_s))
    pilot = log.autopilot(host)
    pilot.recover()
    assert pilot.wait(simulation_id, PATIENCE_S).status == "completed"
    assert told[0] < PATIENCE_S
    assert any(isinstance(each, Recovered) for each in events_of(log, simulation_id))


@pytest.mark.parametrize("name", WHOLE)
def test_the_same_file_again_appends_nothing(log: ResumeLog, other: ResumeLog, name: str) -> None:
    simulation_id = imported(log, SAMPLES[name])
    assert other.import_autopilot(SAMPLES[name]) == ()
    other.autopilot().reset(simulation_id)
    before = names_of(log, simulation_id)
    if before[-1] == "Reset":
        with pytest.raises(AlreadyRecorded):
            other.import_autopilot(SAMPLES[name])
    assert names_of(log, simulation_id) == before


def test_a_run_that_has_events_of_its_own_takes_no_file(log: ResumeLog, tmp_path: Path) -> None:
    log.autopilot().configure("sim_1", "auto")
    with pytest.raises(AlreadyRecorded):
        imported(log, wrote(tmp_path))
    assert names_of(log, "sim_1") == ["Configured"]


def test_another_file_of_an_imported_run_is_refused(log: ResumeLog, tmp_path: Path) -> None:
    imported(log, wrote(tmp_path))
    with pytest.raises(AlreadyRecorded):
        imported(log, wrote(tmp_path, step_progress=70))


def test_an_imported_state_is_what_a_replay_gives(log: ResumeLog, tmp_path: Path) -> None:
    imported(log, wrote(tmp_path))
    run = state_of(log, "sim_1")
    assert type(run)(run.id).fold(log.log.history(run.id)) == run
