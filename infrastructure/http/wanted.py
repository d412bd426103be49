"""What the endpoints take: the models of bodies and of query parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

PAGE = 100
PAGE_MAX = 500
POSITION_MAX = 2**63 - 1

Kind = Literal["ExportJob", "SceneBatch", "AutoPilotRun"]
Status = Literal[
    "idle",
    "open",
    "inactive",
    "running",
    "active",
    "paused",
    "interrupted",
    "failed",
    "stopped",
    "completed",
    "damaged",
]


def _digits(given: Any) -> Any:
    """Take plain digits only: int() takes blanks and underscores as well."""
    if isinstance(given, str) and not (given.isascii() and given.isdigit() and len(given) < 20):
        raise ValueError("no number")
    return given


SimulationId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        pattern=r"^[^\x00-\x1f\x7f-\x9f]+$",
        examples=["sim_1"],
        description="The simulation's id. It is never taken for a path.",
    ),
]
Mode = Annotated[
    str,
    Field(
        pattern="^([Aa][Uu][Tt][Oo]|[Mm][Aa][Nn][Uu][Aa][Ll])$",
        examples=["auto"],
        description="auto or manual, in any case.",
    ),
]
Limit = Annotated[
    int,
    Field(ge=1, le=PAGE_MAX, examples=[PAGE], description="So many at most."),
    BeforeValidator(_digits),
]
Cursor = Annotated[
    int,
    Field(ge=0, le=POSITION_MAX, description="`next_cursor` of the page before."),
    BeforeValidator(_digits),
]
JobId = Annotated[UUID, Field(description="The job's id, as /api/jobs lists it.")]


class Nothing(BaseModel):
    """Takes nothing."""


class OfSimulation(BaseModel):
    """Names a simulation."""

    simulation_id: SimulationId


class Config(OfSimulation):
    """Chooses how a simulation is driven."""

    mode: Mode


class Start(OfSimulation):
    """Starts a run."""

    force: Annotated[bool, Field(description="Begin anew from the first step.")] = False


class OfJobs(BaseModel):
    """Chooses jobs."""

    kind: Annotated[list[Kind], Field(description="Only these kinds; may stand twice.")] = []
    status: Annotated[list[Status], Field(description="Only in these; may stand twice.")] = []
    limit: Limit = PAGE
    cursor: Cursor | None = None


class OfJob(BaseModel):
    """Names a job."""

    id: JobId


class OfEvents(OfJob):
    """Chooses events of a job."""

    limit: Limit = PAGE
    cursor: Cursor = 0
