"""The scenes of one stage of a project, each recorded the moment it is done.

open ──Resumed──▶ running ⇄ paused (Paused, Resumed)
running ──Interrupted──▶ open · ──Completed──▶ completed · ──Stopped──▶ stopped
completed, stopped ──Reopened──▶ open, paused ──Reopened──▶ running: what is done stays done
What is done is a set of keys, never a count: a scene that failed in the middle is next.
An import is Imported, Opened and its SceneCompleteds: each is bound to its input when work begins.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

from resumelog.domain.aggregate import Draft, EventSourced, draft, evolves
from resumelog.domain.errors import NotRunning, SceneAlreadyCompleted, UnknownScene
from resumelog.domain.events import DomainEvent, Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_events import (
    Completed,
    Interrupted,
    Opened,
    Paused,
    PlanRevised,
    Reopened,
    Resumed,
    SceneCompleted,
    SceneFailed,
    SceneInvalidated,
    Stopped,
)
from resumelog.domain.scene_progress import ImportedScenes
from resumelog.domain.values import Artifact, Attempt, Claim, Payload, error_text


class BatchStatus(StrEnum):
    """Where a batch stands."""

    OPEN = "open"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"


class SceneRecord(NamedTuple):
    """What the log says of one scene: `event`, `version` and `at` are of the one that decided it.

    `artifact` is the file that it made, if it is done and made one.
    """

    state: Literal["done", "failed", "to do"]
    fingerprint: str
    attempts: int
    event: str
    version: int
    at: datetime
    artifact: Artifact | None = None


class Outcome(NamedTuple):
    """How one attempt at a scene ended: with a result and perhaps a file, or with an error."""

    scene: str
    fingerprint: str
    attempt: int
    result: Payload | None = None
    artifact: Artifact | None = None
    error: str | None = None
    elapsed_s: float | None = None


class Adopted(NamedTuple):
    """An imported result, and the fingerprint that binds it to all that it counts for."""

    fingerprint: str
    result: Payload | None


class SceneBatch(EventSourced):
    """The state of one stage's scenes and its rules. Commands take the plan, the state keeps none."""

    kind = "SceneBatch"
    noun = "batch"
    key_fields = ("project", "stage")
    finished = frozenset({BatchStatus.COMPLETED, BatchStatus.STOPPED})
    at_work = frozenset({BatchStatus.RUNNING, BatchStatus.PAUSED})
    at_rest = BatchStatus.OPEN

    def __init__(self, id: UUID, natural_key: tuple[str, ...] = ()) -> None:  # noqa: A002 - see EventSourced
        """Begin open and empty."""
        super().__init__(id, natural_key)
        self.status = BatchStatus.OPEN
        self.plan_sha256 = ""
        self.scene_count = 0
        self.after: str | None = None
        self.scenes: dict[str, SceneRecord] = {}
        self.done = 0
        self.failed = 0

    # Commands

    def begin(
        self,
        plan: Plan,
        by: Claim,
        at: datetime,
        *,
        after: str | None = None,
        stale: Mapping[str, str] | None = None,
        adopted: Mapping[str, Adopted] | None = None,
    ) -> Events:
        """Open the batch, or take it up again; `stale` gives the reason for each scene to redo.

        `adopted` binds imported results to the input that they count for from now on; one that is
        no result of this very scene is not taken. A completed batch in which nothing is left to do stays completed. Raises LeaseLost.
        """
        if by.epoch == self.epoch and self.status is BatchStatus.RUNNING:
            return ()
        self.require_newer(by)
        reasons = (stale or {}).items()
        stale = {key: why for key, why in reasons if key in plan and self.is_done(key)}
        taken = {key: it for key, it in (adopted or {}).items() if self.is_adoptable(key, plan)}
        idle = not (stale or taken) and all(self.is_done(key) for key in plan)
        if self.status is BatchStatus.COMPLETED and idle and plan.sha256 == self.plan_sha256:
            return ()
        return self.new(
            at,
            *self._cut_off(by),
            *self._adopted(taken, by.epoch),
            *self._planned(plan, by, after, anew=bool(taken)),
            *self._invalidated_drafts(stale, by.epoch),
            *self._reopened(by),
            draft(Resumed, epoch=by.epoch, worker=by.worker),
        )

    def import_progress(self, old: ImportedScenes, at: datetime) -> Events:
        """Begin the stream with what an old progress file holds of the scenes of its plan.

        Raises AlreadyRecorded if it holds anything else, UnknownScene, NotJson and TooLarge.
        """
        for scene in old.results:
            self._require_planned(scene, old.plan)
        project, stage = self.natural_key
        opened = draft(Opened, project=project, stage=stage, **_plan_facts(old.plan, old.after))
        made = (
            draft(
                SceneCompleted,
                scene=scene,
                fingerprint=old.plan.imported_fingerprint(scene),
                result=Payload.of(result, "an imported result", self.title),
                attempt=1,
            )
            for scene, result in old.results.items()
        )
        return self.import_from(
            old.source,
            old.sha256,
            at,
            opened,
            *made,
            recorded_at=old.recorded_at,
            recorded=old.recorded,
        )

    def record(self, outcomes: Iterable[Outcome], plan: Plan, by: Claim, at: datetime) -> Events:
        """Record how scenes ended, all in one transaction; an attempt that is recorded adds nothing.

        What was in work at a pause or a stop is still recorded. Raises UnknownScene, and
        SceneAlreadyCompleted for another attempt at a scene that is done.
        """
        self.require_claim(by)
        new: dict[str, Outcome] = {}
        drafts = []
        for outcome in outcomes:
            self._require_planned(outcome.scene, plan)
            if self._is_news(outcome, new.get(outcome.scene)):
                new[outcome.scene] = outcome
                drafts.append(_ended(outcome, by.epoch))
        return self.new(at, *drafts)

    def invalidate(
        self,
        reasons: Mapping[str, str],
        plan: Container[str],
        at: datetime,
        by: Claim | None = None,
    ) -> Events:
        """Let scenes of the plan that are done be made again; raise UnknownScene for any other."""
        if by:
            self.require_claim(by)
        for scene in reasons:
            self._require_planned(scene, plan)
        done = {key: why for key, why in reasons.items() if self.is_done(key)}
        reopened: tuple[Draft, ...] = ()
        if done and self.status is BatchStatus.COMPLETED:
            reopened = (draft(Reopened, reason="scenes were invalidated", actor="resumelog"),)
        epoch = by.epoch if by else None
        return self.new(at, *reopened, *self._invalidated_drafts(done, epoch))

    def pause(self, reason: str, actor: str, at: datetime) -> Events:
        """Ask the worker to stop after the scenes in flight."""
        if self.status is BatchStatus.PAUSED:
            return ()
        if self.status is not BatchStatus.RUNNING:
            raise NotRunning(self.title, command="pause", status=self.status)
        return self.new(at, draft(Paused, reason=error_text(reason), actor=actor))

    def stop(self, actor: str, at: datetime) -> Events:
        """Give the batch up; what is done stays done."""
        if self.status in self.finished or not self.version:
            return ()
        return self.new(at, draft(Stopped, actor=actor))

    def reopen(self, reason: str, actor: str, at: datetime, *, has_worker: bool = True) -> Events:
        """Let a paused, stopped or completed batch be worked on again.

        Only a pause has a worker that goes on; one that left it is said to have done so.
        """
        if self.status in (BatchStatus.OPEN, BatchStatus.RUNNING):
            return ()
        is_left = self.status is BatchStatus.PAUSED and not has_worker
        gone = draft(Interrupted, in_flight=(), cause="its worker had left while it was paused")
        reopened = draft(Reopened, reason=error_text(reason), actor=actor)
        return self.new(at, reopened, *[gone] * is_left)

    def finish(self, plan: Plan, by: Claim, at: datetime) -> Events:
        """Complete the batch if every scene of the plan is done; else change nothing."""
        self.require_claim(by)
        if self.status in self.finished or next(self.remaining(plan), None) is not None:
            return ()
        return self.new(at, draft(Completed, epoch=by.epoch))

    def interrupt(
        self, cause: object, in_flight: Iterable[Attempt], by: Claim, at: datetime
    ) -> Events:
        """Leave with scenes undone. A paused batch stays paused, and its scenes in flight count."""
        self.require_claim(by)
        scenes = self._cut_short(in_flight)
        if self.status is not BatchStatus.RUNNING and not scenes:
            return ()
        cause = error_text(cause)
        return self.new(at, draft(Interrupted, epoch=by.epoch, in_flight=scenes, cause=cause))

    # Questions

    def is_done(self, key: str) -> bool:
        """Tell whether a scene is completed and still valid."""
        record = self.scenes.get(key)
        return record is not None and record.state == "done"

    def is_adoptable(self, key: str, plan: Plan) -> bool:
        """Tell whether a scene's result was imported for just the scene that the plan has there."""
        if key not in plan or plan.makes_files or not self.is_done(key):
            return False
        return self.scenes[key].fingerprint == plan.imported_fingerprint(key)

    def remaining(self, plan: Plan) -> Iterator[str]:
        """Iterate over the keys that are not done, in the plan's order."""
        return (key for key in plan if not self.is_done(key))

    def failures(self, plan: Plan) -> Iterator[str]:
        """Iterate over the keys whose last attempt failed, in the plan's order."""
        records = ((key, self.scenes.get(key)) for key in plan)
        return (key for key, record in records if record and record.state == "failed")

    def attempts(self, key: str) -> int:
        """Count how often a scene was tried, over all runs."""
        record = self.scenes.get(key)
        return record.attempts if record else 0

    # Rules

    def _is_news(self, outcome: Outcome, before: Outcome | None) -> bool:
        """Tell whether an attempt is not on record yet, nor among those to be recorded with it."""
        record = self.scenes.get(outcome.scene)
        if outcome.attempt <= (before.attempt if before else self.attempts(outcome.scene)):
            return False
        done = before.error is None if before else self.is_done(outcome.scene)
        if done:
            version = record.version if record else self.version
            raise SceneAlreadyCompleted(self.title, scene=outcome.scene, version=version)
        return True

    def _cut_off(self, by: Claim) -> tuple[Draft, ...]:
        """Make attempts visible that ended without a word."""
        scenes = self._cut_short(by.in_flight or ())
        at_work = by.in_flight is not None and self.status in self.at_work
        if not scenes and not at_work:
            return ()
        cause = f"{self.worker} ended without a word"
        return (draft(Interrupted, epoch=by.epoch, in_flight=scenes, cause=cause),)

    def _cut_short(self, in_flight: Iterable[Attempt]) -> tuple[str, ...]:
        """Return the scenes whose attempt is not on record yet; what is done stays done."""
        return tuple(
            unit
            for unit, number in in_flight
            if number > self.attempts(unit) and not self.is_done(unit)
        )

    def _adopted(self, adopted: Mapping[str, Adopted], epoch: int) -> tuple[Draft, ...]:
        """Record the same results again, under all that they are bound to from now on."""
        return tuple(
            draft(
                SceneCompleted,
                epoch=epoch,
                scene=scene,
                fingerprint=it.fingerprint,
                result=it.result,
                attempt=self.attempts(scene),
            )
            for scene, it in adopted.items()
        )

    def _planned(
        self, plan: Plan, by: Claim, after: str | None, *, anew: bool
    ) -> tuple[Draft, ...]:
        """Record another plan; `anew` also the same one, whose counts hold after an adoption."""
        is_recorded = (plan.sha256, after) == (self.plan_sha256, self.after)
        if is_recorded and not anew and not self._is_plan_removed():
            return ()
        facts = {"epoch": by.epoch, **_plan_facts(plan, after)}
        if not self.plan_sha256:
            project, stage = self.natural_key
            return (draft(Opened, project=project, stage=stage, **facts),)
        done = sum(self.is_done(key) for key in plan)
        cut_off = self._cut_short(by.in_flight or ())
        failed = sum(key not in cut_off for key in self.failures(plan))
        return (draft(PlanRevised, done=done, failed=failed, **facts),)

    def _is_plan_removed(self) -> bool:
        """Tell whether the plan that the log names was given up with the other payloads."""
        event = self.decided_by.get("plan")
        return event is not None and event.originator_version < self.payloads_removed_at

    def _invalidated_drafts(
        self, reasons: Mapping[str, str], epoch: int | None
    ) -> tuple[Draft, ...]:
        return tuple(
            draft(SceneInvalidated, epoch=epoch, scene=scene, reason=error_text(reason))
            for scene, reason in reasons.items()
        )

    def _reopened(self, by: Claim) -> tuple[Draft, ...]:
        if self.status not in self.finished:
            return ()
        reason = "begun again with scenes to do"
        return (draft(Reopened, epoch=by.epoch, reason=reason, actor=str(by.worker)),)

    def _require_planned(self, scene: str, plan: Container[str]) -> None:
        if scene not in plan:
            raise UnknownScene(self.title, scene=scene)

    # Evolve

    @evolves
    def _opened(self, event: Opened) -> None:
        self.natural_key = (event.project, event.stage)
        self._plan_is(event)

    @evolves
    def _plan_revised(self, event: PlanRevised) -> None:
        self.done, self.failed = event.done, event.failed
        self._plan_is(event)

    @evolves
    def _resumed(self, event: Resumed) -> None:
        self._worked_on_by(event.worker, event)
        self._became(BatchStatus.RUNNING, event)

    @evolves
    def _scene_completed(self, event: SceneCompleted) -> None:
        self._decided(event, "done", event.scene, event.fingerprint, event.attempt)

    @evolves
    def _scene_failed(self, event: SceneFailed) -> None:
        self._decided(event, "failed", event.scene, event.fingerprint, event.attempt)

    @evolves
    def _scene_invalidated(self, event: SceneInvalidated) -> None:
        self._decided(event, "to do", event.scene, "", self.attempts(event.scene))

    @evolves
    def _interrupted(self, event: Interrupted) -> None:
        for scene in event.in_flight:
            if not self.is_done(scene):  # another attempt was recorded meanwhile
                self._decided(event, "to do", scene, "", self.attempts(scene) + 1)
        if self.status is BatchStatus.RUNNING:
            self._became(BatchStatus.OPEN, event)

    @evolves
    def _paused(self, event: Paused) -> None:
        self._became(BatchStatus.PAUSED, event)

    @evolves
    def _stopped(self, event: Stopped) -> None:
        self._became(BatchStatus.STOPPED, event)

    @evolves
    def _completed(self, event: Completed) -> None:
        self._became(BatchStatus.COMPLETED, event)

    @evolves
    def _reopened_again(self, event: Reopened) -> None:
        paused = self.status is BatchStatus.PAUSED  # its worker may be waiting
        self._became(BatchStatus.RUNNING if paused else BatchStatus.OPEN, event)

    def _plan_is(self, event: Opened | PlanRevised) -> None:
        self.plan_sha256, self.scene_count = event.plan_sha256, event.scene_count
        self.after = event.after
        self.decided_by["plan"] = event

    def _decided(
        self,
        event: DomainEvent,
        state: Literal["done", "failed", "to do"],
        scene: str,
        fingerprint: str,
        attempts: int,
    ) -> None:
        before = self.scenes.get(scene)
        if before and before.state == "done":
            self.done -= 1
        elif before and before.state == "failed":
            self.failed -= 1
        if state == "done":
            self.done += 1
        elif state == "failed":
            self.failed += 1
        self.scenes[scene] = SceneRecord(
            state,
            fingerprint,
            attempts,
            type(event).__name__,
            event.originator_version,
            event.timestamp,
            getattr(event, "artifact", None),
        )


def _plan_facts(plan: Plan, after: str | None) -> dict[str, Any]:
    return {
        "plan_sha256": plan.sha256,
        "scene_count": len(plan),
        "params": plan.params,
        "plan": plan.payload,
        "after": after,
    }


def _ended(outcome: Outcome, epoch: int) -> Draft:
    facts: dict[str, Any] = {
        "epoch": epoch,
        "scene": outcome.scene,
        "fingerprint": outcome.fingerprint,
        "attempt": outcome.attempt,
    }
    if outcome.error is not None:
        return draft(SceneFailed, **facts, error=error_text(outcome.error))
    return draft(
        SceneCompleted,
        **facts,
        result=outcome.result,
        artifact=outcome.artifact,
        elapsed_s=outcome.elapsed_s,
    )
