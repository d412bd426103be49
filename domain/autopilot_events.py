"""The events of an autopilot run. Names, topics and fields are the storage format."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from resumelog.domain.events import DomainEvent
from resumelog.domain.values import JsonObject, Payload, Seconds, Worker

Mode = Literal["auto", "manual"]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Configured(DomainEvent, topic="resumelog.AutoPilotRun.Configured"):
    """Somebody chose who drives: auto, or manual step by step."""

    simulation_id: str
    mode: Mode
    actor: str


class Started(DomainEvent, topic="resumelog.AutoPilotRun.Started"):
    """A worker began to drive the run through these steps."""

    forced: bool
    steps: tuple[str, ...]
    worker: Worker


class StepStarted(DomainEvent, topic="resumelog.AutoPilotRun.StepStarted"):
    """A step began, for the nth time."""

    step: str
    attempt: int


class ProgressSaved(DomainEvent, topic="resumelog.AutoPilotRun.ProgressSaved"):
    """How far a step is; `active_s` is how long it was at work, `resume_data` what it goes on from."""

    step: str
    percent: Percent
    message: str
    detail: JsonObject
    resume_data: JsonValue = None
    active_s: Seconds


class PollFailed(DomainEvent, topic="resumelog.AutoPilotRun.PollFailed"):
    """A look at the simulation failed; `in_a_row` counts them since the last that worked."""

    step: str
    error: str
    in_a_row: int


class StepCompleted(DomainEvent, topic="resumelog.AutoPilotRun.StepCompleted"):
    """A step is done for good."""

    step: str
    result: Payload | None = None
    active_s: Seconds


class StepFailed(DomainEvent, topic="resumelog.AutoPilotRun.StepFailed"):
    """An attempt at a step failed."""

    step: str
    error: str
    attempt: int


class Paused(DomainEvent, topic="resumelog.AutoPilotRun.Paused"):
    """Somebody asked for a pause; it takes effect at the step's next safe point."""

    reason: str
    actor: str


class Resumed(DomainEvent, topic="resumelog.AutoPilotRun.Resumed"):
    """Somebody let it go on."""

    actor: str


class Stopped(DomainEvent, topic="resumelog.AutoPilotRun.Stopped"):
    """Somebody gave it up; its epoch ends the worker's."""

    actor: str


class Recovered(DomainEvent, topic="resumelog.AutoPilotRun.Recovered"):
    """A new worker went on where another one ended."""

    from_step: str
    worker: Worker


class Failed(DomainEvent, topic="resumelog.AutoPilotRun.Failed"):
    """The run gave up at this step."""

    step: str
    error: str


class Completed(DomainEvent, topic="resumelog.AutoPilotRun.Completed"):
    """Every step is done."""


class Reset(DomainEvent, topic="resumelog.AutoPilotRun.Reset"):
    """All is as it was when configured; its epoch ends the worker's."""

    simulation_id: str
    mode: Mode
    actor: str
