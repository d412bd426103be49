"""How a state stands in a list of jobs, told from the state itself: what every row must equal."""

from __future__ import annotations

from functools import singledispatch

from resumelog.application.job_row import JobView
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch


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


def _view(
    state: ExportJob | SceneBatch | AutoPilotRun,
    progress: float,
    done: int | None,
    total: int | None,
    failed: int | None = None,
    attempts: int | None = None,
    error: str = "",
) -> JobView:
    return JobView(
        kind=state.kind,
        name="/".join(state.natural_key),
        id=state.id,
        status=str(state.status),
        progress=progress,
        done=done,
        failed=failed,
        total=total,
        attempts=attempts,
        worker=str(state.worker) if state.worker else None,
        version=state.version,
        created_at=state.created_at,
        modified_at=state.modified_at,
        error=error,
    )
