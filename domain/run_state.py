"""What the old autopilot left of a run, and the events that this comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.autopilot_events import (
    Completed,
    Configured,
    Failed,
    Mode,
    Paused,
    ProgressSaved,
    Started,
    StepCompleted,
    StepFailed,
    StepStarted,
    Stopped,
)
from resumelog.domain.values import JsonObject, Worker, error_text

OLD_STEPS = ("preparing", "starting", "monitoring", "generating_report", "completed")
"""The chain of the old autopilot. It never changes, whatever the default one becomes."""
BY_HAND = "configured to manual"

OldStatus = Literal["inactive", "active", "paused", "completed", "failed"]


class RunState(NamedTuple):
    """What a file of the old autopilot says, and which file that was.

    `source` is its absolute path, `sha256` that of its bytes, `steps_done` the steps that it had
    completed, `step` the one that it was in the middle of. Times are UTC: `ended_at` is when it was
    paused, failed or completed, None where nobody knows. `recorded` is all that the file says.
    """

    source: str
    sha256: str
    simulation_id: str
    mode: Mode
    status: OldStatus
    steps_done: tuple[str, ...]
    step: str | None
    percent: float
    message: str
    detail: JsonObject
    error: str
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    recorded_at: datetime | None
    recorded: JsonObject

    @property
    def actor(self) -> str:
        """Who did what the file tells."""
        return error_text(f"imported from {self.source}")

    @property
    def was_begun(self) -> bool:
        """Tell whether the old autopilot had started it."""
        at_rest = self.status == "inactive"
        return not at_rest or bool(self.started_at or self.steps_done or self.step)

    @property
    def next_step(self) -> str:
        """The first step that was not completed."""
        return OLD_STEPS[len(self.steps_done)]


Dated = tuple[Draft, datetime | None]
"""A draft, and when that happened; None where the file does not say."""


def comes_to(state: RunState, by: Worker) -> Iterator[Dated]:
    """Iterate over what the file comes to: the run goes on after the last completed step."""
    key = state.simulation_id
    configured = draft(Configured, simulation_id=key, mode=state.mode, actor=state.actor)
    yield configured, state.created_at
    if not state.was_begun:
        return
    yield draft(Started, forced=False, steps=OLD_STEPS, worker=by), state.started_at
    at = state.ended_at
    for step in state.steps_done:
        yield draft(StepCompleted, step=step, active_s=0.0), at
    if state.step:
        yield draft(StepStarted, step=state.step, attempt=1), at
        if state.status != "failed":
            yield _progress(state, state.step), at
    for end in _ends(state):
        yield end, at


def _progress(state: RunState, step: str) -> Draft:
    return draft(
        ProgressSaved,
        step=step,
        percent=state.percent,
        message=error_text(state.message),
        detail=state.detail,
        resume_data=state.detail.get("current_round") if step == "monitoring" else None,
        active_s=0.0,
    )


def _ends(state: RunState) -> Iterator[Draft]:
    """The old autopilot called a run completed that had been stopped before its report: it is not."""
    step, error = state.next_step, state.error
    if step == OLD_STEPS[-1]:
        yield draft(Completed)
    elif state.status == "failed":
        yield draft(StepFailed, step=step, error=error, attempt=1)
        yield draft(Failed, step=step, error=error)
    elif state.status in ("inactive", "completed"):
        yield draft(Stopped, actor=state.actor)
    elif state.status == "paused" or state.mode == "manual":
        reason = state.message if state.status == "paused" else BY_HAND
        yield draft(Paused, reason=error_text(reason), actor=state.actor)
