"""What each event changes in a job's row: the fold of the `jobs` projection.

A row says the same as the aggregate that is folded from the same events, for a few assignments an
event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from resumelog.application.job_row import DAMAGED, JobRow, begun, damaged
from resumelog.domain import autopilot_events as run
from resumelog.domain import export_events as export
from resumelog.domain import scene_events as scene
from resumelog.domain.autopilot_run import IDLE, AutoPilotRun, RunStatus
from resumelog.domain.errors import BrokenStream
from resumelog.domain.events import DomainEvent, Forked, Imported, PayloadsRemoved, kinds
from resumelog.domain.export_job import ExportJob, ExportStatus
from resumelog.domain.scene_batch import BatchStatus

_BECOMES: dict[type[DomainEvent], str] = {
    export.Started: ExportStatus.RUNNING.value,
    export.Paused: ExportStatus.PAUSED.value,
    export.Resumed: ExportStatus.RUNNING.value,
    export.Interrupted: ExportStatus.INTERRUPTED.value,
    export.Failed: ExportStatus.FAILED.value,
    export.Completed: ExportStatus.COMPLETED.value,
    scene.Resumed: BatchStatus.RUNNING.value,
    scene.Paused: BatchStatus.PAUSED.value,
    scene.Stopped: BatchStatus.STOPPED.value,
    scene.Completed: BatchStatus.COMPLETED.value,
    run.Started: RunStatus.ACTIVE.value,
    run.Paused: RunStatus.PAUSED.value,
    run.Resumed: RunStatus.ACTIVE.value,
    run.Stopped: RunStatus.INACTIVE.value,
    run.Failed: RunStatus.FAILED.value,
    run.Completed: RunStatus.COMPLETED.value,
}

_CHANGES: dict[type[DomainEvent], Callable[[JobRow, Any], None]] = {}

_ORIGINS = ExportJob.origins + AutoPilotRun.origins


def evolve(row: JobRow | None, event: DomainEvent, position: int) -> JobRow:
    """Return the row with one more event; one that it has seen already changes nothing.

    A row is changed in place, as a state is by its fold; an origin begins a new one. Where the
    stream has a gap the row is damaged from there on.
    """
    if row is None:
        row = begun(event.kind, event.originator_id)
    version = event.originator_version
    if version <= row.version:
        return row
    if isinstance(event, _ORIGINS):
        row = begun(event.kind, event.originator_id)
    elif version != row.version + 1 and row.status != DAMAGED:
        gap = BrokenStream(row.name or str(row.id), before=row.version, after=version)
        return damaged(row, version, position, str(gap))
    if row.status == DAMAGED:
        row.kind = event.kind
    else:
        _apply(row, event)
    row.version, row.position, row.modified_at = version, position, event.timestamp
    row.created_at = row.created_at or event.timestamp
    return row


def is_listed(kind: type[DomainEvent]) -> bool:
    """Tell whether a row knows what this class of events means."""
    return kind in _BECOMES or kind in _CHANGES


def _apply(row: JobRow, event: DomainEvent) -> None:
    kind = type(event)
    change = _CHANGES.get(kind)
    if change:
        change(row, event)
    status = _BECOMES.get(kind)
    if status:
        row.status = status


def _by(change: Callable[[JobRow, Any], None]) -> Callable[[JobRow, Any], None]:
    """Let this be what the events do that the annotation names."""
    annotation = get_type_hints(change)["event"]
    for kind in get_args(annotation) or (annotation,):
        _CHANGES[kind] = change
    return change


@_by
def _named(row: JobRow, event: Imported | Forked) -> None:
    row.name = "/".join(event.natural_key)
    kind = kinds()[row.kind]
    if isinstance(event, Forked) and row.status in kind.at_work:
        row.status = kind.at_rest.value


@_by
def _as_it_was(row: JobRow, event: PayloadsRemoved) -> None:
    del row, event


@_by
def _taken_up(row: JobRow, event: scene.Resumed | run.Recovered) -> None:
    row.worker = str(event.worker)


# Exports


@_by
def _export_begun_anew(row: JobRow, event: export.Restarted) -> None:
    row.name = event.key


@_by
def _export_worked_on(row: JobRow, event: export.Started | export.Resumed) -> None:
    if isinstance(event, export.Started):
        row.name = event.key
    _worked_on(row, event)
    row.attempts = (row.attempts or 0) + 1


@_by
def _export_saved(row: JobRow, event: export.ProgressSaved) -> None:
    row.progress, row.done, row.total = event.progress, event.units_done, event.units_total


@_by
def _export_completed(row: JobRow, event: export.Completed) -> None:
    del event
    row.progress = 1.0


@_by
def _gave_up(
    row: JobRow, event: export.Failed | run.Failed | run.PollFailed | run.StepFailed
) -> None:
    row.error = event.error


# Batches


@_by
def _planned(row: JobRow, event: scene.Opened | scene.PlanRevised) -> None:
    if isinstance(event, scene.Opened):
        row.name = f"{event.project}/{event.stage}"
    else:
        row.done, row.failed = event.done, event.failed
    row.total = event.scene_count
    _count(row)


@_by
def _scene_completed(row: JobRow, event: scene.SceneCompleted) -> None:
    _no_longer_failed(row, event.scene)
    _count(row, done=1)


@_by
def _scene_failed(row: JobRow, event: scene.SceneFailed) -> None:
    _no_longer_failed(row, event.scene)
    row.failed_scenes.add(event.scene)
    row.failed = (row.failed or 0) + 1


@_by
def _scene_invalidated(row: JobRow, event: scene.SceneInvalidated) -> None:
    del event  # only a scene that is done is invalidated
    _count(row, done=-1)


@_by
def _batch_interrupted(row: JobRow, event: scene.Interrupted) -> None:
    for key in event.in_flight:
        _no_longer_failed(row, key)
    if row.status == BatchStatus.RUNNING:
        row.status = BatchStatus.OPEN.value


@_by
def _batch_reopened(row: JobRow, event: scene.Reopened) -> None:
    del event
    paused = row.status == BatchStatus.PAUSED
    row.status = (BatchStatus.RUNNING if paused else BatchStatus.OPEN).value


def _no_longer_failed(row: JobRow, key: str) -> None:
    if key in row.failed_scenes:
        row.failed_scenes.remove(key)
        row.failed = (row.failed or 0) - 1


def _count(row: JobRow, done: int = 0) -> None:
    row.done = (row.done or 0) + done
    row.progress = row.done / row.total if row.total else 0.0


# Runs


@_by
def _run_named(row: JobRow, event: run.Configured | run.Reset) -> None:
    row.name = event.simulation_id


@_by
def _run_started(row: JobRow, event: run.Started) -> None:
    row.steps = event.steps
    row.completed &= {*event.steps}
    row.tries.pop(_next_step(row), None)
    _worked_on(row, event)
    _count_steps(row)


@_by
def _step_started(row: JobRow, event: run.StepStarted) -> None:
    row.tries[event.step] = event.attempt
    _count_steps(row)


@_by
def _step_saved(row: JobRow, event: run.ProgressSaved) -> None:
    del event
    row.error = ""


@_by
def _step_completed(row: JobRow, event: run.StepCompleted) -> None:
    row.completed.add(event.step)
    row.error = ""
    _count_steps(row)


def _count_steps(row: JobRow) -> None:
    row.done, row.total = len(row.completed), len(row.steps) - 1
    row.progress = row.done / row.total
    row.attempts = row.tries.get(_next_step(row))


def _next_step(row: JobRow) -> str:
    return next((step for step in row.steps if step not in row.completed), (IDLE, *row.steps)[-1])


def _worked_on(row: JobRow, event: export.Started | export.Resumed | run.Started) -> None:
    row.worker, row.error = str(event.worker), ""
