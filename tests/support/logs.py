"""Logs of every store, opened by as many handles as a test wants, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

import resumelog
from resumelog import Batch, ResumeLog
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.events import DomainEvent, Events
from resumelog.domain.values import Claim
from resumelog.infrastructure.settings import Settings
from resumelog.infrastructure.storage.leases import TableLeases
from resumelog.infrastructure.storage.memory_jobs import MemoryJobsView

UNITS = 10


class Store:
    """One store; each `open` is a handle with a worker of its own."""

    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root = url, root
        self._handles: list[ResumeLog] = []

    def open(self, lease_s: float = 15.0) -> ResumeLog:
        """Return one more handle; those of a store in memory share its events and leases."""
        if self.url == "memory:" and self._handles:
            first = self._handles[0]
            leases = TableLeases(first.leases.table, lease_s)
            handle = ResumeLog(first.log, MemoryJobsView(), leases, first.clock, self.root)
        else:
            handle = resumelog.open(self.url, root=self.root, settings=Settings(lease_s=lease_s))
        self._handles.append(handle)
        return handle

    def close(self) -> None:
        """Close every handle, the newest first."""
        while self._handles:
            self._handles.pop().close()


def events_of(log: ResumeLog, job: EventSourced | str) -> list[DomainEvent]:
    """Return a job's whole history."""
    state = log.queries.find(job) if isinstance(job, str) else job
    return [*log.log.history(state.id)]


def names_of(log: ResumeLog, job: EventSourced | str) -> list[str]:
    """Return the names of a job's events, oldest first."""
    return [type(event).__name__ for event in events_of(log, job)]


def take_over(log: ResumeLog, job: EventSourced, begin: Callable[[Any, Claim], Events]) -> None:
    """Begin as another worker, whoever is at it."""
    claim = log.leases.acquire(job.id, job.title, 0, force=True)
    log.log.decide(log.log.recover(job), lambda state: begin(state, claim))


def scenes(*keys: object, **fields: JsonValue) -> list[JsonValue]:
    """Return one scene a key."""
    return [{"id": str(key), "text": f"第 {key} 场 🎬", **fields} for key in keys]


def leave_by(end: BaseException | None) -> None:
    """Raise what ends the work, if something does."""
    if end:
        raise end


def make_units(
    log: ResumeLog,
    output: Path,
    *,
    until: int = UNITS,
    end: BaseException | None = None,
    **options: Any,
) -> list[int]:
    """Make the units that are left of `output`, and return them; leave before `until` by `end`."""
    made: list[int] = []
    try:
        with log.exports.resume(output, **options) as export:
            for unit in export.remaining(UNITS):
                if unit == until:
                    leave_by(end)
                    break
                export.save_progress(units_done=unit + 1, cursor={"帧": unit})
                made.append(unit)
            else:
                output.write_bytes(b"frames" * UNITS)
    except BaseException as error:
        if error is not end:
            raise
    return made


def make_scenes(
    batch: Batch,
    *,
    fails: Sequence[str] = (),
    dies_at: str | None = None,
    result: Callable[[str], JsonValue] = "《{}》".format,
) -> list[str]:
    """Make the scenes that are left, and return the keys that were begun."""
    begun: list[str] = []
    try:
        with batch:
            for scene in batch.remaining():
                batch.begun(scene)
                begun.append(scene.key)
                if scene.key == dies_at:
                    leave_by(KeyboardInterrupt())
                if scene.key in fails:
                    batch.fail(scene, RuntimeError("渲染失败"))
                else:
                    batch.complete(scene, result(scene.key))
    except KeyboardInterrupt:
        assert dies_at in begun
    return begun
