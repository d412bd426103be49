"""A worker's handle on one batch: what it does to each scene, and how its work ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

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
from resumelog.application.ports import InFlight, Signals
from resumelog.application.run_options import RunOptions
from resumelog.application.running import Running, Saved
from resumelog.application.scene import Report, Scene, SceneName
from resumelog.application.scene_in_hand import SceneInHand
from resumelog.application.scene_run import SceneRun
from resumelog.application.scene_updates import Listeners, OnScene
from resumelog.application.stage_before import StageBefore
from resumelog.domain.errors import LeaseLost, ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import Outcome, SceneBatch
from resumelog.domain.scene_events import Interrupted, SceneCompleted
from resumelog.domain.values import Artifact, Attempt, Claim, Payload, error_text
from resumelog.domain.wording import counted

logger = logging.getLogger("resumelog")

HasNoPlace = Callable[[Scene, Exception], object]


class Batch(WatchedBatch):
    """A worker's handle on one batch; a context manager that gives the lease back.

    `stale` says why scenes that were done are made again, `cut_off` which scenes were in flight
    when the last worker ended without a word (None: it did not). Safe for threads: several may complete
    scenes, one append follows another.
    """

    def __init__(
        self,
        running: Running[SceneBatch],
        files: BatchFiles,
        plan: Plan,
        before: StageBefore,
        stale: Mapping[str, str],
        signals: Signals,
    ) -> None:
        """Wrap a running batch; `SceneBatches.open` does."""
        super().__init__(running, files, plan, before)
        self.stale = stale
        in_flight = running.claim.in_flight if running.claim else None
        self.cut_off = None if in_flight is None else self._cut_off(in_flight)
        self.signals, self.listeners = signals, Listeners()
        self.monotonic = running.clock.monotonic
        self._tried: dict[str, tuple[Scene | str | None, int]] = {}
        self._in_hand = SceneInHand(running)

    # Let it do the loop

    def run(
        self,
        function: Callable[[Scene], Any],
        *,
        scenes: Iterable[SceneName] | None = None,
        **options: Unpack[RunOptions],
    ) -> Report:
        """Make every scene that is not done, several at once, each saved the moment it ends.

        `function(scene)` makes one and returns its result (JSON), or is a coroutine function. Its
        exception, a timeout, or a result that `check` refuses is recorded as that scene's failure,
        and the rest goes on. A scene that is not done in the stage before waits, and the report's
        cause says so. `scenes` narrows what is made; `options` are those of `RunOptions`.
        Returns how the batch stands: where all is done it is completed and left, where it was
        paused or stopped it is left. Ctrl+C lets the scenes in flight end and goes on as
        KeyboardInterrupt, a second one, SIGTERM or SIGHUP ends the run at once; either way the
        batch is left with that cause. Raises BatchOver, UnknownScene, BadArgument, LeaseLost.
        """
        only = None if scenes is None else {*self.known(scenes)}
        run, keys = SceneRun(self, function, **options), self._to_make(only)
        self.expect(len(keys), options.get("workers") or 1)
        return run.over(keys, only)

    def _to_make(self, scenes: Iterable[SceneName] | None) -> list[str]:
        """Return what is left. Raises BatchOver where that is not for this handle to make."""
        if not self.is_over:
            return self.left(scenes)
        self.require_log()
        status = self._running.watch().status  # what is done may have been marked meanwhile
        keys = self.left(scenes)
        if keys:
            raise BatchOver(self.title, command="run", status=status)
        return keys

    def retry(
        self,
        function: Callable[[Scene], Any],
        *,
        scenes: Iterable[SceneName] | None = None,
        **options: Unpack[RunOptions],
    ) -> Report:
        """Make the scenes again whose last attempt failed, or those of them that are named."""
        failed = [*self._running.state.failures(self.plan)]
        wanted = {*self.known(scenes)} if scenes is not None else {*failed}
        return self.run(function, scenes=[key for key in failed if key in wanted], **options)

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

    def on_scene(self, callback: OnScene) -> Callable[[], None]:
        """Call `callback` with each SceneUpdate, in the thread that runs the batch.

        What it raises is logged and the work goes on. Returns what ends the calls.
        """
        return self.listeners.add(callback)

    # A loop of one's own

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
        BadArgument for a path at which another scene has its file, or is writing it.
        """
        scene = self.scene(scene) if isinstance(scene, str) else scene
        with self._running.lock:
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

    def let_go(self, scene: Scene, attempt: Future[Any]) -> None:
        """Leave an attempt to itself that can't be ended; what it writes is removed once it ends.

        A successor removes what a kill leaves there: it is noted in flight, as no attempt.
        """
        if scene.partial is None:
            return
        path, running = str(scene.partial), self._running
        if running.claim:
            running.begun(InFlight(path, 0, partial=path))
        self._files.late.add(scene.partial, attempt, lambda: running.ended(path))

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
            self._tried[outcome.scene] = (None, outcome.attempt)
        self._came_to(outcomes)
        return saved

    def flush(self) -> None:
        """Write what waits for the disk, if there is room now."""
        self._running.flush()

    # How it ends

    def end_run(self, cause: str) -> None:
        """Complete the batch if all is done and on disk; leave it if it was paused or stopped."""
        if self.is_over:
            return
        self.flush()
        if self._running.held:
            return
        if not self.left():
            self.finish()
        elif cause and self.is_asked_to_leave():
            self.leave(cause)

    def leave(self, cause: object) -> None:
        """End the work here: what is in flight is recorded as cut off. Raises NotSaved."""
        self._in_hand.take_back()
        self._leave(cause)

    def _leave(self, cause: object) -> None:
        running = self._running
        if running.claim is None:
            return
        at, cut_off = running.clock.now(), running.in_flight
        self._end(lambda batch, by: batch.interrupt(cause, cut_off, by, at))

    def finish(self) -> None:
        """Complete the batch if every scene is done, else leave it open. Raises NotSaved."""
        self._in_hand.take_back()
        running = self._running
        if running.claim is None:
            return
        at, cut_off = running.clock.now(), running.in_flight
        self._end(
            lambda batch, by: (
                batch.finish(self.plan, by, at)
                or batch.interrupt(self._left_over(batch), cut_off, by, at)
            )
        )

    def _left_over(self, batch: SceneBatch) -> str:
        remaining = [*batch.remaining(self.plan)]
        waits = self.waits(len(self.waiting(remaining)))
        scenes = counted(len(remaining), "scene")
        left = f"left with {scenes} to do, {batch.failed} of them failed"
        return left + (f"; {waits}" if waits else "")

    def _end(self, command: Callable[[SceneBatch, Claim], Events]) -> None:
        try:
            self._running.do(command)
        except LeaseLost as lost:
            logger.warning("%s", lost)  # its successor says how it ended
        finally:
            try:
                self._running.end()
            finally:
                self._files.discard_all()  # nothing is recorded any more that may have written them
                self._tell()

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
        else:
            self.leave_with(error)

    def leave_with(self, error: BaseException) -> None:
        """Leave, for an exception that goes on; what could not be saved is a note of it."""
        try:
            self._leave(error)
        except ResumelogError as unsaved:
            error.add_note(f"and its record was not saved: {unsaved}")

    def _as_coming(self, keys: Iterable[str]) -> list[InFlight]:
        """Return what `begin` would note; nothing where that needs a temporary path first."""
        if self._files.are_made:
            return []
        return [InFlight(key, self._next_attempt(key)) for key in keys]

    def _next_attempt(self, key: str) -> int:
        """Number the next attempt, also after one whose end waits for the disk."""
        of, tried = self._tried.get(key, (None, 0))
        return max(super()._next_attempt(key), tried + 1 if of is None else 0)

    def _cut_off(self, in_flight: Iterable[Attempt]) -> tuple[str, ...]:
        """Return what was recorded as cut off: not what had ended, and was noted in flight yet."""
        scenes = self._running.state.scenes
        told = ((unit, scenes.get(unit)) for unit, number in in_flight if number)
        return tuple(unit for unit, it in told if it and it.event == Interrupted.__name__)

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
        """Number the attempt: one that has ended already makes this another."""
        begun = scene if isinstance(scene, Scene) else self.scene(scene)
        of, tried = self._tried.get(begun.key, (None, 0))
        if of is not scene:  # else an interrupt came before it was recorded
            attempts = self._running.state.attempts(begun.key)
            tried = max(begun.attempt, attempts + 1, tried + 1)
            self._tried[begun.key] = (scene, tried)
        return Outcome(begun.key, begun.fingerprint, tried)


def _in_flight(scene: Scene) -> InFlight:
    partial = str(scene.partial) if scene.partial else None
    return InFlight(scene.key, scene.attempt, partial=partial)
