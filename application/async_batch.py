"""Batches for services on asyncio: the same handle, awaited, and no event loop waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, Unpack

from resumelog.application.batch import Batch
from resumelog.application.batch_progress import BatchFacts, OnBatchProgress
from resumelog.application.export_progress import Listener
from resumelog.application.loop_tasks import LoopTasks, StopOfItsOwn
from resumelog.application.off_loop import OneThread
from resumelog.application.run_options import RunOptions, require
from resumelog.application.running import Saved
from resumelog.application.scene import Counts, Report, Scene, SceneName
from resumelog.application.scene_attempt import SceneFunction
from resumelog.application.scene_executors import is_async
from resumelog.application.scene_updates import Listeners, OnScene
from resumelog.domain.events import Events
from resumelog.domain.resume_point import ResumePoint
from resumelog.domain.values import Artifact

T = TypeVar("T")


class AsyncBatch:
    """A worker's handle on one batch, for the tasks of one event loop.

    Saves are made one after the other in the batch's own thread. One that was asked for is made
    even where its task is cancelled meanwhile; the cancellation goes on after it. `batch` is the
    same handle for code that runs in threads.
    """

    def __init__(self, batch: Batch, thread: OneThread) -> None:
        """Wrap an open batch; `async with log.scenes.open_async(...)` does."""
        self.batch, self._thread = batch, thread

    @property
    def title(self) -> str:
        """How messages name the batch."""
        return self.batch.title

    @property
    def stale(self) -> Mapping[str, str]:
        """Why scenes that were done are made again, by their key."""
        return self.batch.stale

    @property
    def cut_off(self) -> tuple[str, ...] | None:
        """Which scenes were in flight when the last worker ended without a word; None: it did not."""
        return self.batch.cut_off

    # Let it do the loop

    async def run(
        self,
        function: SceneFunction,
        *,
        scenes: Iterable[SceneName] | None = None,
        **options: Unpack[RunOptions],
    ) -> Report:
        """Make every scene that is not done, as Batch.run does, and let the loop go on meanwhile.

        A coroutine function's calls are tasks of this loop, at most `workers` at once, in the
        context of the task that awaits this. Any other function runs in threads. Where this task is
        cancelled the scenes' tasks are too, and it waits for them (for threads: until their scenes
        end); what they come to is recorded, then the cancellation goes on.
        """
        return await self._run(self.batch.run, function, scenes, options)

    async def retry(
        self,
        function: SceneFunction,
        *,
        scenes: Iterable[SceneName] | None = None,
        **options: Unpack[RunOptions],
    ) -> Report:
        """Make the scenes again whose last attempt failed, or those of them that are named."""
        return await self._run(self.batch.retry, function, scenes, options)

    async def _run(
        self,
        run: Callable[..., Report],
        function: SceneFunction,
        scenes: Iterable[SceneName] | None,
        options: RunOptions,
    ) -> Report:
        require(options)  # before they are wrapped
        tasks, stop = LoopTasks(asyncio.get_running_loop()), StopOfItsOwn(options.get("stop"))
        if is_async(function) and options.get("executor") is None:
            options["executor"] = tasks
        options["stop"] = stop

        def give_up(error: BaseException) -> None:
            stop.set(error)
            tasks.end(is_closed=isinstance(error, GeneratorExit))

        thread = OneThread("resumelog-run")  # the batch's own goes on with what else is asked
        try:
            return await thread.do(partial(run, function, scenes=scenes, **options), give_up)
        finally:
            thread.close()

    # A loop of one's own

    def remaining(self, only: Iterable[SceneName] | None = None) -> AsyncIterator[Scene]:
        """Iterate over the scenes that are not done, in order, and stop at a pause or a stop."""
        return self._thread.each(self.batch.remaining(only))

    def failed(self) -> AsyncIterator[Scene]:
        """Iterate over the scenes whose last attempt failed, in order."""
        return self._thread.each(scene for scene in self.batch.failed())

    async def begun(self, scene: Scene, **left_behind: Any) -> None:
        """Note that a scene is in flight, as Batch.begun does: for tasks that each make one."""
        await self._do(partial(self.batch.begun, **left_behind), scene)

    async def artifact(self, scene: Scene | str, path: str | Path | None = None) -> Path:
        """Return a temporary path for a scene's file, as Batch.artifact does."""
        return await self._do(self.batch.artifact, scene, path)

    async def complete(
        self,
        scene: Scene | str,
        result: Any = None,
        *,
        artifact: Artifact | None = None,
        elapsed_s: float | None = None,
    ) -> Saved:
        """Record that a scene is done, as Batch.complete does."""
        complete = partial(self.batch.complete, artifact=artifact, elapsed_s=elapsed_s)
        return await self._do(complete, scene, result)

    async def fail(self, scene: Scene | str, error: object) -> Saved:
        """Record that an attempt at a scene failed; the others go on."""
        return await self._do(self.batch.fail, scene, error)

    async def regenerate(
        self, scenes: Iterable[SceneName], reason: str = "asked to make it again"
    ) -> Events:
        """Let scenes that are done be made again."""
        return await self._do(self.batch.regenerate, scenes, reason)

    # What it says

    def results(self) -> AsyncIterator[tuple[Scene, Any]]:
        """Iterate over the scenes that are done and their results, in order, one in memory at a time."""
        return self._thread.each(self.batch.results())

    async def scene(self, key: str) -> Scene:
        """Return one scene as it would be begun now. Raises UnknownScene."""
        return await self._do(self.batch.scene, key)

    async def counts(self) -> Counts:
        """Count what is done, failed and remaining."""
        return await self._do(self.batch.counts)

    async def report(self) -> Report:
        """Return how the batch stands, with the error of each scene that failed."""
        return await self._do(self.batch.report)

    async def resume_point(self) -> ResumePoint:
        """Return what is done and what is next, and why."""
        return await self._do(self.batch.resume_point)

    async def leave(self, cause: object) -> None:
        """End the work here, as Batch.leave does."""
        await self._do(self.batch.leave, cause)

    def progress_facts(self) -> BatchFacts:
        """Return how far it is, how fast, how long yet; at once, even while a save is made."""
        return self.batch.progress_facts()

    def on_progress(self, callback: OnBatchProgress) -> Callable[[], None]:
        """Call `callback`, a plain function, as Batch.on_progress says, in the loop's thread.

        Of facts that come while the loop is busy it is told the newest.
        """
        return self.batch.on_progress(_Newest(asyncio.get_running_loop(), callback))

    def on_scene(self, callback: OnScene) -> Callable[[], None]:
        """Call `callback`, a plain function, with each SceneUpdate, in the loop's thread."""
        loop, listeners = asyncio.get_running_loop(), Listeners()
        listeners.add(callback)
        return self.batch.on_scene(
            lambda update: loop.call_soon_threadsafe(lambda: listeners(update))
        )

    async def _do(self, call: Callable[..., T], *arguments: object) -> T:
        return await self._thread.do(partial(call, *arguments))


class _Newest:
    """Tells a callback in the loop's thread, one call at a time however often facts come."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: OnBatchProgress) -> None:
        self._loop, self._tell = loop, Listener(callback)
        self._facts: BatchFacts | None = None
        self._lock = Lock()

    def __call__(self, facts: BatchFacts) -> None:
        with self._lock:
            waits, self._facts = self._facts is not None, facts
        if not waits:
            self._loop.call_soon_threadsafe(self._told)

    def _told(self) -> None:
        with self._lock:
            facts, self._facts = self._facts, None
        if facts is not None:
            self._tell(facts)
