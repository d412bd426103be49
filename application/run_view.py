"""What a run looks like to whoever asks for its status."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from resumelog.domain.autopilot_run import IDLE, AutoPilotRun, RunStatus
from resumelog.domain.values import JsonObject

WHOLE = 100.0


class RunView(BaseModel):
    """One run as the log has it: times are UTC, `step_progress` is 0 to 100.

    `current_step` is the step it is at, or goes on with; the end's name once it is completed.
    `retry_count`: how often that step has failed since it was begun. `is_stopping`: it is paused or
    stopped, and its worker is still in the step. `is_configured` is False where the log knows no
    such run, `force_restarted` True in the answer to a start that began it anew.
    """

    model_config = ConfigDict(frozen=True)

    simulation_id: str
    mode: str
    status: RunStatus
    current_step: str
    step_progress: float
    step_message: str
    progress_detail: JsonObject
    created_at: datetime | None
    started_at: datetime | None
    paused_at: datetime | None
    completed_at: datetime | None
    failed_at: datetime | None
    error: str | None
    error_step: str | None
    last_completed_step: str
    retry_count: int
    is_stopping: bool = False
    is_configured: bool = True
    force_restarted: bool = False

    @classmethod
    def of(cls, run: AutoPilotRun, *, is_held: bool = False) -> Self:
        """Return what a state comes to; `is_held`: a worker has its lease."""
        progress, status = run.progress, run.status
        is_at_rest = status in (RunStatus.PAUSED, RunStatus.INACTIVE)
        return cls(
            simulation_id=run.natural_key[0],
            mode=run.mode,
            status=status,
            current_step=_current_step(run),
            step_progress=_percent(run),
            step_message=progress.message if progress else "",
            progress_detail=progress.detail if progress else {},
            created_at=run.configured_at,
            started_at=run.started_at,
            paused_at=_since(run, RunStatus.PAUSED),
            completed_at=_since(run, RunStatus.COMPLETED),
            failed_at=_since(run, RunStatus.FAILED),
            error=run.error or None,
            error_step=run.error_step,
            last_completed_step=run.last_completed_step,
            retry_count=run.failures,
            is_stopping=is_at_rest and is_held,
            is_configured=run.version > 0,
        )


def _current_step(run: AutoPilotRun) -> str:
    if run.step != IDLE:
        return run.step
    if run.status is RunStatus.FAILED and run.error_step:
        return run.error_step
    return run.next_step if run.was_begun else IDLE


def _percent(run: AutoPilotRun) -> float:
    if run.status is RunStatus.COMPLETED:
        return WHOLE
    return run.progress.percent if run.progress else 0.0


def _since(run: AutoPilotRun, status: RunStatus) -> datetime | None:
    """Return since when it has a status; None where it has another."""
    event = run.decided_by.get("status")
    return event.timestamp if event and run.status is status else None
