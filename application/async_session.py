"""Work on an event loop: begun and recorded in a thread of its own, ended by the loop's signals."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Generic, TypeVar

from resumelog.application.off_loop import OffLoop, OneThread
from resumelog.application.ports import LoopSignals

Handle = TypeVar("Handle")
AsyncHandle = TypeVar("AsyncHandle")

logger = logging.getLogger("resumelog")


class AsyncSession(Generic[Handle, AsyncHandle]):
    """A job's work on an event loop, around the session that begins it and records its end."""

    def __init__(
        self,
        session: AbstractContextManager[Handle],
        signals: LoopSignals,
        awaited: Callable[[Handle, OneThread], AsyncHandle],
    ) -> None:
        """Prepare; nothing is read or written before `async with`, which gives what is `awaited`."""
        self._thread = OneThread("resumelog-job")
        self._session = OffLoop(self._thread, _Named(session, signals))
        self._signals, self._awaited = signals, awaited

    async def __aenter__(self) -> AsyncHandle:
        """Take the lease and begin, off the loop."""
        with ExitStack() as stack:
            stack.callback(self._thread.close)
            stack.enter_context(self._signals)  # in the loop's own thread
            job = self._awaited(await self._session.__aenter__(), self._thread)
            self._stack = stack.pop_all()
        return job

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record how it ended, off the loop, and let the exception go on."""
        with self._stack:
            await self._session.__aexit__(kind, error, traceback)


class _Named(AbstractContextManager[Handle]):
    """A session that is told of a signal where that is why its task was cancelled."""

    def __init__(self, session: AbstractContextManager[Handle], signals: LoopSignals) -> None:
        self._session, self._signals = session, signals

    def __enter__(self) -> Handle:
        return self._session.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        cause = self._signals.cause_of(error)
        self._session.__exit__(type(cause) if cause else None, cause, traceback)
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            for note in getattr(cause, "__notes__", ()):  # nobody looks at a cancellation's
                logger.warning("cancelled work: %s", note)
