"""Leases beside the events in one PostgreSQL schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import tuple_row

from resumelog.infrastructure.storage.lease_table import NOTHING, LeaseRow
from resumelog.infrastructure.storage.postgres.connections import Datastore, patiently
from resumelog.infrastructure.storage.postgres.schema import Tables

UNSYNCED = "WITH unsynced AS (SELECT set_config('synchronous_commit', 'off', true)) "
"""Before one statement that is its own transaction: its commit waits for no sync."""


class PostgresLeaseTable:
    """The tables `{app}_leases` and `{app}_workers`.

    A lease that is taken is synced, since it is rare and a crash of the server must not end it;
    heartbeats and what is in flight are not.
    """

    def __init__(self, datastore: Datastore, tables: Tables) -> None:
        """Use the connections of the log."""
        self.datastore, self._tables = datastore, tables

    @patiently
    def read(self, stream: UUID) -> LeaseRow | None:
        """Return the stream's lease."""
        with self.datastore.get_connection() as connection:
            row = (
                connection.cursor(row_factory=tuple_row)
                .execute(
                    self._tables.named(
                        "SELECT epoch, {leases}.holder, in_flight, identity, beat, lease_s"
                        " FROM {leases} LEFT JOIN {workers} USING (holder) WHERE originator_id = %s"
                    ),
                    (self._column(stream),),
                )
                .fetchone()
            )
        return LeaseRow(*row) if row else None

    @patiently
    def at_work(self) -> list[tuple[UUID, LeaseRow]]:
        """Return the streams whose holder noted something in flight."""
        with self.datastore.get_connection() as connection:
            rows = (
                connection.cursor(row_factory=tuple_row)
                .execute(
                    self._tables.named(
                        "SELECT originator_id::text, epoch, holder, in_flight, identity, beat,"
                        " lease_s FROM {leases} JOIN {workers} USING (holder)"
                        " WHERE in_flight != %s"
                    ),
                    (NOTHING,),
                )
                .fetchall()
            )
        return [(UUID(stream), LeaseRow(*row)) for stream, *row in rows]

    @patiently
    def take(self, stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        """Hold the lease if it and its holder's heartbeat still are as `before`."""
        new = {"stream": self._column(stream), "new_epoch": epoch, "new_holder": holder}
        if before is None:
            return self._written(
                "INSERT INTO {leases} VALUES (%(stream)s, %(new_epoch)s, %(new_holder)s, '[]')"
                " ON CONFLICT DO NOTHING",
                new,
            )
        taken = self._written(
            "UPDATE {leases} SET epoch = %(new_epoch)s, holder = %(new_holder)s"
            " WHERE originator_id = %(stream)s AND epoch = %(epoch)s"
            " AND holder IS NOT DISTINCT FROM %(holder)s AND (%(beat)s::bigint IS NULL"
            " OR %(beat)s = (SELECT beat FROM {workers} WHERE holder = %(holder)s))",
            new | before._asdict(),
        )
        self._written(
            UNSYNCED + "DELETE FROM {workers} USING unsynced WHERE holder = %(holder)s"
            " AND %(beat)s::bigint IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {leases} WHERE {leases}.holder = {workers}.holder)",
            before._asdict(),
        )
        return taken

    @patiently
    def write_in_flight(self, stream: UUID, epoch: int, in_flight: str) -> bool:
        """Note what is in flight."""
        return self._updated("in_flight = %(in_flight)s", stream, epoch, in_flight=in_flight)

    @patiently
    def give_back(self, stream: UUID, epoch: int) -> None:
        """Let nobody hold it."""
        self._updated("holder = NULL", stream, epoch)

    @patiently
    def beat(self, holder: str, identity: str, beat: float, lease_s: float) -> None:
        """Write a heartbeat."""
        self._written(
            UNSYNCED + "INSERT INTO {workers}"
            " SELECT %(holder)s, %(identity)s, %(beat)s, %(lease_s)s FROM unsynced"
            " ON CONFLICT (holder) DO UPDATE SET beat = excluded.beat",
            {"holder": holder, "identity": identity, "beat": beat, "lease_s": lease_s},
        )

    @patiently
    def leave(self, holder: str) -> None:
        """Give back all that a holder still has, and forget it."""
        values = {"holder": holder}
        self._written(
            UNSYNCED + "UPDATE {leases} SET holder = NULL FROM unsynced WHERE holder = %(holder)s",
            values,
        )
        self._written(
            UNSYNCED + "DELETE FROM {workers} USING unsynced WHERE holder = %(holder)s", values
        )

    def close(self) -> None:
        """Leave the connections to the log, whose they are."""

    def _updated(self, change: str, stream: UUID, epoch: int, **values: str) -> bool:
        return self._written(
            UNSYNCED + f"UPDATE {{leases}} SET {change} FROM unsynced"
            " WHERE originator_id = %(stream)s AND epoch = %(epoch)s",
            {"stream": self._column(stream), "epoch": epoch, **values},
        )

    def _written(self, statement: str, values: Mapping[str, Any]) -> bool:
        with self.datastore.get_connection() as connection:
            cursor: Cursor[Any] = connection.execute(self._tables.named(statement), values)
            return bool(cursor.rowcount)

    def _column(self, stream: UUID) -> UUID | str:
        return stream if self.datastore.originator_id_type == "uuid" else stream.hex
