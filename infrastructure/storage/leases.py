"""One worker at a time on a stream, told by heartbeats and fenced by epochs."""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from resumelog.application.errors import AlreadyRunning, ClosedLog, StoreError
from resumelog.application.ports import InFlight, InFlightNote
from resumelog.domain.errors import LeaseLost
from resumelog.domain.values import Claim, Worker
from resumelog.infrastructure import processes
from resumelog.infrastructure.artifacts import discard
from resumelog.infrastructure.storage.lease_table import NOTHING, LeaseRow, LeaseTable

BEATS_PER_LEASE = 3
LOOKS_PER_LEASE = 20

ENCODED = json.JSONEncoder(ensure_ascii=False).encode

logger = logging.getLogger("resumelog")


class TableLeases:
    """The `Leases` port over a table, with one heartbeat for all that this holder has."""

    def __init__(
        self,
        table: LeaseTable,
        lease_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start no thread yet; the first lease does."""
        self.table, self.lease_s = table, lease_s
        self._worker = processes.this_worker()
        self.holder_id = secrets.token_hex(8)
        self._sleep = sleep
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock, self._taking = threading.Lock(), threading.Lock()
        self._still = set[tuple[str | None, float | None]]()
        self._owed: dict[UUID, tuple[int, bool]] = {}
        self._owing = threading.RLock()

    @property
    def worker(self) -> Worker:
        """Return the identity of this process."""
        return self._worker

    def acquire(self, stream: UUID, job: str, floor: int, *, force: bool = False) -> Claim:
        """Take the lease; see the port."""
        self._require_open(job)
        self._start_beating()
        self._give_back_owed()
        row = self.table.read(stream)
        over = row is not None and row.epoch < floor  # the log itself has ended that epoch
        if row and (over or force) and not is_gone_for_certain(row):
            row = row._replace(beat=None)  # its holder may go on beating
        elif row and row.holder is not None:
            self._require_gone(stream, job, row)
        claim = Claim(self._worker, max(row.epoch if row else 0, floor) + 1)
        may_be_ours = False
        try:
            with self._taking:
                self._require_open(job)
                may_be_ours = not self._has(stream, claim.epoch)  # else another thread took it
                took = may_be_ours and self._took(stream, row, claim.epoch)
            if took:
                return self._taken_over(job, row, claim)
        except BaseException:  # else this process would stand in its own way
            if may_be_ours:
                self._abandon_taken(stream, claim)
            raise
        raise AlreadyRunning(job, holder=self.holder(stream) or "another worker")

    def _require_open(self, job: str) -> None:
        if self._stop.is_set():
            raise ClosedLog(job)

    def _took(self, stream: UUID, row: LeaseRow | None, epoch: int) -> bool:
        """Tell whether this took the lease, also where a first answer was lost.

        One thread after the other: what is this holder's afterwards is then no other thread's.
        """
        return self.table.take(stream, row, epoch, self.holder_id) or self._has(stream, epoch)

    def _taken_over(self, job: str, row: LeaseRow | None, claim: Claim) -> Claim:
        """Clean up after whoever held the lease as it stood as `row`."""
        units = noted_units(row) if row else ()
        if not row or not (row.holder is not None or units):
            return claim
        logger.info("%s: taking over from %s", job, _named(row))
        may_live = row.holder is not None and not is_gone_for_certain(row)
        try:
            self._clean_up(units, row)
        except BaseException:
            with suppress(Exception):  # once more: the row names whose it was no longer
                self._clean_up(units, row)
            raise
        in_flight = tuple(unit.as_attempt() for unit in units)
        return claim._replace(in_flight=in_flight, holder_may_live=may_live)

    def _abandon_taken(self, stream: UUID, claim: Claim) -> None:
        with suppress(StoreError):  # what broke it off is raised
            if self._has(stream, claim.epoch):
                self.abandon(stream, claim)

    def _has(self, stream: UUID, epoch: int) -> bool:
        """Tell whether a claim is this holder's, whichever thread took it."""
        row = self.table.read(stream)
        return row is not None and (row.holder, row.epoch) == (self.holder_id, epoch)

    def begun(self, stream: UUID, claim: Claim, units: tuple[InFlight, ...]) -> None:
        """Note what is in flight."""
        note = self.note(stream, claim, units)
        if not self.table.write_in_flight(stream, claim.epoch, note.in_flight):
            row = self.table.read(stream)
            current = row.epoch if row else 0
            raise LeaseLost(f"stream {stream}", epoch=claim.epoch, current=current)

    def note(self, stream: UUID, claim: Claim, units: tuple[InFlight, ...]) -> InFlightNote:
        """Return what `begun` writes."""
        in_flight = ENCODED([*map(_absolute, units)])
        return InFlightNote(stream, claim.epoch, in_flight)

    def release(self, stream: UUID, claim: Claim) -> None:
        """Give the lease back, with nothing in flight; later, if it can't be written now."""
        with self._owing:
            self._owed[stream] = (claim.epoch, True)
            self._give_back_owed()

    def abandon(self, stream: UUID, claim: Claim) -> None:
        """Give the lease back, and leave what is in flight to the next worker."""
        with self._owing:
            self._owed[stream] = (claim.epoch, False)
            self._give_back_owed()

    def holder(self, stream: UUID) -> str | None:
        """Return who holds the lease; None for nobody, or for a neighbour that is gone."""
        row = self.table.read(stream)
        if row is None or row.holder is None:
            return None
        return None if is_gone_for_certain(row) else _named(row)

    def require_free(self, stream: UUID, job: str, floor: int) -> None:
        """Raise AlreadyRunning where `acquire` would."""
        row = self.table.read(stream)
        if row and row.holder is not None and row.epoch >= floor:
            self._require_gone(stream, job, row)

    def close(self) -> None:
        """Stop beating and leave the table. What can't be written is told, and nothing raised."""
        with self._taking:  # whoever takes a lease from here on would hold it for ever
            self._stop.set()
        thread, self._thread = self._thread, None
        if thread:
            thread.join()
            try:
                self.table.leave(self.holder_id)
            except StoreError as error:
                logger.warning("the leases were not given back: %s", error)
        self.table.close()

    def _require_gone(self, stream: UUID, job: str, row: LeaseRow) -> None:
        """Return once the holder is gone: at once if that is certain, else after a whole lease.

        A neighbour's heartbeat is a time of the clock that both share, so that nobody need wait to
        see that it has stood still.
        """
        if is_gone_for_certain(row) or _stands_still(row):
            return
        if not _is_neighbour(row) and self._stood_still(stream, job, row):
            return
        raise AlreadyRunning(job, holder=_named(row))

    def _stood_still(self, stream: UUID, job: str, row: LeaseRow) -> bool:
        """Tell whether a far holder doesn't beat for a whole lease; one wait tells it of all it holds."""
        lease_s, seen = row.lease_s or self.lease_s, (row.holder, row.beat)
        if seen in self._still:
            return True
        logger.warning("%s: waiting up to %g s for %s", job, lease_s, _named(row))
        deadline = time.monotonic() + lease_s
        while self.table.read(stream) == row:
            if time.monotonic() >= deadline:
                self._still.add(seen)
                return True
            self._sleep(lease_s / LOOKS_PER_LEASE)
        return False

    def _clean_up(self, units: tuple[InFlight, ...], row: LeaseRow) -> None:
        """End what a neighbour left running, then remove what it was writing."""
        if not _is_neighbour(row):
            return
        for unit in units:
            if unit.group is not None and unit.started is not None:
                processes.end_group(unit.group, unit.started)
            if unit.partial and os.path.isabs(unit.partial):  # noqa: PTH117 - it is text
                discard(unit.partial)

    def _give_back_owed(self) -> None:
        """Write what the disk had no room for: else this process would stand in its own way."""
        with self._owing:
            for stream, (epoch, is_done) in [*self._owed.items()]:
                if is_done:
                    self.table.write_in_flight(stream, epoch, NOTHING)
                self.table.give_back(stream, epoch)
                del self._owed[stream]

    def _start_beating(self) -> None:
        with self._lock:
            if self._thread is None:
                self._beat()
                self._thread = threading.Thread(
                    target=self._keep_beating, name="resumelog heartbeat", daemon=True
                )
                self._thread.start()

    def _keep_beating(self) -> None:
        while not self._stop.wait(self.lease_s / BEATS_PER_LEASE):
            try:
                self._beat()
                self._give_back_owed()
            except StoreError as error:
                logger.warning("the heartbeat could not be written: %s", error)

    def _beat(self) -> None:
        identity = self._worker.model_dump_json()
        self.table.beat(self.holder_id, identity, time.monotonic(), self.lease_s)


def _absolute(unit: InFlight) -> InFlight:
    """Let a path mean the same to a successor in another folder."""
    if not unit.partial:
        return unit
    return unit._replace(partial=os.path.abspath(unit.partial))  # noqa: PTH100 - resolve() would follow links


def noted_units(row: LeaseRow) -> tuple[InFlight, ...]:
    """Return what was in flight when the holder last said so."""
    return tuple(InFlight(*unit) for unit in json.loads(row.in_flight))


def _identity(row: LeaseRow) -> Worker | None:
    return Worker.model_validate_json(row.identity) if row.identity else None


def _named(row: LeaseRow) -> str:
    return str(_identity(row) or "an unknown worker")


def _is_neighbour(row: LeaseRow) -> bool:
    worker = _identity(row)
    return worker is not None and processes.is_neighbour(worker)


def is_gone_for_certain(row: LeaseRow) -> bool:
    """Tell whether the holder was a process of this machine that runs no more."""
    worker = _identity(row)
    return worker is not None and processes.is_neighbour(worker) and not processes.is_alive(worker)


def _stands_still(row: LeaseRow) -> bool:
    """Tell whether a neighbour lives but has not beaten for its lease's time, as one that hangs."""
    if row.beat is None or row.lease_s is None or not _is_neighbour(row):
        return False
    return time.monotonic() - row.beat > row.lease_s
