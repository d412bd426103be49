"""What one replayed event costs, beside the library's own aggregate and a bare loop."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

import resumelog
from benchmarks.measuring import medians, show
from resumelog.domain.aggregate import draft
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.bootstrap import ResumeLog

EVENTS = 50_000
PEER = "stock @event aggregate and repository"


class StockJob(Aggregate):
    """The same job as eventsourcing's documentation writes one."""

    @event("Started")
    def __init__(self, key: str) -> None:
        """Begin at 0."""
        self.key, self.progress, self.units_done, self.units_total = key, 0.0, 0, 0

    @event("ProgressSaved")
    def save_progress(self, progress: float, units_done: int, units_total: int) -> None:
        """Record how far it is."""
        self.progress, self.units_done, self.units_total = progress, units_done, units_total


def measure(folder: Path) -> None:
    """Print the time for one event of EVENTS ProgressSaved of one stream."""
    stock = Application[UUID](
        env={
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(folder / "stock.db"),
        }
    )
    job = StockJob("replayed")
    for unit in range(EVENTS):
        job.save_progress((unit + 1) / EVENTS, unit + 1, EVENTS)
    stock.save(job)
    with (
        resumelog.open(folder / "replayed.db") as log,
        closing(sqlite3.connect(folder / "replayed.db", cached_statements=128)) as bare,
    ):
        _fill(log)
        variants: dict[str, Callable[[], int]] = {
            PEER: lambda: _version(stock.repository.get(job.id)),
            "select + json.loads": lambda: _decoded(bare),
            "resumelog replay": lambda: log.log.recover(ExportJob.named("replayed")).version,
        }
        show("One replayed event", medians(variants, rounds=11), PEER)
    stock.close()


def _version(job: Aggregate) -> int:
    return job.version


def _fill(log: ResumeLog) -> None:
    with log.exports.resume("/replayed", key="replayed"):
        state = log.log.recover(ExportJob.named("replayed"))
        drafts = [
            draft(ProgressSaved, epoch=1, progress=n / EVENTS, units_done=n, units_total=EVENTS)
            for n in range(1, EVENTS + 1)
        ]
        log.log.decide(state, lambda job: job.new(log.clock.now(), *drafts))


def _decoded(connection: sqlite3.Connection) -> int:
    rows = connection.execute(
        "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ?"
        " ORDER BY originator_version",
        (ExportJob.named("replayed").id.hex,),
    )
    return len([json.loads(state) for _, _, state in rows])
