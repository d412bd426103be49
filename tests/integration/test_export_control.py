"""Exports under other people's hands, and bad reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.logs import UNITS, make_units, names_of

from resumelog import JobPaused, LeaseLost, ResumeLog
from resumelog.application.errors import AlreadyRunning
from resumelog.domain.errors import Refused
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
        export.save_progress(0.75)
    assert names_of(log, str(output)) == ["Started", "ProgressSaved", "ProgressSaved", "Completed"]
