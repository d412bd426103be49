"""Where leases are kept, and the table for stores that keep none."""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol
from uuid import UUID

NOTHING = "[]"


class LeaseRow(NamedTuple):
    """What the table says of one stream; `holder` is None when nobody works on it.

    `identity`, `beat` and `lease_s` are the holder's, None where it is not known.
    """

    epoch: int
    holder: str | None
    in_flight: str
    identity: str | None
    beat: float | None
    lease_s: float | None


class LeaseTable(Protocol):
    """Where leases are kept. Its writes survive a kill; they need not survive a power loss."""

    def read(self, stream: UUID) -> LeaseRow | None:
        """Return the stream's lease with its holder's identity and heartbeat."""
        ...

    def at_work(self) -> list[tuple[UUID, LeaseRow]]:
        """Return the streams whose holder noted something in flight, with their leases."""
        ...

    def take(self, stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        """Hold the lease if it and its holder's heartbeat still are as `before`; return whether.

        What was in flight stays noted until the new holder writes its own. A heartbeat of None in
        `before` may have been any: that holder lives, and is not forgotten though it holds no more.
        """
        ...

    def write_in_flight(self, stream: UUID, epoch: int, in_flight: str) -> bool:
        """Note what is in flight; return whether the epoch still is this one."""
        ...

    def give_back(self, stream: UUID, epoch: int) -> None:
        """Let nobody hold it if the epoch still is this one."""
        ...

    def beat(self, holder: str, identity: str, beat: float, lease_s: float) -> None:
        """Write a holder's identity, heartbeat (a time of its monotonic clock), and its lease."""
        ...

    def leave(self, holder: str) -> None:
        """Give back all that a holder still has, and forget it."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class MemoryLeaseTable:
    """Leases among the threads of one process, for stores that keep none."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: dict[UUID, LeaseRow] = {}
        self._workers: dict[str, tuple[str, float, float]] = {}
        self._lock = threading.Lock()

    def read(self, stream: UUID) -> LeaseRow | None:
        """Return the stream's lease."""
        with self._lock:
            row = self._rows.get(stream)
            if row is None or row.holder is None:
                return row
            identity, beat, lease_s = self._workers.get(row.holder, (None, None, None))
            return row._replace(identity=identity, beat=beat, lease_s=lease_s)

    def at_work(self) -> list[tuple[UUID, LeaseRow]]:
        """Return the streams whose holder noted something in flight."""
        with self._lock:
            streams = [*self._rows]
        rows = ((stream, self.read(stream)) for stream in streams)
        return [
            (stream, row)
            for stream, row in rows
            if row and row.holder is not None and row.in_flight != NOTHING
        ]

    def take(self, stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        """Hold the lease if it still is as `before`."""
        with self._lock:
            now = self._rows.get(stream)
            if (now and now[:2]) != (before and before[:2]):
                return False
            if before and before.holder and before.beat is not None:
                worker = self._workers.get(before.holder)
                if worker and worker[1] != before.beat:
                    return False
            in_flight = now.in_flight if now else NOTHING
            self._rows[stream] = LeaseRow(epoch, holder, in_flight, None, None, None)
            if before and before.holder and before.beat is not None:
                self._forget_if_idle(before.holder)
            return True

    def write_in_flight(self, stream: UUID, epoch: int, in_flight: str) -> bool:
        """Note what is in flight."""
        return self._replace(stream, epoch, in_flight=in_flight)

    def give_back(self, stream: UUID, epoch: int) -> None:
        """Let nobody hold it."""
        self._replace(stream, epoch, holder=None)

    def beat(self, holder: str, identity: str, beat: float, lease_s: float) -> None:
        """Write a heartbeat."""
        with self._lock:
            self._workers[holder] = (identity, beat, lease_s)

    def leave(self, holder: str) -> None:
        """Give back all that a holder still has, and forget it."""
        with self._lock:
            self._workers.pop(holder, None)
            for stream, row in self._rows.items():
                if row.holder == holder:
                    self._rows[stream] = row._replace(holder=None)

    def close(self) -> None:
        """Nothing is open."""

    def _forget_if_idle(self, holder: str) -> None:
        if all(row.holder != holder for row in self._rows.values()):
            self._workers.pop(holder, None)

    def _replace(self, stream: UUID, epoch: int, **changes: str | None) -> bool:
        with self._lock:
            row = self._rows.get(stream)
            if row is None or row.epoch != epoch:
                return False
            self._rows[stream] = LeaseRow(**{**row._asdict(), **changes})
            return True
