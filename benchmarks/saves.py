"""What one durable save costs: alone, among sixteen threads, and late in a long stream."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime
from functools import partial
from pathlib import Path

import resumelog
from benchmarks.measuring import medians, show
from resumelog.application.export_jobs import Export
from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.events import Events
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.bootstrap import ResumeLog
from resumelog.infrastructure.storage.sqlite.connections import connect
from resumelog.infrastructure.storage.sqlite.schema import EVENTS

SAVES = 200
THREADS = 16
EARLY, LATE = 100, 100_000
STATE = b'{"timestamp":"2026-01-01T00:00:00.000000Z","epoch":1,"progress":0.5,"units_done":1}'


def measure(folder: Path) -> None:
    """Print one save beside its peers, many threads, and a late save beside an early one."""
    with resumelog.open(folder / "saves.db") as log:
        _one_save(log, folder)
        _many_threads(log)
        _late_save(log)


def _one_save(log: ResumeLog, folder: Path) -> None:
    with (
        closing(connect(str(folder / "bare.db"))) as bare,
        (folder / "raw").open("ab", buffering=0) as raw,
        log.exports.resume("/one", key="one save") as job,
    ):
        bare.execute(EVENTS.format(table="stored_events"))
        versions, units = iter(range(10**9)), iter(range(1, 10**9))
        variants: dict[str, Callable[[], int]] = {
            "raw append + fsync": lambda: _raw(raw.fileno()),
            "bare sqlite3 commit": lambda: _bare(bare, versions),
            "resumelog save": lambda: _saved(job, units, SAVES),
        }
        show("One durable save", medians(variants, rounds=15), "bare sqlite3 commit")


def _many_threads(log: ResumeLog) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(THREADS) as pool:
        jobs = [
            (stack.enter_context(log.exports.resume(f"/{n}", key=f"thread {n}")), _units())
            for n in range(THREADS)
        ]

        def together() -> int:
            return sum(pool.map(_saved, *zip(*jobs, strict=True), [SAVES] * THREADS))

        variants: dict[str, Callable[[], int]] = {
            "one thread": lambda: _saved(*jobs[0], SAVES),
            f"{THREADS} threads on {THREADS} streams": together,
        }
        show("One durable save among threads", medians(variants), "one thread")


def _late_save(log: ResumeLog) -> None:
    with (
        log.exports.resume("/early", key="early") as early,
        log.exports.resume("/late", key="late") as late,
    ):
        _fill(log, "early", EARLY)
        _fill(log, "late", LATE)
        after_early, after_late = iter(range(EARLY, 10**9)), iter(range(LATE, 10**9))
        for job, units in ((early, after_early), (late, after_late)):
            _saved(job, units, 1)  # reads up what was filled in
        took: dict[str, list[float]] = {f"number {EARLY}": [], f"number {LATE}": []}
        for _ in range(SAVES * 5):
            took[f"number {EARLY}"].append(_timed(early, after_early))
            took[f"number {LATE}"].append(_timed(late, after_late))
    measured = {name: statistics.median(each) for name, each in took.items()}
    show("One durable save of a long stream", measured, f"number {EARLY}")


def _fill(log: ResumeLog, key: str, events: int) -> None:
    """Append so many events in a few transactions, as the job's worker."""
    state = log.log.recover(ExportJob.named(key))
    for first in range(1, events + 1, 1000):
        last = min(first + 999, events)
        drafts = [
            draft(
                ProgressSaved,
                epoch=state.epoch,
                progress=n / 10**9,
                units_done=n,
                units_total=10**9,
            )
            for n in range(first, last + 1)
        ]
        log.log.decide(state, partial(_all_at_once, drafts, log.clock.now()))


def _all_at_once(drafts: Sequence[Draft], at: datetime, job: ExportJob) -> Events:
    return job.new(at, *drafts)


def _units() -> Iterator[int]:
    return iter(range(1, 10**9))


def _saved(job: Export, units: Iterator[int], count: int) -> int:
    for _ in range(count):
        job.save_progress(units_done=next(units), units_total=10**9)
    return count


def _timed(job: Export, units: Iterator[int]) -> float:
    start = time.perf_counter()
    _saved(job, units, 1)
    return time.perf_counter() - start


def _raw(descriptor: int) -> int:
    for _ in range(SAVES):
        os.write(descriptor, STATE)
        os.fsync(descriptor)
    return SAVES


def _bare(connection: sqlite3.Connection, versions: Iterator[int]) -> int:
    for _ in range(SAVES):
        row = ("0" * 32, next(versions), "resumelog.ExportJob.ProgressSaved", STATE, bytes(32))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO stored_events"
            " (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)",
            row,
        )
        connection.execute("COMMIT")
    return SAVES
