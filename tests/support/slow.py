"""A disk that takes its time or is full, and a heart that shows whether an event loop goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from resumelog.application.errors import StoreUnavailable
from resumelog.infrastructure.storage.lease_table import LeaseRow, MemoryLeaseTable
from resumelog.infrastructure.storage.sqlite.recorders import ApplicationRecorder

BEAT_S = 0.005


class Disk:
    """Takes `pause_s` for each call; `committing` tells that a commit is being made."""

    def __init__(self) -> None:
        self.pause_s = 0.0
        self.is_full = False
        self.calls = self.at_once = self.at_once_max = 0
        self.committing = threading.Event()
        self._lock = threading.Lock()

    def pause(self) -> None:
        with self._counted():
            time.sleep(self.pause_s)

    def commit(self) -> None:
        if self.is_full:
            raise StoreUnavailable(store="jobs.db", why="it is full", advice="free it")
        self.committing.set()
        self.pause()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.calls += 1
            self.at_once += 1
            self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            yield
        finally:
            with self._lock:
                self.at_once -= 1


class SlowRecorder(ApplicationRecorder):
    """Reads from and writes to a slow disk."""

    disk = Disk()

    def select_rows(self, *arguments: Any, **options: Any) -> Any:
        self.disk.pause()
        return super().select_rows(*arguments, **options)

    def insert_events(self, stored_events: Sequence[StoredEvent], **options: Any) -> Sequence[int]:
        self.disk.commit()
        return super().insert_events(stored_events, **options)


class SlowLeaseTable(MemoryLeaseTable):
    """Leases on the same disk."""

    def read(self, stream: UUID) -> LeaseRow | None:
        SlowRecorder.disk.pause()
        return super().read(stream)

    def take(self, stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        SlowRecorder.disk.pause()
        return super().take(stream, before, epoch, holder)

    def give_back(self, stream: UUID, epoch: int) -> None:
        SlowRecorder.disk.pause()
        super().give_back(stream, epoch)


class Heart:
    """Beats in the event loop, and remembers how long it stood still."""

    def __init__(self) -> None:
        self.stops_s: list[float] = []

    def stood_still_s(self, at_least_s: float) -> float:
        """Return for how long it stood still in all, at least so long at once."""
        return sum(stop for stop in self.stops_s if stop >= at_least_s)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _beat(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(BEAT_S)
            now = time.monotonic()
            self.stops_s.append(now - last)
            last = now
