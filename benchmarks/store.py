"""What one durable save and one replayed event cost, beside the disk's own limit."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from eventsourcing.persistence import StoredEvent

import resumelog
from benchmarks.measuring import medians, show
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.bootstrap import ResumeLog
from resumelog.infrastructure.storage.connections import connect
from resumelog.infrastructure.storage.schema import EVENTS

SAVES = 200
REPLAYED = 20_000
STATE = b'{"timestamp":"2026-01-01T00:00:00.000000Z","epoch":1,"progress":0.5,"units_done":1}'


def measure() -> None:
    """Print both tables. The folder is the current one: what its disk can do is the limit."""
    with (
        TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        resumelog.open(Path(folder, "jobs.db")) as log,
    ):
        _saves(log, Path(folder))
        _replay(log)


def _saves(log: ResumeLog, folder: Path) -> None:
    bare = connect(str(folder / "bare.db"))
    bare.execute(EVENTS.format(table="stored_events"))
    raw = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    streams = iter(range(10**6))
    variants = {
        "raw append + fsync": lambda: _raw(raw),
        "bare sqlite3 commit": lambda: _bare(bare, next(streams)),
        "resumelog save": lambda: _saved(log, f"job {next(streams)}"),
    }
    show("One durable save", medians(variants), "bare sqlite3 commit")
    os.close(raw)
    bare.close()


def _replay(log: ResumeLog) -> None:
    with log.exports.resume("/replayed", key="replayed") as job:
        job.remaining(REPLAYED)
        for unit in range(REPLAYED):
            job.save_progress(units_done=unit + 1, units_total=REPLAYED)
    stream = ExportJob.named("replayed").id
    variants = {
        "select + json.loads": lambda: _decoded(log.log.recorder.select_events(stream)),
        "resumelog replay": lambda: log.log.recover(ExportJob.named("replayed")).version,
    }
    show("One replayed event", medians(variants), "select + json.loads")


def _raw(descriptor: int) -> int:
    for _ in range(SAVES):
        os.write(descriptor, STATE)
        os.fsync(descriptor)
    return SAVES


def _bare(connection: sqlite3.Connection, stream: int) -> int:
    for version in range(SAVES):
        row = (f"{stream:032x}", version, "resumelog.ExportJob.ProgressSaved", STATE, bytes(32))
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO stored_events"
            " (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)",
            row,
        )
        connection.execute("COMMIT")
    return SAVES


def _saved(log: ResumeLog, key: str) -> int:
    with log.exports.resume(f"/{key}", key=key) as job:
        for unit in job.remaining(SAVES):
            job.save_progress(units_done=unit + 1)
    return SAVES


def _decoded(stored: Sequence[StoredEvent]) -> int:
    return len([json.loads(event.state) for event in stored])
