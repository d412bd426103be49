"""One job as it stands in a list, and the values that it is listed by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from resumelog.domain.autopilot_run import DEFAULT_STEPS, AutoPilotRun, RunStatus
from resumelog.domain.export_job import ExportJob, ExportStatus
from resumelog.domain.scene_batch import BatchStatus, SceneBatch

DAMAGED = "damaged"
"""The status of a job of which an event can't be read."""


@dataclass(frozen=True, slots=True)
class JobView:
    """One job in a list. `progress` is a fraction; the counts are of units, scenes or steps."""

    kind: str
    name: str
    id: UUID
    status: str
    progress: float
    done: int | None
    failed: int | None
    total: int | None
    attempts: int | None
    worker: str | None
    version: int
    created_at: datetime | None
    modified_at: datetime | None
    error: str


@dataclass(slots=True)
class JobRow:
    """A job up to the event at `version` of its stream and `position` of the log.

    The facts are those of JobView. What stands below `error` is not shown: the fold goes on from
    it. It knows which scenes failed last, but none that are done.
    """

    id: UUID
    kind: str
    name: str
    status: str
    position: int = 0
    version: int = 0
    progress: float = 0.0
    done: int | None = None
    failed: int | None = None
    total: int | None = None
    attempts: int | None = None
    worker: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    error: str = ""
    failed_scenes: set[str] = field(default_factory=set)
    steps: tuple[str, ...] = DEFAULT_STEPS
    completed: set[str] = field(default_factory=set)
    tries: dict[str, int] = field(default_factory=dict)

    def copy(self) -> JobRow:
        """Return another row that says the same."""
        return replace(
            self,
            failed_scenes={*self.failed_scenes},
            completed={*self.completed},
            tries={**self.tries},
        )

    def view(self) -> JobView:
        """Return what is shown of it."""
        return JobView(
            self.kind,
            self.name,
            self.id,
            self.status,
            self.progress,
            self.done,
            self.failed,
            self.total,
            self.attempts,
            self.worker,
            self.version,
            self.created_at,
            self.modified_at,
            self.error,
        )


_BEGUN: dict[str, Callable[[UUID], JobRow]] = {
    ExportJob.kind: partial(
        JobRow, kind=ExportJob.kind, name="", status=ExportStatus.IDLE.value, attempts=0
    ),
    SceneBatch.kind: partial(
        JobRow,
        kind=SceneBatch.kind,
        name="",
        status=BatchStatus.OPEN.value,
        done=0,
        failed=0,
        total=0,
    ),
    AutoPilotRun.kind: partial(
        JobRow,
        kind=AutoPilotRun.kind,
        name="",
        status=RunStatus.INACTIVE.value,
        done=0,
        total=len(DEFAULT_STEPS) - 1,
    ),
}


def begun(kind: str, stream: UUID) -> JobRow:
    """Return the row of a job of which nothing is known but its stream."""
    if kind in _BEGUN:
        return _BEGUN[kind](stream)
    why = f"this resumelog knows no jobs of kind {kind}; install a newer one"
    return JobRow(stream, kind, str(stream), DAMAGED, error=why)


def damaged(row: JobRow, version: int, position: int, why: str) -> JobRow:
    """Say of a job that nothing later can be known, until its next origin."""
    if row.status != DAMAGED or not row.version:
        row.status, row.error = DAMAGED, why
    row.version, row.position = version, position
    row.name = row.name or str(row.id)
    return row
