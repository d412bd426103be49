"""What an export accepts as progress."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.canonical import NOW
from support.exports import begin, complete, interrupt, pause, save
from support.scenario import given, refusal, when

from resumelog.domain.aggregate import draft
from resumelog.domain.errors import (
    NotJson,
    ProgressFell,
    ProgressOutOfRange,
    TooLarge,
    UnitsOutOfRange,
    UnitsRemain,
    UnitsTotalChanged,
)
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import ExportJob
from resumelog.domain.values import CURSOR_BYTES_MAX

HUGE = 10**17


def test_a_fraction_is_recorded_with_its_cursor() -> None:
    job = given(ExportJob, begin())
    facts = {"progress": 0.5, "cursor": {"帧": [12, None]}}
    saved = job.new(NOW, draft(ProgressSaved, epoch=1, **facts))
    assert when(job, save(0.5, cursor={"帧": [12, None]})) == saved


def test_exact_counts_decide_never_the_fraction() -> None:
    job = given(ExportJob, begin(), save(0.99, 1, 3))
    assert (job.progress, job.report.units_done, job.report.units_total) == (1 / 3, 1, 3)


@pytest.mark.parametrize("progress", [0, 0.0, 1, 1.0])
def test_both_ends_are_progress(progress: float) -> None:
    job = given(ExportJob, begin(), save(progress))
    assert job.progress == progress
    assert isinstance(job.progress, float)


@pytest.mark.parametrize(
    "progress",
    [math.nan, math.inf, -0.1, 1.0000001, 10**400, True, "0.5", None, 1j],
    ids=lambda value: str(value)[:9],
)
def test_anything_but_a_number_from_0_to_1_is_refused(progress: Any) -> None:
    error, data = refusal(given(ExportJob, begin()), save(progress))
    assert error is ProgressOutOfRange
    assert data["progress"] is progress


@pytest.mark.parametrize(
    ("done", "total"), [(-1, 3), (4, 3), (0, 0), (1, None), (None, 3), (1.0, 3), (True, 3)]
)
def test_anything_but_a_count_of_units_is_refused(done: Any, total: Any) -> None:
    refused = refusal(given(ExportJob, begin()), save(0.5, done, total))
    assert refused == (UnitsOutOfRange, {"units_done": done, "units_total": total})


def test_once_counted_a_fraction_alone_is_refused() -> None:
    assert refusal(given(ExportJob, begin(), save(0, 1, 4)), save(0.9))[0] is UnitsOutOfRange


def test_progress_never_falls_within_an_attempt() -> None:
    refused = refusal(given(ExportJob, begin(), save(0.5)), save(0.4))
    assert refused == (ProgressFell, {"before": 0.5, "after": 0.4})


def test_progress_never_falls_over_an_interruption() -> None:
    job = given(ExportJob, begin(), save(0.5), interrupt(), begin(2))
    assert refusal(job, save(0.4, epoch=2))[0] is ProgressFell


def test_units_never_fall_even_where_the_fractions_are_equal() -> None:
    job = given(ExportJob, begin(), save(0, HUGE - 1, HUGE))
    assert refusal(job, save(0, HUGE - 2, HUGE))[0] is ProgressFell


def test_the_number_of_units_stays_the_same() -> None:
    refused = refusal(given(ExportJob, begin(), save(0, 1, 4)), save(0, 2, 5))
    assert refused == (UnitsTotalChanged, {"before": 4, "after": 5})


def test_a_job_with_units_left_is_not_completed() -> None:
    refused = refusal(given(ExportJob, begin(), save(0, 3, 4)), complete())
    assert refused == (UnitsRemain, {"units_done": 3, "units_total": 4})


def test_a_job_without_units_left_is_completed() -> None:
    assert when(given(ExportJob, begin(), save(0, 4, 4)), complete())


def test_none_of_the_units_is_a_count() -> None:
    assert given(ExportJob, begin(), save(0, 0, 4)).report.units_done == 0


def test_the_same_count_at_another_cursor_is_recorded() -> None:
    assert when(given(ExportJob, begin(), save(0, 1, 4)), save(0, 1, 4, cursor=2))


def test_the_same_fraction_at_another_cursor_is_recorded() -> None:
    assert when(given(ExportJob, begin(), save(0.5, cursor=1)), save(0.5, cursor=2))


def test_what_was_in_work_at_a_pause_is_saved() -> None:
    assert when(given(ExportJob, begin(), pause()), save(0.5))


def test_a_cursor_may_take_64_kib() -> None:
    at_the_limit = "x" * (CURSOR_BYTES_MAX - len('""'))
    assert when(given(ExportJob, begin()), save(cursor=at_the_limit))


def test_a_cursor_over_64_kib_is_refused() -> None:
    too_long = "场" * (CURSOR_BYTES_MAX // 3)
    refused = refusal(given(ExportJob, begin()), save(cursor=too_long))
    assert refused == (TooLarge, {"what": "the cursor", "size": 65_537, "limit": 65_536})


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


NO_CURSORS: dict[str, Any] = {
    "NaN": math.nan,
    "infinity": [math.inf],
    "bytes": b"x",
    "a set": {1},
    "a lone surrogate": "\ud800",
    "a key that is no text": {1: 2},
    "a tuple": (1, 2),
    "deeper than a reader follows": nested(230),
    "deeper than a writer follows": nested(5000),
}


@pytest.mark.parametrize("cursor", NO_CURSORS.values(), ids=NO_CURSORS)
def test_a_cursor_that_is_not_json_is_refused(cursor: Any) -> None:
    assert refusal(given(ExportJob, begin()), save(cursor=cursor))[0] is NotJson


def test_a_cursor_that_its_exporter_changes_later_stays_as_it_was_saved() -> None:
    cursor: Any = {"done": [1]}
    job = given(ExportJob, begin(), save(cursor=cursor))
    cursor["done"].append(2)
    assert job.report.cursor == {"done": [1]}
    assert when(job, save(cursor=cursor))
