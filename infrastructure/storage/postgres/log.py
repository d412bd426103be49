"""The statements on one application's log: append sealed events and payloads, read them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg import Connection, Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from resumelog.application.errors import LostEvents
from resumelog.application.ports import InFlightNote
from resumelog.domain.seals import NO_SEAL
from resumelog.infrastructure.storage.heads import Heads, Unsealed, unsealed
from resumelog.infrastructure.storage.mapper import StoredEventWithPayload, StoredRemoval
from resumelog.infrastructure.storage.postgres.schema import Tables

Row = tuple[Any, ...]


class SealedLog:
    """What is prepared once: a statement's text, and the heads that were committed here."""

    def __init__(self, tables: Tables) -> None:
        """Prepare the statements."""
        self.heads = Heads()
        self._locking = [
            tables.named("LOCK TABLE {events} IN EXCLUSIVE MODE"),
            SQL("NOTIFY {}").format(Identifier(tables.events.replace(".", "_"))).as_string(),
        ]
        self._insert = tables.named(
            "INSERT INTO {events} (originator_id, originator_version, topic, state, seal)"
            " SELECT * FROM unnest"
            "(%s::{id_type}[], %s::bigint[], %s::text[], %b::bytea[], %b::bytea[])"
            " WHERE NOT EXISTS (SELECT FROM unnest(%s::{id_type}[], %s::bigint[], %b::bytea[])"
            " AS head (stream, version, own) WHERE NOT EXISTS (SELECT FROM {events}"
            " WHERE originator_id = stream AND originator_version = version AND seal = own))"
            " RETURNING notification_id"
        )
        self._insert_payloads = tables.named(
            "INSERT INTO {payloads}"
            " SELECT * FROM unnest(%s::{id_type}[], %s::bigint[], %b::bytea[])"
            " AS new (stream, version, content) WHERE EXISTS (SELECT FROM {events}"
            " WHERE originator_id = stream AND originator_version = version)"
        )
        self._remove_payloads = tables.named(
            "DELETE FROM {payloads} WHERE originator_id = %(stream)s::{id_type}"
            " AND originator_version < %(version)s AND EXISTS (SELECT FROM {events}"
            " WHERE originator_id = %(stream)s::{id_type} AND originator_version = %(version)s)"
        )
        self._write_in_flight = tables.named(
            "UPDATE {leases} SET in_flight = %s WHERE originator_id = %s::{id_type} AND epoch = %s"
        )
        self._select_head = tables.named(
            "SELECT originator_version, seal FROM {events} WHERE originator_id = %s::{id_type}"
            " ORDER BY originator_version DESC LIMIT 1"
        )

    def write(self, connection: Connection[Any], note: InFlightNote) -> Cursor[Row]:
        """Note what is in flight; the cursor tells whether the lease still had its epoch."""
        values = (note.in_flight, note.stream.hex, note.epoch)
        return connection.execute(self._write_in_flight, values, prepare=True)

    def append(
        self, connection: Connection[Any], stored_events: Sequence[StoredEvent]
    ) -> tuple[Cursor[Row], list[Unsealed], list[bytes]]:
        """Lock, seal and insert, in a pipeline; the cursor has the positions once it is synced.

        The lock is held until the commit, so that positions become visible in their order.
        """
        for statement in self._locking:
            connection.execute(statement, prepare=True)
        rows = unsealed(stored_events)
        heads = self.heads.followed(rows)
        own = self.heads.seals(rows, partial(self._newest_seal, connection))
        streams, versions, seals = zip(*heads, strict=True) if heads else ((), (), ())
        values = (*columns(stored_events), own, [*streams], [*versions], [*seals])
        cursor = connection.cursor(row_factory=tuple_row)
        cursor.execute(self._insert, values, prepare=True)
        self._change_payloads(connection, stored_events)
        return cursor, rows, own

    def _change_payloads(
        self, connection: Connection[Any], stored_events: Sequence[StoredEvent]
    ) -> None:
        owners = [event for event in stored_events if isinstance(event, StoredEventWithPayload)]
        if owners:
            ids, versions, *_ = columns(owners)
            contents = [event.payload for event in owners]
            connection.execute(self._insert_payloads, (ids, versions, contents), prepare=True)
        for event in stored_events:
            if isinstance(event, StoredRemoval):
                named = {"stream": event.originator_id, "version": event.originator_version}
                connection.execute(self._remove_payloads, named)

    def require_inserted(self, rows: Sequence[Unsealed], inserted: int) -> None:
        """Raise LostEvents where a head that was committed here is not there any more."""
        if inserted < len(rows):
            self.heads.forget(rows)
            raise LostEvents(stream=rows[0][0], version=rows[0][1] - 1)

    def _newest_seal(self, connection: Connection[Any], stream: str, version: int) -> bytes:
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            row = cursor.execute(self._select_head, (stream,), prepare=True).fetchone()
        newest, own = (int(row[0]), bytes(row[1])) if row else (0, NO_SEAL)
        if version > newest + 1:
            raise LostEvents(stream=stream, version=newest + 1)
        return own


def columns(
    stored_events: Sequence[StoredEvent],
) -> tuple[list[UUID | str], list[int], list[str], list[bytes]]:
    """Return the events column by column."""
    return (
        [stored.originator_id for stored in stored_events],
        [stored.originator_version for stored in stored_events],
        [stored.topic for stored in stored_events],
        [stored.state for stored in stored_events],
    )
