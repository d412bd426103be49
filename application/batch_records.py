"""What a worker does to each scene of a batch: it begins, completes and fails them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from resumelog.application.attempts import Attempts
from resumelog.application.batch_files import BatchFiles
from resumelog.application.batch_progress import WatchedBatch
from resumelog.application.batch_saves import (
    invalidated,
    invalidating,
    is_same,
    recorded,
    recording,
)
from resumelog.application.errors import BatchOver
from resumelog.application.ports import InFlight
from resumelog.application.running import Running, Saved
from resumelog.application.scene import Scene, SceneName
from resumelog.application.scene_in_hand import SceneInHand
from resumelog.application.stage_before import StageBefore
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import Outcome, SceneBatch
from resumelog.domain.scene_events import SceneCompleted
from resumelog.domain.values import Artifact, Payload, error_text

HasNoPlace = Callable[[Scene, Exception], object]


class RecordedBatch(WatchedBatch):
    """A handle that records what becomes of scenes; `Batch` drives it and ends it. Safe for threads."""

    def __init__(
        self, running: Running[SceneBatch], files: BatchFiles, plan: Plan, before: StageBefore
    ) -> None:
        """Take the parts of a running batch."""
        super().__init__(running, files, plan, before)
        self._attempts, self._in_hand = Attempts(), SceneInHand(running)

    def remaining(self, only: Iterable[SceneName] | None = None) -> Iterator[Scene]:
        """Iterate over the scenes that are not done, in order, and stop at a pause or a stop.

        Those that are not done in the stage before are passed over. `only` narrows them. The scene
        that the loop has in hand is noted in flight: a successor records that a kill cut it off.
        Where several are taken at once none is noted; `begun` and `artifact` do that. Raises
        UnknownScene for a scene outside the plan, LeaseLost.
        """
        return self._in_hand.each(super().remaining(only))

    def begun(self, scene: Scene, **left_behind: Any) -> None:
        """Note that a scene is in flight, with the process group and the partial file it leaves."""
        with self._running.lock:  # else the loop, asking for the next scene, takes the note back
            self._in_hand.begun(scene.key)
            self._running.begun(InFlight(scene.key, scene.attempt, **left_behind))
        self._note_begun([scene])

    def begin(self, scenes: Iterable[Scene], has_no_place: HasNoPlace | None = None) -> list[Scene]:
        """Note that scenes are in flight, and return them with the paths to write their files to.

        One that can have no such path is left out, and `has_no_place` told; without it that is raised.
        """
        scenes = [*scenes]
        if self._files.are_made:
            scenes = [*self._with_partials(scenes, has_no_place)]
        self._running.begun(*map(_in_flight, scenes))
        self._note_begun(scenes)
        return scenes

    def artifact(self, scene: Scene | str, path: str | Path | None = None) -> Path:
        """Return a temporary path for a scene's file; completing the scene moves it into place.

        The place is `path`, or what `open(artifact=…)` says. A scene that is done is invalidated
        first: its file is about to be another. A successor removes what a kill leaves there. Raises
        BadArgument for a path at which another scene has its file, or is writing it, AttemptOver in an
        attempt of a run that took too long.
        """
        scene = self.scene(scene) if isinstance(scene, str) else scene
        with self._running.lock:
            self._attempts.require_wanted(scene, self.title)
            self._files.require_free(scene, path, self._made_files, self._counts)
            if not self.is_left(scene.key):
                self.regenerate([scene], "its file is made again")
            partial = self._files.partial(scene, path)
        self.begun(scene, partial=str(partial))
        return partial

    def complete(
        self,
        scene: Scene | str,
        result: Any = None,
        *,
        artifact: Artifact | None = None,
        elapsed_s: float | None = None,
    ) -> Saved:
        """Record that a scene is done, with its result (JSON, at most 64 MiB). On disk on return.

        A file that was begun by `artifact` is moved into place first. Raises NotJson, TooLarge,
        SceneFileMissing, SceneAlreadyCompleted, LeaseLost; StoreUnavailable only with
        `on_save_error="raise"`, or where too much is held: else the save is, and `Saved.held` counts
        it. The same once more adds nothing.
        """
        payload = self.payload_of(scene, result)
        if self._is_recorded(scene, payload, artifact):
            return Saved((), self._running.held)
        return self.record([self.done(scene, payload, artifact, elapsed_s)])

    def payload_of(self, scene: Scene | str, result: Any) -> Payload | None:
        """Return a scene's result as it is kept; None for none. Raises NotJson, TooLarge."""
        key = scene.key if isinstance(scene, Scene) else scene
        return (
            None if result is None else Payload.of(result, f"the result of scene {key}", self.title)
        )

    def take_back_coming(self) -> None:
        """Note that none of the scenes is begun that were to be next."""
        if not self.is_over:
            self._running.begun()

    def take_back(self, scene: Scene) -> None:
        """Note that a scene that was begun was not tried after all."""
        self._running.taken_back(scene.key)
        self._files.discard(scene.key)
        if not self.is_over:
            self._running.note_anew()

    def let_go(self, scene: Scene, attempt: Future[Any]) -> None:
        """Leave an attempt to itself that can't be ended; what it writes is removed once it ends.

        A successor removes what a kill leaves there: it is noted in flight, as no attempt.
        """
        with self._running.lock:
            self._attempts.let_go(scene)
            partial = scene.partial or self._files.given_up(scene.key)
        if partial is None:
            return
        path, running = str(partial), self._running
        if running.claim:
            running.begun(InFlight(path, 0, partial=path))
        self._files.late.add(partial, attempt, lambda: running.ended(path))

    def fail(self, scene: Scene | str, error: object) -> Saved:
        """Record that an attempt at a scene failed; the others go on."""
        return self.record([self.not_done(scene, error)])

    def done(
        self,
        scene: Scene | str,
        result: Payload | None,
        artifact: Artifact | None = None,
        elapsed_s: float | None = None,
    ) -> Outcome:
        """Return a scene's completion, to be recorded; its file is in place then."""
        outcome = self._outcome(scene)
        made = artifact or self._placed(outcome.scene)
        return outcome._replace(result=result, artifact=made, elapsed_s=elapsed_s)

    def not_done(self, scene: Scene | str, error: object) -> Outcome:
        """Return a scene's failure, to be recorded; what it wrote is gone then."""
        outcome = self._outcome(scene)
        self._files.discard(outcome.scene)
        return outcome._replace(error=error_text(error))

    def record(self, outcomes: Sequence[Outcome], coming: Iterable[str] = ()) -> Saved:
        """Record how scenes ended, in one transaction, with a note that others are begun next."""
        running, at, plan = self._running, self._running.clock.now(), self.plan
        parts, next_ = recorded(outcomes, plan, at), self._as_coming(coming)
        with running.lock:  # until they are recorded, whoever notes what is in flight waits
            for outcome in outcomes:
                running.ended(outcome.scene)
                self._in_hand.ended(outcome.scene)
            saved = running.do(recording(outcomes, plan, at), parts, next_)
        self._files.note_made((each.scene, each.artifact) for each in outcomes if each.artifact)
        for outcome in outcomes:
            self._files.recorded(outcome.scene)
            self._attempts.ended(outcome.scene, outcome.attempt)
        self._came_to(outcomes)
        return saved

    def regenerate(
        self, scenes: Iterable[SceneName], reason: str = "asked to make it again"
    ) -> Events:
        """Let scenes that are done be made again; what takes from them is `scenes.regenerate`'s.

        Raises UnknownScene, and BatchOver once the batch was left.
        """
        return self.invalidate(dict.fromkeys(self.known(scenes), reason))

    def invalidate(self, reasons: Mapping[str, str]) -> Events:
        """Let scenes that are done be made again, each for its reason. Raises BatchOver."""
        if self.is_over:
            raise BatchOver(self.title, command="regenerate", status=self._running.state.status)
        at, plan = self._running.clock.now(), self.plan
        command = invalidating(reasons, plan, at)
        return self._running.do(command, invalidated(reasons, plan, at)).events

    def flush(self) -> None:
        """Write what waits for the disk, if there is room now."""
        self._running.flush()

    def _as_coming(self, keys: Iterable[str]) -> list[InFlight]:
        """Return what `begin` would note; nothing where that needs a temporary path first."""
        if self._files.are_made:
            return []
        return [InFlight(key, self._next_attempt(key)) for key in keys]

    def _next_attempt(self, key: str) -> int:
        return self._attempts.next(key, self._running.state.attempts(key))

    def _with_partials(
        self, scenes: Iterable[Scene], has_no_place: HasNoPlace | None
    ) -> Iterator[Scene]:
        """Say where scenes write their files."""
        for scene in scenes:
            try:
                partial = self._files.partial(scene, None)
            except Exception as error:
                if not has_no_place:
                    raise
                has_no_place(scene, error)
            else:
                yield replace(scene, partial=partial)

    def _placed(self, key: str) -> Artifact | None:
        """Move a scene's file into place, unless another worker is at it: then it is not ours to replace."""
        if self._files.has_begun(key):
            self._running.watch()
        return self._files.placed(key, self.title)

    def _made_files(self) -> Iterator[tuple[str, Artifact]]:
        """Iterate over the files that the log has."""
        for key, record in self._running.state.scenes.items():
            if record.state == "done" and record.artifact:
                yield key, record.artifact

    def _counts(self, key: str) -> bool:
        """Tell whether a scene of the plan is done, on disk or not yet."""
        return key in self.plan and not self.is_left(key)

    def _is_recorded(
        self, scene: Scene | str, result: Payload | None, artifact: Artifact | None
    ) -> bool:
        """Tell whether just this is what the log says already, or will once there is room."""
        state = self._running.state
        key = scene.key if isinstance(scene, Scene) else scene
        if self._files.has_begun(key):
            return False
        if waiting := self._running.held_saves.newest(key):
            return not self.is_over and is_same(waiting.made, result, artifact)
        if not state.is_done(key):
            return False
        event = self._running.log.event(state.id, state.scenes[key].version)
        made = (event.result, event.artifact) if isinstance(event, SceneCompleted) else None
        return is_same(made, result, artifact)

    def _outcome(self, scene: Scene | str) -> Outcome:
        """Return how an attempt ends, as if well, with its number."""
        begun = scene if isinstance(scene, Scene) else self.scene(scene)
        recorded = self._running.state.attempts(begun.key)
        attempt = self._attempts.ending(scene, begun, recorded)
        return Outcome(begun.key, begun.fingerprint, attempt)


def _in_flight(scene: Scene) -> InFlight:
    partial = str(scene.partial) if scene.partial else None
    return InFlight(scene.key, scene.attempt, partial=partial)
