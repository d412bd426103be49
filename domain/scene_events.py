"""The events of a scene batch. Names, topics and fields are the storage format."""

from __future__ import annotations

from resumelog.domain.events import DomainEvent
from resumelog.domain.values import Artifact, JsonObject, Payload, Seconds, Worker


class Opened(DomainEvent, topic="resumelog.SceneBatch.Opened"):
    """The batch came to be; `plan` holds its scenes' keys and the context."""

    project: str
    stage: str
    plan_sha256: str
    scene_count: int
    params: JsonObject
    plan: Payload
    after: str | None = None


class Resumed(DomainEvent, topic="resumelog.SceneBatch.Resumed"):
    """A worker took the batch up."""

    worker: Worker


class PlanRevised(DomainEvent, topic="resumelog.SceneBatch.PlanRevised"):
    """Another plan; `done` and `failed` count the recorded scenes that it still holds."""

    plan_sha256: str
    scene_count: int
    params: JsonObject
    plan: Payload
    done: int
    failed: int
    after: str | None = None


class SceneCompleted(DomainEvent, topic="resumelog.SceneBatch.SceneCompleted"):
    """A scene is done, with this input, for good."""

    scene: str
    fingerprint: str
    result: Payload | None = None
    artifact: Artifact | None = None
    attempt: int
    elapsed_s: Seconds | None = None


class SceneFailed(DomainEvent, topic="resumelog.SceneBatch.SceneFailed"):
    """A scene failed; the others go on."""

    scene: str
    fingerprint: str
    error: str
    attempt: int


class SceneInvalidated(DomainEvent, topic="resumelog.SceneBatch.SceneInvalidated"):
    """What was done for a scene no longer counts."""

    scene: str
    reason: str


class Interrupted(DomainEvent, topic="resumelog.SceneBatch.Interrupted"):
    """The worker left; `in_flight` are the scenes whose attempt ended with it."""

    in_flight: tuple[str, ...]
    cause: str


class Paused(DomainEvent, topic="resumelog.SceneBatch.Paused"):
    """Somebody asked for a pause; scenes in flight are still recorded."""

    reason: str
    actor: str


class Stopped(DomainEvent, topic="resumelog.SceneBatch.Stopped"):
    """Somebody gave the batch up."""

    actor: str


class Completed(DomainEvent, topic="resumelog.SceneBatch.Completed"):
    """Every scene of the plan is done."""


class Reopened(DomainEvent, topic="resumelog.SceneBatch.Reopened"):
    """There is work again; what is done stays done."""

    reason: str
    actor: str
