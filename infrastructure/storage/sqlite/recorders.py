"""Recorders of events and of tracking in one SQLite database."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import eventsourcing.sqlite as stock
from eventsourcing import persistence
from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
    Tracking,
)

from resumelog.application.errors import PayloadGone
from resumelog.application.ports import EventRow, InFlightNote
from resumelog.domain.seals import NO_SEAL
from resumelog.infrastructure.storage.events_from_rows import EventsFromRows
from resumelog.infrastructure.storage.heads import Heads, Unsealed, as_text, unsealed
from resumelog.infrastructure.storage.mapper import StoredEventWithPayload, StoredRemoval
from resumelog.infrastructure.storage.sqlite import schema
from resumelog.infrastructure.storage.sqlite.audit import SealedReads
from resumelog.infrastructure.storage.sqlite.datastore import Datastore
from resumelog.infrastructure.storage.sqlite.leases import WRITE_IN_FLIGHT
from resumelog.infrastructure.storage.sqlite.wakes import SQLiteSubscription

REMOVE_PAYLOADS = (
    "DELETE FROM payloads WHERE position IN (SELECT position FROM stored_events"
    " WHERE originator_id = ? AND originator_version < ?)"
)

VERSION_MIN, VERSION_MAX = -(2**63), 2**63 - 1


class AggregateRecorder(EventsFromRows, stock.SQLiteAggregateRecorder):
    """Events by stream and version."""

    datastore: Datastore

    def __init__(self, datastore: Datastore, events_table_name: str = "stored_events") -> None:
        """Write to this table."""
        super().__init__(datastore, events_table_name)
        self._heads = Heads()
        self.insert_events_statement = (
            f"INSERT INTO {events_table_name}"
            " (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """Return the table; `stored_events` is there by migration, and made by nothing else."""
        if self.events_table_name == "stored_events":
            return []
        return [schema.EVENTS.format(table=self.events_table_name)]

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append in one durable transaction. Raises IntegrityError for a version that is taken."""
        self._append(stored_events, **kwargs)
        return None

    def _append(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        note: InFlightNote | None = None,
        **kwargs: Any,
    ) -> Sequence[int]:
        rows, seals = unsealed(stored_events), list[bytes]()
        insert = partial(self._insert_sealed, stored_events, rows, seals, **kwargs)
        if note:
            work = partial(_insert_with_note, insert, note)
            positions, note.is_written = self.datastore.write(work)
        else:
            # One statement is atomic: of two that follow one head, the table lets one in.
            is_one = len(rows) == 1 and type(stored_events[0]) is StoredEvent and not kwargs
            positions = self.datastore.write(insert, is_atomic=is_one)
        self._heads.remember(rows, seals)
        return positions

    def _insert_sealed(
        self,
        stored_events: Sequence[StoredEvent],
        rows: list[Unsealed],
        seals: list[bytes],
        c: Any,
        **_: Any,
    ) -> list[int]:
        """Insert each event with its seal, which also goes into `seals`; return their positions."""
        seals[:] = self._heads.seals(rows, partial(self._newest_seal, c))
        positions = []
        for stored, row, own in zip(stored_events, rows, seals, strict=True):
            c.execute(self.insert_events_statement, (*row, own))
            positions.append(c.lastrowid)
            if isinstance(stored, StoredEventWithPayload):
                c.execute("INSERT INTO payloads VALUES (?, ?)", (c.lastrowid, stored.payload))
            elif isinstance(stored, StoredRemoval):
                c.execute(REMOVE_PAYLOADS, row[:2])
        return positions

    def _newest_seal(self, c: Any, stream: str, _: int) -> bytes:
        statement = (
            f"SELECT seal FROM {self.events_table_name} WHERE originator_id = ?"
            " ORDER BY originator_version DESC LIMIT 1"
        )
        row = c.execute(statement, (stream,)).fetchone()
        return row[0] if row else NO_SEAL

    def select_rows(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[EventRow]:
        """Read a stream's events as plain rows of version, topic and state."""
        statement = (
            f"SELECT originator_version, topic, state FROM {self.events_table_name}"
            " WHERE originator_id = ? AND originator_version > ? AND originator_version <= ?"
            f" ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT ?"
        )
        bounds = (VERSION_MIN if gt is None else gt, VERSION_MAX if lte is None else lte)
        values = (as_text(originator_id), *bounds, -1 if limit is None else limit)
        with self.datastore.transaction(commit=False) as c:
            rows: Sequence[EventRow] = c.execute(statement, values).fetchall()
        return rows

    def last_origin(self, originator_id: UUID) -> int | None:
        """Return the version of the newest origin in a stream; None where there is none."""
        with self.datastore.transaction(commit=False) as c:
            (version,) = c.execute(
                "SELECT MAX(originator_version) FROM stored_events"
                f" WHERE originator_id = ? AND {schema.IS_ORIGIN}",
                (as_text(originator_id),),
            ).fetchone()
        found: int | None = version
        return found

    def select_versions(
        self, originator_id: UUID | str, versions: Sequence[int]
    ) -> Sequence[EventRow]:
        """Read the events with these versions, as plain rows in the order of their versions."""
        statement = (
            f"SELECT originator_version, topic, state FROM {self.events_table_name}"
            " WHERE originator_id = ? AND originator_version IN (SELECT value FROM json_each(?))"
            " ORDER BY originator_version"
        )
        with self.datastore.transaction(commit=False) as c:
            rows: Sequence[EventRow] = c.execute(
                statement, (as_text(originator_id), json.dumps(versions))
            ).fetchall()
        return rows

    def select_payload(self, originator_id: UUID, version: int) -> bytes:
        """Return the stored bytes of an event's payload. Raises PayloadGone."""
        with self.datastore.transaction(commit=False) as c:
            row = c.execute(
                "SELECT content FROM payloads JOIN stored_events USING (position)"
                " WHERE originator_id = ? AND originator_version = ?",
                (as_text(originator_id), version),
            ).fetchone()
        if row is None:
            raise PayloadGone(stream=originator_id, version=version)
        content: bytes = row[0]
        return content

    def count_payloads(self, originator_id: UUID) -> tuple[int, int]:
        """Return how many payloads a stream has, and their bytes."""
        with self.datastore.transaction(commit=False) as c:
            count, size = c.execute(
                "SELECT count(*), coalesce(sum(length(content)), 0)"
                " FROM payloads JOIN stored_events USING (position) WHERE originator_id = ?",
                (as_text(originator_id),),
            ).fetchone()
        return count, size


def _insert_with_note(
    insert: Callable[[Any], list[int]], note: InFlightNote, c: Any
) -> tuple[list[int], bool]:
    """Insert events, note what is in flight, and tell whether the lease still had its epoch."""
    positions = insert(c)
    c.execute(WRITE_IN_FLIGHT, (note.in_flight, note.stream.hex, note.epoch))
    return positions, bool(c.rowcount)


class ApplicationRecorder(AggregateRecorder, SealedReads, stock.SQLiteApplicationRecorder):
    """The same, and every event by its position, which is never reused."""

    def __init__(self, datastore: Datastore, events_table_name: str = "stored_events") -> None:
        """Count positions by the column of that name."""
        super().__init__(datastore, events_table_name)
        self.select_max_notification_id_statement = f"SELECT MAX(position) FROM {events_table_name}"

    insert_events = AggregateRecorder._append
    """The same, and return the events' positions."""

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[persistence.ApplicationRecorder]:
        """Return an iterator over the events after position `gt`, which waits for new ones."""
        return SQLiteSubscription(self, self.datastore.wakes, gt, topics)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Read events in the order of their positions."""
        first = start if start is not None else 0
        wanted = f" AND topic IN ({','.join('?' * len(topics))})" if topics else ""
        statement = (
            "SELECT position, originator_id, originator_version, topic, state"
            f" FROM {self.events_table_name}"
            f" WHERE position {'>=' if inclusive_of_start else '>'} ?"
            f" AND position <= ?{wanted} ORDER BY position LIMIT ?"
        )
        last = stop if stop is not None else 2**63 - 1
        with self.datastore.transaction(commit=False) as c:
            rows = c.execute(statement, (first, last, *topics, limit)).fetchall()
        return [
            Notification(self.convert_originator_id(stream), version, topic, state, position)
            for position, stream, version, topic, state in rows
        ]


class TrackingRecorder(stock.SQLiteTrackingRecorder):
    """How far each follower is, in the stock's table."""

    def create_table(self) -> None:
        """Make the table, if it is missing."""
        try:
            super().create_table()
        except IntegrityError:
            super().create_table()  # another process made it meanwhile; now it is found


class ProcessRecorder(TrackingRecorder, ApplicationRecorder, persistence.ProcessRecorder):
    """Events and tracking in one transaction."""

    def _insert_sealed(
        self,
        stored_events: Sequence[StoredEvent],
        rows: list[Unsealed],
        seals: list[bytes],
        c: Any,
        *,
        tracking: Tracking | None = None,
        **_: Any,
    ) -> list[int]:
        positions = super()._insert_sealed(stored_events, rows, seals, c)
        if tracking is not None:
            self._insert_tracking(c, tracking)
        return positions
