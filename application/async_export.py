"""Exports for services on asyncio: the same handle, awaited, and no event loop waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from types import EllipsisType
from typing import TypeVar

from pydantic import JsonValue

from resumelog.application.export import Export
from resumelog.application.export_progress import Listener, OnProgress
from resumelog.application.off_loop import OffLoop, OneThread
from resumelog.application.progress_meter import ProgressFacts
from resumelog.application.running import Saved
from resumelog.domain.resume_point import ResumePoint

T = TypeVar("T")


class AsyncExport:
    """One attempt at one export, for the tasks of one event loop.

    Saves are made one after the other in the export's own thread. One that was asked for is made
    even where its task is cancelled meanwhile; the cancellation goes on after it. `export` is the
    same handle for code that runs in threads.
    """

    def __init__(self, export: Export, thread: OneThread) -> None:
        """Wrap a running export; `async with log.exports.resume(...)` does."""
        self.export, self._thread = export, thread

    @property
    def progress(self) -> float:
        """The fraction that is done, as it was reported last."""
        return self.export.progress

    @property
    def units_done(self) -> int:
        """How many units are done; 0 where none were counted."""
        return self.export.units_done

    @property
    def units_total(self) -> int | None:
        """How many there are, where `remaining` or a save said so in this attempt."""
        return self.export.units_total

    @property
    def cursor(self) -> JsonValue:
        """The exporter's own position, as it was saved last."""
        return self.export.cursor

    @property
    def is_completed(self) -> bool:
        """Tell whether it is finished and its output is still there."""
        return self.export.is_completed

    @property
    def output_path(self) -> Path | None:
        """Where the output belongs."""
        return self.export.output_path

    @property
    def title(self) -> str:
        """How messages name the job."""
        return self.export.title

    def progress_facts(self) -> ProgressFacts:
        """Return how far it is, how fast, how long yet; at once, even while a save is made."""
        return self.export.progress_facts()

    def on_progress(self, callback: OnProgress) -> Callable[[], None]:
        """Call `callback`, a plain function, as Export.on_progress says, in the loop's thread."""
        loop, listener = asyncio.get_running_loop(), Listener(callback)
        return self.export.on_progress(partial(_tell, loop, listener))

    async def remaining(self, total: int) -> AsyncIterator[int]:
        """Iterate over the units that are left, of `total`; stop where somebody paused the job."""
        async for unit in self._thread.each(self.export.remaining(total)):
            yield unit

    async def save_progress(
        self,
        progress: float | None = None,
        *,
        units_done: int | None = None,
        units_total: int | None = None,
        cursor: JsonValue | EllipsisType = ...,
    ) -> Saved:
        """Save after the work, as Export.save_progress does."""
        save = self.export.save_progress
        counts = {"units_done": units_done, "units_total": units_total}
        return await self._do(partial(save, progress, **counts, cursor=cursor))

    async def begin_again(self, reason: str) -> Saved:
        """Forget the progress: the exporter begins at 0 once more. A `Restarted` says why."""
        return await self._do(self.export.begin_again, reason)

    async def flush(self) -> None:
        """Write the last fraction, if the throttle kept it. Raises LeaseLost, StoreUnavailable."""
        await self._do(self.export.flush)

    def output(self, *, keep_partial: bool = False) -> OffLoop[Path]:
        """Give a temporary path to `async with`, as Export.output does."""
        return OffLoop(self._thread, self.export.output(keep_partial=keep_partial))

    async def complete(self, output: str | Path | None = None) -> Saved:
        """Finish, as Export.complete does."""
        return await self._do(self.export.complete, output)

    async def leave(self, cause: object) -> Saved:
        """End this attempt with work undone, as Export.leave does."""
        return await self._do(self.export.leave, cause)

    async def leave_if_paused(self) -> None:
        """Raise JobPaused once somebody asked for a pause, and LeaseLost once it is another's job."""
        await self._do(self.export.leave_if_paused)

    async def resume_point(self) -> ResumePoint:
        """Return what is done and what is next, and why."""
        return await self._do(self.export.resume_point)

    async def _do(self, call: Callable[..., T], *arguments: object) -> T:
        return await self._thread.do(partial(call, *arguments))


def _tell(
    loop: asyncio.AbstractEventLoop, listener: Listener[ProgressFacts], facts: ProgressFacts
) -> None:
    """Call a listener in the loop's thread, before the task that waits for the save goes on."""
    loop.call_soon_threadsafe(listener, facts)
