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
from resumelog.application.export import Export
from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.events import Events
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import ExportJob, Report
from resumelog.infrastructure.bootstrap import ResumeLog
from resumelog.infrastructure.storage.sqlite.connections import connect

SAVES = 200
THREADS = 16
EARLY, LATE = 100, 100_000


def measure(folder: Path) -> None:
    """Print one save beside its peers, many threads, and a late save beside an early one."""
    with resumelog.open(folder / "saves.db") as log:
        _one_save(log, folder)
        _many_threads(log)
        _late_save(log)


def _one_save(log: ResumeLog, folder: Path) -> None:
    resumelog.open(folder / "bare.db").close()  # the same schema
    with (
        closing(connect(str(folder / "bare.db"))) as bare,
        (folder / "raw").open("ab", buffering=0) as raw,
        log.exports.resume("/one", key="one save") as job,
    ):
        versions, units = iter(range(10**9)), iter(range(1, 10**9))
        _saved(job, units, 1)
        row = _newest_row(folder / "saves.db")
        variants: dict[str, Callable[[], int]] = {
            "raw append + fsync": lambda: _raw(raw.fileno(), row["state"]),
            "bare sqlite3 commit": lambda: _bare(bare, row, versions),
            "resumelog, a command decided": lambda: _decided(log, job, units),
            "resumelog, a worker's save_progress": lambda: _saved(job, units, SAVES),
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


def _decided(log: ResumeLog, job: Export, units: Iterator[int]) -> int:
    state, claim, at = job._running.state, job._running.claim, log.clock.now()
    assert claim
    for _ in range(SAVES):
        report = Report(0.0, next(units), 10**9)
        log.log.decide(state, lambda job: job.save_progress(report, claim, at))  # noqa: B023 - decided at once
    return SAVES


def _timed(job: Export, units: Iterator[int]) -> float:
    start = time.perf_counter()
    _saved(job, units, 1)
    return time.perf_counter() - start


def _newest_row(database: Path) -> sqlite3.Row:
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        newest = "SELECT * FROM stored_events ORDER BY position DESC LIMIT 1"
        row: sqlite3.Row = connection.execute(newest).fetchone()
        return row


def _raw(descriptor: int, state: bytes) -> int:
    for _ in range(SAVES):
        os.write(descriptor, state)
        os.fsync(descriptor)
    return SAVES


def _bare(connection: sqlite3.Connection, row: sqlite3.Row, versions: Iterator[int]) -> int:
    _, stream, _, topic, state, seal = row
    for _ in range(SAVES):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO stored_events"
            " (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)",
            (stream, next(versions), topic, state, seal),
        )
        connection.execute("COMMIT")
    return SAVES
