"""The events of an export. Names, topics and fields are the storage format."""

from __future__ import annotations

from pydantic import JsonValue

from resumelog.domain.events import DomainEvent
from resumelog.domain.values import Artifact, Progress, Worker


class Started(DomainEvent, topic="resumelog.ExportJob.Started"):
    """A worker began the job."""

    key: str
    exporter: str
    output_path: str
    inputs_sha256: str
    worker: Worker


class ProgressSaved(DomainEvent, topic="resumelog.ExportJob.ProgressSaved"):
    """So much is done."""

    progress: Progress
    units_done: int | None = None
    units_total: int | None = None
    cursor: JsonValue = None


class Paused(DomainEvent, topic="resumelog.ExportJob.Paused"):
    """Somebody asked for a pause; the unit in work may still be saved."""

    reason: str
    actor: str


class Resumed(DomainEvent, topic="resumelog.ExportJob.Resumed"):
    """A worker went on from here."""

    from_progress: Progress
    worker: Worker


class Interrupted(DomainEvent, topic="resumelog.ExportJob.Interrupted"):
    """The work ended before its end."""

    cause: str
    progress: Progress


class Failed(DomainEvent, topic="resumelog.ExportJob.Failed"):
    """The exporter gave up."""

    error: str


class Restarted(DomainEvent, topic="resumelog.ExportJob.Restarted"):
    """The job begins again at 0."""

    reason: str
    key: str
    exporter: str
    output_path: str
    inputs_sha256: str


class Completed(DomainEvent, topic="resumelog.ExportJob.Completed"):
    """The output is there."""

    artifact: Artifact | None = None
