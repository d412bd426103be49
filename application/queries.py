"""Reads: what jobs there are, and which one a name means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import singledispatch
from pathlib import Path
from uuid import UUID

from resumelog.application.errors import AmbiguousJob, JobNotFound
from resumelog.application.event_log import EventLog
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.errors import BadKey
from resumelog.domain.events import DomainEvent, kinds
from resumelog.domain.export_job import ExportJob
from resumelog.domain.plan import Plan
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import SceneFailed
from resumelog.domain.values import Value

ID_CHARS_MIN = 4
FAILURES_MAX = 20


class JobView(Value):
    """One job in a list. `progress` is a fraction; the counts are of units, scenes or steps."""

    kind: str
    name: str
    id: UUID
    status: str
    progress: float
    done: int | None = None
    failed: int | None = None
    total: int | None = None
    attempts: int | None = None
    worker: str | None = None
    version: int
    created_at: datetime | None
    modified_at: datetime | None
    error: str = ""


class Queries:
    """Questions to one log. They change nothing."""

    def __init__(self, log: EventLog) -> None:
        """Read from this log."""
        self._log = log

    def jobs(self) -> list[JobView]:
        """Return every job, the one that changed last first."""
        views = [job_view(state) for state in self._log.states()]
        return sorted(views, key=lambda view: str(view.modified_at), reverse=True)

    def find(self, name: str) -> EventSourced:
        """Return the state of the job that a name means.

        A name is an export's key or output path, PROJECT/STAGE, a simulation id, or the beginning
        (4 hex digits or more) of a job's id. Raises JobNotFound and AmbiguousJob.
        """
        found = {state.id: state for state in self._candidates(name)}
        if not found:
            found = {state.id: state for state in self._by_id(name)}
        if not found:
            raise JobNotFound(name=name)
        if len(found) > 1:
            candidates = ", ".join(f"{state.title} ({state.id})" for state in found.values())
            raise AmbiguousJob(name=name, candidates=candidates)
        return next(iter(found.values()))

    def resume_point(self, state: EventSourced) -> ResumePoint:
        """Return where the job goes on; a batch's plan is read from the log."""
        plan = self._plan(state) if isinstance(state, SceneBatch) else None
        return resume_point(state, plan)

    def failures(self, state: EventSourced, limit: int = FAILURES_MAX) -> list[tuple[str, str]]:
        """Return the scenes of a batch that failed, with their errors; at most `limit`."""
        if not isinstance(state, SceneBatch):
            return []
        failed = [each for each in state.scenes.items() if each[1].state == "failed"][:limit]
        events = ((key, self._log.event(state.id, record.version)) for key, record in failed)
        return [(key, event.error) for key, event in events if isinstance(event, SceneFailed)]

    def history(self, state: EventSourced) -> Iterator[DomainEvent]:
        """Iterate over every event of a job, oldest first, what an origin left behind included."""
        return self._log.history(state.id)

    def _plan(self, batch: SceneBatch) -> Plan | None:
        event = batch.decided_by.get("plan")
        if event is None:
            return None
        plan = self._log.value(batch.id, event.originator_version)
        assert isinstance(plan, dict)
        keys = plan["scenes"]
        assert isinstance(keys, list)
        return Plan([{"id": key} for key in keys])

    def _candidates(self, name: str) -> Iterator[EventSourced]:
        states = map(self._log.recover, keyed(name))
        yield from (state for state in states if state.version)

    def _by_id(self, name: str) -> Iterator[EventSourced]:
        if prefix := id_prefix(name):
            yield from (state for state in self._log.states() if state.id.hex.startswith(prefix))


def keyed(name: str) -> Iterator[EventSourced]:
    """Return every job that `name` could be the key of, as states of which nothing is read."""
    keys: list[tuple[str, ...]] = [(name,), (str(Path(name).absolute()),)]
    keys += [(name[:at], name[at + 1 :]) for at, char in enumerate(name) if char == "/"]
    for kind in kinds().values():
        for key in keys:
            if len(key) == len(kind.key_fields):
                with suppress(BadKey):
                    yield kind.named(*key)


def id_prefix(name: str) -> str:
    """Return the beginning of an id that a name may be, as hex; empty if it is none."""
    prefix = name.replace("-", "").lower()
    is_one = len(prefix) >= ID_CHARS_MIN and all(char in "0123456789abcdef" for char in prefix)
    return prefix if is_one else ""


@singledispatch
def job_view(state: EventSourced) -> JobView:
    """Return a job as it stands in a list."""
    raise TypeError(f"{type(state).__name__} can't be listed")


@job_view.register
def _export(state: ExportJob) -> JobView:
    report = state.report
    return _view(
        state,
        progress=state.progress,
        done=report.units_done,
        total=report.units_total,
        attempts=state.attempts,
        error=state.error,
    )


@job_view.register
def _batch(state: SceneBatch) -> JobView:
    total = state.scene_count
    progress = state.done / total if total else 0.0
    return _view(state, progress=progress, done=state.done, failed=state.failed, total=total)


@job_view.register
def _run(state: AutoPilotRun) -> JobView:
    done, total = len(state.completed), len(state.steps) - 1
    attempts = state.attempts.get(state.next_step)
    return _view(
        state, progress=done / total, done=done, total=total, attempts=attempts, error=state.error
    )


def _view(state: ExportJob | SceneBatch | AutoPilotRun, **facts: object) -> JobView:
    return JobView.model_validate(
        {
            "kind": state.kind,
            "name": "/".join(state.natural_key),
            "id": state.id,
            "status": str(state.status),
            "worker": str(state.worker) if state.worker else None,
            "version": state.version,
            "created_at": state.created_at,
            "modified_at": state.modified_at,
            **facts,
        }
    )
