"""Calls that block, made in a thread of their own, so that an event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import logging
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

GiveUp = Callable[[BaseException], object]
"""Is told of a CancelledError, or of the GeneratorExit of a coroutine that is closed."""

logger = logging.getLogger("resumelog")


class OneThread:
    """Makes calls one after the other in one thread, each in the context of the task that asks.

    A call that was asked for is made to its end before a cancellation goes on, so that a save has
    one outcome, which the task knows.
    """

    def __init__(self, name: str) -> None:
        """Start the thread with the first call."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def do(self, call: Callable[[], T], give_up: GiveUp | None = None) -> T:
        """Make a call and return what it does. Raises CancelledError after it, and what it raises.

        `give_up` lets a long one end sooner.
        """
        future = self._submitted(call)
        made = asyncio.wrap_future(future)
        made.add_done_callback(asyncio.Future.exception)  # it counts as seen
        cancelled: CancelledError | None = None
        while not made.done():
            try:
                await asyncio.wait((made,))
            except CancelledError as error:
                cancelled = cancelled or error
                if give_up:
                    give_up(error)
            except GeneratorExit as closed:  # the coroutine is closed, and may await nothing more
                if give_up:
                    give_up(closed)
                wait((future,))
                raise
        if cancelled is None:
            return made.result()
        if failed := made.exception():
            logger.warning("a task was cancelled, and what it was at failed: %s", failed)
        raise cancelled

    async def each(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Iterate over what blocks, a step at a time."""
        steps = ((item,) for item in items)
        while step := await self.do(partial(next, steps, ())):
            yield step[0]

    def do_here(self, call: Callable[[], T]) -> T:
        """Make a call after all others and block until it has ended."""
        return self._submitted(call).result()

    def close(self) -> None:
        """End the thread once all calls are made; a later one is made by whoever asks."""
        self._executor.shutdown(wait=False)

    def _submitted(self, call: Callable[[], T]) -> Future[T]:
        with suppress(RuntimeError):  # it is closed, or the interpreter ends
            return self._executor.submit(copy_context().run, call)
        future: Future[T] = Future()
        future.set_result(call())
        return future


class OffLoop(Generic[T]):
    """A context manager that is entered and left in a thread, for `async with`."""

    def __init__(self, thread: OneThread, context: AbstractContextManager[T]) -> None:
        """Take what blocks."""
        self._thread, self._context = thread, context

    async def __aenter__(self) -> T:
        """Enter; a task that is cancelled meanwhile leaves again."""
        entered: list[T] = []
        try:
            await self._thread.do(lambda: entered.append(self._context.__enter__()))
        except (CancelledError, GeneratorExit) as error:
            if entered:
                await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return entered[0]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Leave; where the coroutine is closed, block until that is done."""
        leave = partial(self._context.__exit__, kind, error, traceback)
        if isinstance(error, GeneratorExit):
            return self._thread.do_here(leave)
        return await self._thread.do(leave)
