"""What a batch says of its scenes: what remains, what failed, what was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from resumelog.application.batch_files import BatchFiles
from resumelog.application.running import Running
from resumelog.application.scene import (
    Counts,
    FailedScene,
    Report,
    Scene,
    SceneName,
    keys_of,
)
from resumelog.application.stage_before import StageBefore
from resumelog.domain.errors import UnknownScene
from resumelog.domain.plan import Plan
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.scene_batch import BatchStatus, SceneBatch
from resumelog.domain.scene_events import SceneFailed

LEAVES = (BatchStatus.PAUSED, BatchStatus.STOPPED)


class BatchReader:
    """The questions that a handle on a batch answers, from the state that it keeps."""

    def __init__(
        self, running: Running[SceneBatch], files: BatchFiles, plan: Plan, before: StageBefore
    ) -> None:
        """Take the parts; what is done now was done before."""
        self._running, self._files, self.plan, self._before = running, files, plan, before
        self._done_before = running.state.done

    @property
    def title(self) -> str:
        """How messages name the batch."""
        return self._running.state.title

    @property
    def is_over(self) -> bool:
        """Tell whether this worker has left, or never had anything to do."""
        return self._running.claim is None

    def require_log(self) -> None:
        """Raise ClosedLog once the log was closed."""
        self._running.require_log()

    @property
    def version(self) -> int:
        """Up to which version of its stream the batch is known."""
        return self._running.state.version

    def is_asked_to_leave(self) -> bool:
        """Tell whether somebody paused or stopped the batch. Raises LeaseLost."""
        return self._running.watch().status in LEAVES

    def why_left(self) -> str:
        """Return by whom and why the batch was paused or stopped."""
        state = self._running.state
        asked = state.decided_by.get("status")
        actor, reason = getattr(asked, "actor", ""), getattr(asked, "reason", "")
        by = f" by {actor}" if actor else ""
        return f"the batch was {state.status}{by}" + (f": {reason}" if reason else "")

    def left(self, scenes: Iterable[SceneName] | None = None) -> list[str]:
        """Return the keys of the scenes that are not done, in order; of those named, where some are.

        A scene whose result waits for the disk counts as done. Raises UnknownScene.
        """
        only = None if scenes is None else {*self.known(scenes)}
        with self._running.lock:
            asked = self.plan if only is None else filter(only.__contains__, self.plan)
            return [key for key in asked if not self._is_made(key)]

    def is_left(self, key: str) -> bool:
        """Tell whether a scene is not done; one whose result waits for the disk counts as done."""
        with self._running.lock:
            return not self._is_made(key)

    def is_held(self, key: str) -> bool:
        """Tell whether the last that was saved of a scene waits for the disk."""
        return self._running.held_saves.newest(key) is not None

    def waiting(self, keys: Iterable[str]) -> set[str]:
        """Return the scenes that can't be begun yet: they are not done in the stage before."""
        return self._before.waiting(keys)

    def waits(self, count: int) -> str:
        """Say of so many scenes what they wait for; nothing of none."""
        scenes = "scene waits" if count == 1 else "scenes wait"
        if not count:
            return ""
        hint = "" if self._before.is_begun else ", a stage that was never opened"
        return f"{count} {scenes} for {self._before.stage}{hint}"

    def outdated(self, keys: Iterable[str]) -> dict[str, str]:
        """Return which scenes are done with another input than theirs is now, and why."""
        with self._running.lock:
            return self._before.outdated(self._running.state, self.plan, keys)

    def remaining(self, only: Iterable[SceneName] | None = None) -> Iterator[Scene]:
        """Iterate over the scenes that are not done, in order, and stop at a pause or a stop.

        Those that are not done in the stage before are passed over. `only` narrows them. Raises
        UnknownScene for a scene outside the plan.
        """
        for key in self.left(only):
            if self.is_asked_to_leave():
                return
            if self.is_left(key):  # the loop may have made it together with another
                yield from self.ready([key])

    def ready(self, keys: Iterable[str]) -> Iterator[Scene]:
        """Iterate over scenes as they would be begun now; what waits for the stage before is left out."""
        for key in keys:
            hashes, made = self._before.made(key)
            if hashes is not None or self._before.stage is None:
                yield self._scene(key, hashes, made_before=made)

    def failed(self) -> Iterator[Scene]:
        """Iterate over the scenes whose last attempt failed, in order."""
        return map(self.scene, [*self._running.state.failures(self.plan)])

    def scene(self, key: str) -> Scene:
        """Return one scene as it would be begun now. Raises UnknownScene."""
        self.known([key])
        hashes, made = self._before.made(key)
        return self._scene(key, hashes, made_before=made)

    def known(self, scenes: Iterable[SceneName]) -> list[str]:
        """Return the keys of scenes of the plan. Raises UnknownScene for any other."""
        keys = keys_of(scenes)
        for key in keys:
            if key not in self.plan:
                raise UnknownScene(self.title, scene=key)
        return keys

    def results(self) -> Iterator[tuple[Scene, Any]]:
        """Iterate over the scenes that are done and their results, in order, from the log.

        One result is in memory at a time.
        """
        return self.results_of([key for key in self.plan if self._running.state.is_done(key)])

    def results_of(self, done: Sequence[str]) -> Iterator[tuple[Scene, Any]]:
        """Iterate over these scenes, which are done, and their results."""
        log, state = self._running.log, self._running.state
        versions = [state.scenes[key].version for key in done]
        for key, event in zip(done, log.events_at(state.id, versions), strict=True):
            scene = self._scene(key, self._before.taken(key))
            yield replace(scene, attempt=state.attempts(key)), log.value_of(event)

    def file_of(self, scene: SceneName) -> Path | None:
        """Return the file that a finished scene made; None where it is not done or made none."""
        (key,) = self.known([scene])
        record = self._running.state.scenes.get(key)
        return self._files.path_of(record.artifact) if record and record.artifact else None

    def counts(self) -> Counts:
        """Count what is done, failed and remaining, at once."""
        with self._running.lock:
            state, total, held = self._running.state, len(self.plan), self._running.held
            counts = (total, state.done, state.failed, total - state.done)
            return Counts(*counts, self._done_before, str(state.status), held)

    def report(self, **of_run: Any) -> Report:
        """Return how the batch stands, with the error of each scene that failed."""
        total, done, _, remaining, skipped, status, held = self.counts()
        failed = (*self._failures(),)
        return Report(total, done, failed, remaining, skipped, status, held, **of_run)

    def resume_point(self) -> ResumePoint:
        """Return what is done and what is next, and why."""
        with self._running.lock:
            return resume_point(self._running.state, self.plan)

    def _is_made(self, key: str) -> bool:
        held = self._running.held_saves.newest(key)
        return held.made is not None if held else self._running.state.is_done(key)

    def _failures(self) -> Iterator[FailedScene]:
        log, state = self._running.log, self._running.state
        with self._running.lock:
            failed = [(key, state.scenes[key]) for key in state.failures(self.plan)]
        events = log.events_at(state.id, (record.version for _, record in failed))
        for (key, record), event in zip(failed, events, strict=True):
            assert isinstance(event, SceneFailed)
            yield FailedScene(key, self.plan.index(key), event.error, record.attempts)

    def _scene(self, key: str, taken: JsonValue, **made: Any) -> Scene:
        attempt, fingerprint = self._next_attempt(key), self.plan.fingerprint(key, taken)
        return Scene(key, self.plan.index(key), self.plan[key], attempt, fingerprint, **made)

    def _next_attempt(self, key: str) -> int:
        return self._running.state.attempts(key) + 1
