"""Leases beside the events in one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from resumelog.infrastructure.storage.connections import Connections, connect, translated
from resumelog.infrastructure.storage.leases import LeaseRow


class SQLiteLeaseTable:
    """The tables `leases` and `workers`, written without a sync of their own.

    synchronous=NORMAL: what is written survives a kill. A power loss ends every holder anyway,
    and an epoch that was used stands in the log.
    """

    def __init__(self, db_name: str) -> None:
        """Share no connection with the log, whose durability is another."""
        self._db_name = db_name
        self._connections = Connections(lambda: connect(db_name, synchronous="NORMAL"))

    def read(self, stream: UUID) -> LeaseRow | None:
        """Return the stream's lease."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT epoch, leases.holder, in_flight, identity, coalesce(beat, 0)"
                " FROM leases LEFT JOIN workers ON leases.holder = workers.holder"
                " WHERE originator_id = ?",
                (stream.hex,),
            ).fetchone()
        return LeaseRow(*row) if row else None

    def take(self, stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        """Hold the lease if it still is as `before`."""
        with self._connection() as connection:
            if before is None:
                cursor = connection.execute(
                    "INSERT INTO leases VALUES (?, ?, ?, '[]') ON CONFLICT DO NOTHING",
                    (stream.hex, epoch, holder),
                )
            else:
                cursor = connection.execute(
                    "UPDATE leases SET epoch = ?, holder = ?"
                    " WHERE originator_id = ? AND epoch = ? AND holder IS ?",
                    (epoch, holder, stream.hex, before.epoch, before.holder),
                )
            return bool(cursor.rowcount)

    def write_in_flight(self, stream: UUID, epoch: int, in_flight: str) -> None:
        """Note what is in flight."""
        self._update("in_flight = ?", stream, epoch, in_flight)

    def give_back(self, stream: UUID, epoch: int) -> None:
        """Let nobody hold it."""
        self._update("holder = NULL, in_flight = '[]'", stream, epoch)

    def beat(self, holder: str, identity: str, beat: int) -> None:
        """Write a heartbeat."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO workers VALUES (?, ?, ?)"
                " ON CONFLICT (holder) DO UPDATE SET beat = excluded.beat",
                (holder, identity, beat),
            )

    def leave(self, holder: str) -> None:
        """Give back all that a holder still has, and forget it."""
        with self._connection() as connection:
            connection.execute("UPDATE leases SET holder = NULL WHERE holder = ?", (holder,))
            connection.execute("DELETE FROM workers WHERE holder = ?", (holder,))

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _update(self, change: str, stream: UUID, epoch: int, *values: str) -> None:
        with self._connection() as connection:
            connection.execute(
                f"UPDATE leases SET {change} WHERE originator_id = ? AND epoch = ?",
                (*values, stream.hex, epoch),
            )

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        with translated(self._db_name), self._connections.loan() as connection:
            yield connection
