"""A worker's handle on one batch: what remains, what was done, how it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pydantic import JsonValue

from resumelog.application.ports import Artifacts, InFlight
from resumelog.application.running import Running, Saved
from resumelog.domain.errors import LeaseLost, ResumelogError, UnknownScene
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.scene_batch import BatchStatus, Outcome, SceneBatch
from resumelog.domain.scene_events import SceneCompleted
from resumelog.domain.values import Artifact, Claim, Payload, error_text

logger = logging.getLogger("resumelog")

LEAVES = (BatchStatus.PAUSED, BatchStatus.STOPPED)


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene as it is begun: its key, its place (from 0), what was handed in, which attempt.

    `fingerprint` covers all that it is made from, as that is now.
    """

    key: str
    index: int
    content: JsonValue
    attempt: int
    fingerprint: str


class Report(NamedTuple):
    """Counts over the plan; `skipped` were done before this run."""

    total: int
    done: int
    failed: int
    remaining: int
    skipped: int
    status: str


class Batch:
    """A worker's handle on one batch; a context manager that gives the lease back.

    `stale` says why scenes that were done are made again, `cut_off` which scenes were in flight
    when the last worker ended without a word (None: it did not). Safe for threads: several may complete
    scenes, one append follows another.
    """

    def __init__(
        self,
        running: Running[SceneBatch],
        artifacts: Artifacts,
        plan: Plan,
        taken: Callable[[str], JsonValue],
        stale: Mapping[str, str],
    ) -> None:
        """Wrap a running batch; `SceneBatches.open` does."""
        self._running, self._artifacts, self.plan = running, artifacts, plan
        self.stale = stale
        in_flight = running.claim.in_flight if running.claim else None
        self.cut_off = None if in_flight is None else tuple(unit for unit, _ in in_flight)
        self._taken = taken
        self._tried: dict[str, int] = {}
        self._done_before = running.state.done

    # What is to be done

    def remaining(self, only: Collection[str] | None = None) -> Iterator[Scene]:
        """Iterate over the scenes that are not done, in order, and stop at a pause or a stop.

        `only` narrows them to these keys. Raises UnknownScene for a key outside the plan.
        """
        for key in only or ():
            if key not in self.plan:
                raise UnknownScene(self._running.state.title, scene=key)
        for key in [*self._running.state.remaining(self.plan)]:
            if only is not None and key not in only:
                continue
            if self.is_asked_to_leave():
                return
            yield self.scene(key)

    def failed(self) -> Iterator[Scene]:
        """Iterate over the scenes whose last attempt failed, in order."""
        return map(self.scene, [*self._running.state.failures(self.plan)])

    def scene(self, key: str) -> Scene:
        """Return one scene as it would be begun now. Raises UnknownScene."""
        if key not in self.plan:
            raise UnknownScene(self._running.state.title, scene=key)
        attempt = self._running.state.attempts(key) + 1
        fingerprint = self.plan.fingerprint(key, self._taken(key))
        return Scene(key, self.plan.index(key), self.plan[key], attempt, fingerprint)

    def is_asked_to_leave(self) -> bool:
        """Tell whether somebody paused or stopped the batch."""
        return self._running.watch().status in LEAVES

    @property
    def is_over(self) -> bool:
        """Tell whether this worker has left, or never had anything to do."""
        return self._running.claim is None

    # What was done

    def begun(self, scene: Scene, **left_behind: Any) -> None:
        """Note that a scene is in flight, with the process group and the partial file it leaves."""
        self._running.begun(InFlight(scene.key, scene.attempt, **left_behind))

    def partial(self, final: str | Path) -> Path:
        """Return a temporary path beside `final`, for a scene to write to."""
        return self._artifacts.partial(Path(final))

    def place(self, partial: str | Path, final: str | Path) -> Artifact:
        """Make a scene's file durable and move it into place, before the scene is completed.

        Raises LeaseLost once another worker is at it: its file is not ours to replace.
        """
        self._running.watch()
        return self._artifacts.commit(Path(partial), Path(final))

    def complete(
        self,
        scene: Scene | str,
        result: JsonValue = None,
        *,
        artifact: Artifact | None = None,
        elapsed_s: float | None = None,
    ) -> Saved:
        """Record that a scene is done, with its result (JSON, at most 64 MiB). On disk on return.

        Raises NotJson, TooLarge, SceneAlreadyCompleted, LeaseLost; StoreUnavailable only with
        `on_save_error="raise"`, else the save is held and `Saved.held` counts it.
        """
        payload = None if result is None else Payload.of(result, "the result")
        if self._is_recorded(scene, payload, artifact):
            return Saved((), 0)
        outcome = self._outcome(scene)._replace(
            result=payload, artifact=artifact, elapsed_s=elapsed_s
        )
        return self._record(outcome, payload.size if payload else 0)

    def fail(self, scene: Scene | str, error: object) -> Saved:
        """Record that an attempt at a scene failed; the others go on."""
        text = error_text(error)
        return self._record(self._outcome(scene)._replace(error=text), len(text))

    def results(self) -> Iterator[tuple[Scene, JsonValue]]:
        """Iterate over the scenes that are done and their results, in order, from the log.

        One result is in memory at a time.
        """
        log, state = self._running.log, self._running.state
        done = [key for key in self.plan if state.is_done(key)]
        versions = [state.scenes[key].version for key in done]
        for key, event in zip(done, log.events_at(state.id, versions), strict=True):
            yield self.scene(key), log.value_of(event)

    def artifact(self, key: str) -> Artifact | None:
        """Return the file that a finished scene made."""
        return self._running.state.scenes[key].artifact

    def report(self) -> Report:
        """Count what is done, failed and remaining."""
        with self._running.lock:
            state, total = self._running.state, len(self.plan)
            counts = (total, state.done, state.failed, total - state.done)
            return Report(*counts, self._done_before, str(state.status))

    def resume_point(self) -> ResumePoint:
        """Return what is done and what is next, and why."""
        with self._running.lock:
            return resume_point(self._running.state, self.plan)

    # How it ends

    def leave(self, cause: object) -> None:
        """End the work here: what is in flight is recorded as cut off. Raises NotSaved."""
        running = self._running
        if running.claim is None:
            return
        at, cut_off = running.clock.now(), running.in_flight
        self._end(lambda batch, by: batch.interrupt(cause, cut_off, by, at))

    def finish(self) -> None:
        """Complete the batch if every scene is done, else leave it open. Raises NotSaved."""
        running = self._running
        if running.claim is None:
            return
        at, cut_off = running.clock.now(), running.in_flight
        self._end(
            lambda batch, by: (
                batch.finish(self.plan, by, at)
                or batch.interrupt(_left(batch, self.plan), cut_off, by, at)
            )
        )

    def _end(self, command: Callable[[SceneBatch, Claim], Events]) -> None:
        try:
            self._running.do(command)
        except LeaseLost as lost:
            logger.warning("%s", lost)  # its successor says how it ended
        finally:
            self._running.end()

    def __enter__(self) -> Self:
        """Return the batch itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish, or leave with the exception as the cause."""
        if error is None:
            self.finish()
            return
        try:
            self.leave(error)
        except ResumelogError as unsaved:
            error.add_note(f"and its record was not saved: {unsaved}")

    def _is_recorded(
        self, scene: Scene | str, result: Payload | None, artifact: Artifact | None
    ) -> bool:
        """Tell whether just this is what the log says already."""
        state = self._running.state
        key = scene.key if isinstance(scene, Scene) else scene
        if not state.is_done(key):
            return False
        event = self._running.log.event(state.id, state.scenes[key].version)
        made = isinstance(event, SceneCompleted) and (event.result, event.artifact)
        return made == (result, artifact)

    def _outcome(self, scene: Scene | str) -> Outcome:
        """Number the attempt: one that has ended already makes this another."""
        begun = scene if isinstance(scene, Scene) else self.scene(scene)
        state = self._running.state
        attempt = max(begun.attempt, state.attempts(begun.key) + 1)
        attempt = max(attempt, self._tried.get(begun.key, 0) + 1)
        self._tried[begun.key] = attempt
        return Outcome(begun.key, begun.fingerprint, attempt)

    def _record(self, outcome: Outcome, size: int) -> Saved:
        at = self._running.clock.now()
        self._running.ended(outcome.scene)
        return self._running.do(lambda batch, by: batch.record((outcome,), self.plan, by, at), size)


def _left(batch: SceneBatch, plan: Plan) -> str:
    remaining = sum(1 for _ in batch.remaining(plan))
    return f"left with {remaining} scenes to do, {batch.failed} of them failed"
