"""The scenes of a run as tasks of the event loop that awaits it, and how they are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from resumelog.application.scene_executors import Coroutines
from resumelog.application.stop_flag import StopFlag


class LoopTasks(Coroutines):
    """Coroutines as tasks of a loop that runs already, until all are ended at once.

    What is submitted has ended when its task has: a task that is cancelled may clean up, and may
    still return what it made.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with none."""
        super().__init__(loop)
        self._tasks, self._futures = set[asyncio.Task[Any]](), set[Future[Any]]()
        self._is_ended = self._is_closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Schedule a coroutine function's call, in the context that this is called in."""
        future = super().submit(self._made, fn, *args, **kwargs)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        if self._is_closed:  # it may have come too late to be cancelled by `end`
            future.cancel()
        return future

    def end(self, *, is_closed: bool) -> None:
        """Cancel all tasks, in the loop's thread; a loop that is closed can wait for none of them."""
        self._is_ended, self._is_closed = True, is_closed
        for task in [*self._tasks]:
            task.cancel()
        for future in [*self._futures] if is_closed else ():
            future.cancel()

    async def _made(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._is_ended:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await fn(*args, **kwargs)
        finally:
            self._tasks.discard(task)


class StopOfItsOwn(StopFlag):
    """A stop flag of one run, which another flag sets as well and which sets no other."""

    def __init__(self, other: StopFlag | None) -> None:
        """Take the one that the user holds."""
        self._other, self._own = other, StopFlag()

    @property
    def cause(self) -> str:  # type: ignore[override] # read from both
        """Why to stop; empty while nobody asked."""
        return self._own.cause or (self._other.cause if self._other else "")

    def set(self, cause: object = "it was asked for") -> None:
        """End this run."""
        self._own.set(cause)
