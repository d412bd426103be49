"""A job that begins with what an old exporter left, and belongs to no work until somebody goes on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from support.canonical import DIGEST, NOW, WORKER
from support.exports import (
    OTHER_INPUT,
    STATE,
    WORK,
    begin,
    complete,
    import_progress,
    interrupt,
    pause,
    restart,
    save,
)
from support.scenario import given, history, refusal, when
from support.tables import appends, appends_nothing, refuses

from resumelog.domain.aggregate import draft
from resumelog.domain.errors import AlreadyRecorded, NotRunning, ProgressOutOfRange
from resumelog.domain.events import Imported
from resumelog.domain.export_events import Interrupted, ProgressSaved, Restarted, Started
from resumelog.domain.export_job import UNKNOWN, ExportJob, ExportStatus, Report

KEY = "成片🎬.mp4"
IMPORTED = (import_progress(),)
BOUND = (*IMPORTED, begin())
STARTED = draft(Started, epoch=1, key=KEY, **WORK._asdict(), worker=WORKER)


test_a_command_appends = appends(
    ExportJob,
    {
        "an import begins a stream that is at rest and says where it comes from": (
            (),
            import_progress(),
            [
                draft(
                    Imported,
                    stream_kind="ExportJob",
                    natural_key=(KEY,),
                    source="/旧/.export_state",
                    sha256=DIGEST,
                    recorded_at=NOW,
                    recorded=STATE.recorded,
                ),
                draft(Started, key=KEY, **UNKNOWN._asdict(), worker=WORKER),
                draft(ProgressSaved, progress=0.64),
                draft(Interrupted, cause="imported from /旧/.export_state", progress=0.64),
            ],
        ),
        "the first worker binds an import to its work": (IMPORTED, begin(), [STARTED]),
        "one who refuses another input binds it too": (
            IMPORTED,
            begin(on_changed_inputs="refuse"),
            [STARTED],
        ),
        "an import without an output is bound too": (
            (import_progress(1.0),),
            begin(output_intact=False),
            [STARTED],
        ),
        "an import is given up": (
            IMPORTED,
            restart(),
            [draft(Restarted, epoch=1, reason="重来", key=KEY, **UNKNOWN._asdict())],
        ),
    },
)

test_a_command_that_has_taken_effect_appends_nothing = appends_nothing(
    ExportJob,
    {
        "the same file again": (IMPORTED, import_progress()),
        "the same file once somebody is at it": (BOUND, import_progress()),
        "the same file after more was done": ((*BOUND, save(0.9)), import_progress()),
        "the same file after the end": ((*BOUND, complete()), import_progress()),
    },
)

OTHER_FILE = import_progress(0.9, "0" * 64)
test_an_impossible_command_is_refused_by_name = refuses(
    ExportJob,
    [
        (IMPORTED, OTHER_FILE, AlreadyRecorded, {"version": 4}),
        ((begin(),), import_progress(), AlreadyRecorded, {"version": 1}),
        ((*IMPORTED, restart()), import_progress(), AlreadyRecorded, {"version": 5}),
        (IMPORTED, pause(), NotRunning, {"command": "pause", "status": "interrupted"}),
        (IMPORTED, complete(epoch=0), NotRunning, {"command": "complete", "status": "interrupted"}),
    ],
)


@pytest.mark.parametrize("progress", [0.0, 1e-9, 0.64, 1.0])
def test_an_import_is_at_rest_with_the_exact_progress(progress: float) -> None:
    job = given(ExportJob, import_progress(progress))
    assert (job.status, job.report) == (ExportStatus.INTERRUPTED, Report(progress))
    assert (job.work, job.artifact, job.epoch) == (UNKNOWN, None, 0)


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan"), float("inf"), True, "0.5", None])
def test_an_import_of_no_fraction_is_refused(progress: Any) -> None:
    error, data = refusal(given(ExportJob), import_progress(progress))
    assert (error, data["progress"]) == (ProgressOutOfRange, progress)


@pytest.mark.parametrize("progress", [0.0, 0.64, 1.0])
def test_the_worker_who_binds_it_goes_on_from_its_progress(progress: float) -> None:
    job = given(ExportJob, import_progress(progress), begin())
    assert (job.status, job.progress) == (ExportStatus.RUNNING, progress)
    assert (job.work, job.epoch, job.attempts) == (WORK, 1, 2)


def test_what_is_bound_is_bound() -> None:
    resumed = history(ExportJob, *BOUND, save(0.7), interrupt(), begin(2))
    assert [type(event).__name__ for event in resumed[-3:]] == [
        "ProgressSaved",
        "Interrupted",
        "Resumed",
    ]
    again = when(given(ExportJob, *BOUND), begin(2, work=OTHER_INPUT))
    assert [type(event).__name__ for event in again] == ["Restarted", "Started"]


def test_an_import_that_was_given_up_begins_at_0() -> None:
    job = given(ExportJob, *IMPORTED, restart(), begin(2))
    assert (job.progress, job.work) == (0.0, WORK)


# Units


def test_an_imported_fraction_covers_every_unit_that_it_counted() -> None:
    wrong = [
        (done, total)
        for total in range(1, 301)
        for done in range(total + 1)
        if at(done / total).units_done_of(total) != done
    ]
    assert wrong == []


def at(progress: float) -> ExportJob:
    job = ExportJob.named(KEY)
    job.report = Report(progress)
    return job


@pytest.mark.parametrize("total", [1, 3, 7, 10, 200, 10**9])
def test_a_unit_that_is_not_covered_whole_is_not_done(total: int) -> None:
    steps = [step / 997 for step in range(998)]
    done = [at(step).units_done_of(total) for step in steps]
    assert all(before <= after for before, after in pairwise(done))
    for step, units in zip(steps, done, strict=True):
        assert units / total <= step
        assert units == total or (units + 1) / total > step


def test_counts_decide_where_there_are_any() -> None:
    job = given(ExportJob, begin(), save(0, 3, 10))
    assert job.units_done_of(10) == 3
    assert given(ExportJob).units_done_of(10) == 0
    assert given(ExportJob, *IMPORTED).units_done_of(0) == 0


def test_counting_begins_above_an_imported_fraction() -> None:
    job = given(ExportJob, *BOUND)
    done = job.units_done_of(10)
    assert done == 6
    assert given(ExportJob, *BOUND, save(0, done + 1, 10)).progress == 0.7
