"""Leases beside the events in one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from resumelog.infrastructure.storage.lease_table import NOTHING, LeaseRow
from resumelog.infrastructure.storage.sqlite.connections import Connections, connect
from resumelog.infrastructure.storage.sqlite.datastore import Datastore
from resumelog.infrastructure.storage.sqlite.errors import translated

WRITE_IN_FLIGHT = "UPDATE leases SET in_flight = ? WHERE originator_id = ? AND epoch = ?"


class SQLiteLeaseTable:
    """The tables `leases` and `workers`, written without a sync of their own.

    synchronous=NORMAL: what is written survives a kill. A power loss ends every holder anyway,
    and an epoch that was used stands in the log.
    """

    def __init__(self, datastore: Datastore) -> None:
        """Share no connection with the log, whose durability is another."""
        self._db_name, self._file = datastore.db_name, datastore.file
        self._connections = Connections(lambda: connect(self._db_name, synchronous="NORMAL"))

    def read(self, stream: UUID) -> LeaseRow | None:
        """Return the stream's lease."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT epoch, leases.holder, in_flight, identity, beat, lease_s"
                " FROM leases LEFT JOIN workers ON leases.holder = workers.holder"
                " WHERE originator_id = ?",
                (stream.hex,),
            ).fetchone()
        return LeaseRow(*row) if row else None

    def at_work(self) -> list[tuple[UUID, LeaseRow]]:
        """Return the streams whose holder noted something in flight."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT originator_id, epoch, leases.holder, in_flight, identity, beat, lease_s"
                " FROM leases JOIN workers ON leases.holder = workers.holder"
                " WHERE in_flight != ?",
                (NOTHING,),
            ).fetchall()
        return [(UUID(stream), LeaseRow(*row)) for stream, *row in rows]

    def take(self, stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        """Hold the lease if it and its holder's heartbeat still are as `before`."""
        with self._connection() as connection:
            if before is None:
                cursor = connection.execute(
                    "INSERT INTO leases VALUES (?, ?, ?, '[]') ON CONFLICT DO NOTHING",
                    (stream.hex, epoch, holder),
                )
            else:
                cursor = connection.execute(
                    "UPDATE leases SET epoch = :new_epoch, holder = :new_holder"
                    " WHERE originator_id = :stream AND epoch = :epoch AND holder IS :holder"
                    " AND (:beat IS NULL"
                    " OR :beat = (SELECT beat FROM workers WHERE workers.holder = :holder))",
                    {
                        "new_epoch": epoch,
                        "new_holder": holder,
                        "stream": stream.hex,
                        **before._asdict(),
                    },
                )
                connection.execute(
                    "DELETE FROM workers WHERE holder = :holder AND :beat IS NOT NULL"
                    " AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.holder = workers.holder)",
                    before._asdict(),
                )
            return bool(cursor.rowcount)

    def write_in_flight(self, stream: UUID, epoch: int, in_flight: str) -> bool:
        """Note what is in flight."""
        return self._written(WRITE_IN_FLIGHT, (in_flight, stream.hex, epoch))

    def give_back(self, stream: UUID, epoch: int) -> None:
        """Let nobody hold it."""
        self._written(
            "UPDATE leases SET holder = NULL WHERE originator_id = ? AND epoch = ?",
            (stream.hex, epoch),
        )

    def beat(self, holder: str, identity: str, beat: float, lease_s: float) -> None:
        """Write a heartbeat."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO workers VALUES (?, ?, ?, ?)"
                " ON CONFLICT (holder) DO UPDATE SET beat = excluded.beat",
                (holder, identity, beat, lease_s),
            )

    def leave(self, holder: str) -> None:
        """Give back all that a holder still has, and forget it."""
        with self._connection() as connection:
            connection.execute("UPDATE leases SET holder = NULL WHERE holder = ?", (holder,))
            connection.execute("DELETE FROM workers WHERE holder = ?", (holder,))

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _written(self, statement: str, values: tuple[str | int, ...]) -> bool:
        with self._connection() as connection:
            return bool(connection.execute(statement, values).rowcount)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        with translated(self._db_name), self._connections.loan() as connection:
            self._file.require_same()
            yield connection
