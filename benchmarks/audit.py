"""What an audit of 200 000 events costs, beside a loop that only selects them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from eventsourcing.persistence import StoredEvent

import resumelog
from benchmarks.measuring import medians, show
from resumelog.domain.export_events import ProgressSaved

EVENTS = 200_000
STREAMS = 100
BATCH = 2_000
BUDGET_PER_S = 200_000
STATE = b'{"timestamp":"2026-01-01T00:00:00.000000Z","epoch":1,"progress":0.5,"units_done":%d}'
SELECT = "SELECT * FROM stored_events WHERE position > ? ORDER BY position LIMIT 1000"


def measure() -> None:
    """Print the table, and the events a second."""
    with (
        TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        resumelog.open(Path(folder, "jobs.db")) as log,
    ):
        for start in range(0, EVENTS, BATCH):
            log.log.recorder.insert_events([*_events(start)])
        variants = {
            "select": lambda: _selected(Path(folder, "jobs.db")),
            "resumelog verify": lambda: log.audit.verify().events,
            "resumelog seal heads, a stream": lambda: len([*log.audit.heads()]),
        }
        measured = medians(variants)
    show("One audited event", measured, "select")
    rate = 1 / measured["resumelog verify"]
    print(f"{rate:,.0f} events/s (budget: at least {BUDGET_PER_S:,})")


def _events(start: int) -> Iterator[StoredEvent]:
    for number in range(start, start + BATCH):
        version, stream = divmod(number, STREAMS)
        stream_id = UUID(int=stream + 1)
        yield StoredEvent(stream_id, version + 1, ProgressSaved.TOPIC, STATE % number)


def _selected(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        position = count = 0
        while rows := connection.execute(SELECT, (position,)).fetchall():
            position = rows[-1][0]
            count += len(rows)
    return count
