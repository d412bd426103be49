"""A worker's handle on one batch: how its scenes are made, and how its work ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Any, Self, Unpack

from resumelog.application.batch_files import BatchFiles
from resumelog.application.batch_records import RecordedBatch
from resumelog.application.errors import AlreadyRunning, BatchOver
from resumelog.application.ports import Signals
from resumelog.application.run_options import RunOptions
from resumelog.application.running import Running
from resumelog.application.scene import Report, Scene, SceneName
from resumelog.application.scene_run import SceneRun
from resumelog.application.scene_updates import Listeners, OnScene
from resumelog.application.stage_before import StageBefore
from resumelog.domain.errors import LeaseLost, ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import Interrupted
from resumelog.domain.values import Attempt, Claim
from resumelog.domain.wording import counted

logger = logging.getLogger("resumelog")


class Batch(RecordedBatch):
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
        self._is_run = Lock()
        self.signals, self.listeners = signals, Listeners()
        self.monotonic = running.clock.monotonic

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
        batch is left with that cause. Raises BatchOver, UnknownScene, BadArgument, LeaseLost, and
        AlreadyRunning while another run of this handle is at work.
        """
        only = None if scenes is None else {*self.known(scenes)}
        with self._alone():
            return self._run(function, only, options)

    def _run(
        self, function: Callable[[Scene], Any], only: set[str] | None, options: RunOptions
    ) -> Report:
        run, keys = SceneRun(self, function, **options), self._to_make(only)
        self.expect(len(keys), options.get("workers") or 1)
        return run.over(keys, only)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one run at a time make scenes: two would make each twice."""
        if not self._is_run.acquire(blocking=False):
            holder = str(self._running.leases.worker)
            raise AlreadyRunning(self.title, holder=holder, is_own=True)
        try:
            yield
        finally:
            self._is_run.release()

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

    def on_scene(self, callback: OnScene) -> Callable[[], None]:
        """Call `callback` with each SceneUpdate, in the thread that runs the batch.

        What it raises is logged and the work goes on. Returns what ends the calls.
        """
        return self.listeners.add(callback)

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
        is_told = False
        try:
            self._running.do(command)
            is_told = True
        except LeaseLost as lost:
            logger.warning("%s", lost)  # its successor says how it ended
        finally:
            try:
                self._running.end(is_told=is_told)
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

    def _cut_off(self, in_flight: Iterable[Attempt]) -> tuple[str, ...]:
        """Return what was recorded as cut off: not what had ended, and was noted in flight yet."""
        scenes = self._running.state.scenes
        told = ((unit, scenes.get(unit)) for unit, number in in_flight if number)
        return tuple(unit for unit, it in told if it and it.event == Interrupted.__name__)
