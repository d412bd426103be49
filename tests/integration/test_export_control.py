"""Exports under other people's hands, and bad reports."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.logs import UNITS, make_units, names_of, take_over

from resumelog import ExportJobs, JobNotFound, JobPaused, LeaseLost, ResumeLog
from resumelog.application.errors import AlreadyRunning
from resumelog.domain.errors import Refused
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.processes import this_worker


def made_until_paused(
    log: ResumeLog, other: ResumeLog, output: Path, *, paused_in: int
) -> tuple[list[int], JobPaused]:
    """Make units until another handle's pause is seen; return them and what was raised."""
    made = []
    try:
        with log.exports.resume(output) as export:
            for unit in export.remaining(UNITS):
                if unit == paused_in:
                    other.exports.pause(str(output), "午休 🍜", "小王")
                export.save_progress(units_done=unit + 1)
                made.append(unit)
    except JobPaused as paused:
        return made, paused
    raise AssertionError("the pause was not seen")


@pytest.mark.parametrize("unit", [0, 3, UNITS - 2])
def test_a_pause_is_seen_before_the_next_unit(
    log: ResumeLog, other: ResumeLog, output: Path, unit: int
) -> None:
    made, paused = made_until_paused(log, other, output, paused_in=unit)
    assert made == [*range(unit + 1)]
    assert (paused.actor, paused.reason) == ("小王", "午休 🍜")
    assert log.queries.find(str(output)).status == "paused"


def pause_while_at_it(log: ResumeLog, other: ResumeLog, path: str) -> None:
    with log.exports.resume(path) as export:
        for _ in export.remaining(UNITS):
            other.exports.pause(path)


def test_an_export_is_paused_by_its_path_below_the_root(
    log: ResumeLog, other: ResumeLog, tmp_path: Path
) -> None:
    with pytest.raises(JobPaused):
        pause_while_at_it(log, other, "o.mp4")
    assert log.queries.find(str(tmp_path / "o.mp4")).status == "paused"


@pytest.mark.parametrize(
    ("actor", "reason", "said"),
    [
        ("小王", "午休", "was paused by 小王: 午休; run it again"),
        ("", "午休", "was paused: 午休; run it again"),
        ("小王", "", "was paused by 小王; run it again"),
        ("", "", "was paused; run it again"),
    ],
)
def test_a_pause_names_who_and_why_as_far_as_that_was_said(
    actor: str, reason: str, said: str
) -> None:
    paused = JobPaused("export a", actor=actor, reason=reason)
    assert str(paused).startswith(f"export a: {said}")
    assert str(pickle.loads(pickle.dumps(paused))) == str(paused)


@pytest.mark.parametrize("ask", [ExportJobs.pause, ExportJobs.restart], ids=["pause", "restart"])
def test_an_export_that_never_began_is_not_found(
    log: ResumeLog, ask: Callable[..., object]
) -> None:
    with pytest.raises(JobNotFound):
        ask(log.exports, "o.mp4", "午休")
    assert log.queries.jobs() == []


def test_a_paused_export_goes_on_where_it_was(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    made_until_paused(log, other, output, paused_in=3)
    assert make_units(log, output) == [*range(4, UNITS)]


def test_a_second_worker_is_told_who_is_at_it(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(0.5)
        with pytest.raises(AlreadyRunning) as busy, other.exports.resume(output):
            pass
    assert busy.value.holder == str(this_worker())


def save_after_a_restart(log: ResumeLog, other: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(units_done=4, units_total=UNITS)
        other.exports.restart(str(output), "重来")
        export.save_progress(units_done=5, units_total=UNITS)


def test_a_restart_refuses_the_worker_that_is_at_it(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    with pytest.raises(LeaseLost):
        save_after_a_restart(log, other, output)
    assert make_units(log, output) == [*range(UNITS)]


def write_after_a_takeover(log: ResumeLog, other: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export, export.output() as partial:
        partial.write_bytes(b"old")
        job = ExportJob.named(str(output))
        work = other.log.recover(job).work
        take_over(other, job, lambda job, by: job.begin(work, by, other.clock.now()))
        output.write_bytes(b"new")


def test_a_worker_that_was_taken_over_is_told_so_by_the_name_of_its_job(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    def begins_its_output() -> None:
        with log.exports.resume(output) as export:
            job = ExportJob.named(str(output))
            work = other.log.recover(job).work
            take_over(other, job, lambda job, by: job.begin(work, by, other.clock.now()))
            with export.output():
                pass

    with pytest.raises(LeaseLost) as lost:
        begins_its_output()
    assert lost.value.job == f"export {output}"


def test_a_worker_that_was_taken_over_replaces_no_file_of_its_successor(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    with pytest.raises(LeaseLost):
        write_after_a_takeover(log, other, output)
    assert output.read_bytes() == b"new"


@pytest.mark.parametrize(
    "report",
    [
        {"progress": float("nan")},
        {"progress": 1.2},
        {"progress": -0.1},
        {"progress": 0.25},
        {"units_done": 11, "units_total": 10},
        {"units_done": -1, "units_total": 10},
        {"progress": 0.6, "cursor": {"帧": float("inf")}},
        {"progress": 0.6, "cursor": "x" * 70_000},
    ],
    ids=str,
)
def test_a_bad_report_is_refused_and_the_work_can_go_on(
    log: ResumeLog, output: Path, report: dict[str, Any]
) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(0.5)
        with pytest.raises(Refused):
            export.save_progress(**report)
        export.save_progress(1.0)
    assert names_of(log, str(output)) == ["Started", "ProgressSaved", "ProgressSaved", "Completed"]
