"""What the endpoints give: the models of `data`, field for field, and of the body around it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue, PlainSerializer

Time = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]
"""ISO 8601 with an offset; always UTC."""

RunStatus = Literal["inactive", "active", "paused", "completed", "failed"]
Data = TypeVar("Data", bound=BaseModel)


class Answer(BaseModel, Generic[Data]):
    """The body of a success."""

    success: Literal[True]
    data: Data


class ErrorBody(BaseModel):
    """The body of every error; `error` and `message` say the same."""

    success: Literal[False]
    error: str
    message: str
    error_code: str
    recovery_suggestion: str
    status_code: int
    data: None


class OfRun(BaseModel):
    """Whose answer it is."""

    simulation_id: str


class Configured(OfRun):
    """The mode that is set."""

    mode: Literal["auto", "manual"]
    message: str
    available: Literal[True] = True


class Started(OfRun):
    """How the run stands after a start."""

    status: RunStatus
    current_step: str
    step_progress: float
    step_message: str
    message: str
    force_restarted: bool


class Paused(OfRun):
    """A run that leaves its step."""

    status: Literal["paused"] = "paused"
    current_step: str
    message: str


class Resumed(OfRun):
    """A run that goes on."""

    status: Literal["active"] = "active"
    current_step: str
    message: str


class Stopped(OfRun):
    """A run that nobody drives any more."""

    status: Literal["inactive"] = "inactive"
    message: str


class WasReset(OfRun):
    """A run that begins anew."""

    message: str


class Unknown(OfRun):
    """A simulation that was never configured."""

    mode: Literal["manual"] = "manual"
    status: Literal["inactive"] = "inactive"
    available: Literal[True] = True
    message: str


class Status(OfRun):
    """How a run stands."""

    mode: Literal["auto", "manual"]
    status: RunStatus
    current_step: str
    step_progress: Annotated[float, Field(ge=0, le=100)]
    step_message: str
    progress_detail: dict[str, JsonValue]
    created_at: Time | None
    started_at: Time | None
    paused_at: Time | None
    completed_at: Time | None
    failed_at: Time | None
    error: str | None
    error_step: str | None
    last_completed_step: str
    retry_count: int
    available: Literal[True] = True


class Job(BaseModel):
    """One job in the list; `progress` is a fraction, the counts are of units, scenes or steps."""

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
    created_at: Time | None
    modified_at: Time | None
    error: str


class Jobs(BaseModel):
    """A page of jobs, the one that changed last first."""

    jobs: list[Job]
    next_cursor: int | None


class Fact(BaseModel):
    """One part of a resume point, and the event that decided it (version 0: none did yet)."""

    what: str
    value: JsonValue
    event: str
    version: int
    at: Time | None


class Facts(BaseModel):
    """The first of some facts, and how many there are."""

    count: int
    first: list[Fact]


class Resume(BaseModel):
    """Where a job goes on, and why."""

    status: Fact
    done: Facts
    next: Facts
    start: Fact
    attempts: Facts
    explained: str


class Failure(BaseModel):
    """A scene that failed last."""

    scene: str
    error: str


class JobState(BaseModel):
    """A job and its resume point."""

    job: Job
    resume_point: Resume
    failures: list[Failure]


class Event(BaseModel):
    """One event; `facts` are its own fields."""

    version: int
    event: str
    topic: str
    timestamp: Time
    epoch: int | None
    facts: dict[str, Any]


class Events(BaseModel):
    """A page of events, oldest first."""

    events: list[Event]
    next_cursor: int | None


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Ready(BaseModel):
    """The log can be read; `position` is that of its newest event."""

    status: Literal["ready"] = "ready"
    position: int
