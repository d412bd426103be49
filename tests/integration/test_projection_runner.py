"""eventsourcing's ProjectionRunner drives the list of jobs unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eventsourcing.projection import ProjectionRunner
from support import exports
from support.listed import job_view

from resumelog.application.event_log import EventLog
from resumelog.application.jobs_projection import JobsProjection, catch_up, tracked
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.bootstrap import MAPPER, MEMORY, SQLITE
from resumelog.infrastructure.storage.memory_jobs import MemoryJobsView
from resumelog.infrastructure.storage.sqlite.jobs import SQLiteJobsView


@pytest.mark.parametrize(
    ("store", "view"),
    [
        pytest.param(MEMORY, MemoryJobsView, id="memory"),
        pytest.param(SQLITE, SQLiteJobsView, id="sqlite"),
    ],
)
def test_the_librarys_runner_folds_the_list(
    tmp_path: Path, store: dict[str, str], view: type[Any]
) -> None:
    env = {**MAPPER, **store, "RESUMELOG_SQLITE_DBNAME": str(tmp_path / "jobs.db")}
    with ProjectionRunner(
        application_class=EventLog, projection_class=JobsProjection, view_class=view, env=env
    ) as runner:
        job = ExportJob.named("成片")
        for number, command in enumerate((exports.begin(), exports.save(0.5), exports.fail()), 1):
            runner.app.decide(job, command)
            runner.wait(number, timeout=30)
            (row,) = runner.view.select((), (), None)
            assert row.view() == job_view(job)
        assert catch_up(runner.app, runner.view) == {}
        assert tracked(runner.view, EventLog.name) == job.version
