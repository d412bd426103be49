"""SQLite as an eventsourcing store: PERSISTENCE_MODULE=resumelog.infrastructure.storage.sqlite.

WAL and synchronous=FULL: what was committed survives a kill and a power loss. Positions are never
reused, every event is sealed in the transaction that inserts it, and its payload goes with it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Literal
from uuid import UUID

import eventsourcing.sqlite as stock
from eventsourcing import persistence
from eventsourcing.persistence import Mapper, Notification, StoredEvent, Tracking, Transcoder
from eventsourcing.utils import Environment, EnvType

from resumelog.application.errors import PayloadGone
from resumelog.application.ports import SealedRow
from resumelog.domain.seals import NO_SEAL, seal
from resumelog.infrastructure.storage import schema
from resumelog.infrastructure.storage.connections import Connections, connect, translated
from resumelog.infrastructure.storage.lease_table import LeaseTable
from resumelog.infrastructure.storage.mapper import EventMapper, StoredEventWithPayload
from resumelog.infrastructure.storage.sqlite_jobs import SQLiteJobsView
from resumelog.infrastructure.storage.sqlite_leases import SQLiteLeaseTable


class Datastore(stock.SQLiteDatastore):
    """One database file, as the stock recorders want it."""

    def __init__(
        self,
        db_name: str,
        *,
        lock_timeout: int | None = None,
        single_row_tracking: bool = True,
        originator_id_type: Literal["uuid", "text"] = "uuid",
    ) -> None:
        """Open the file and migrate it. Raises NotOurDatabase, NewerSchema, StoreUnavailable."""
        self.db_name = db_name
        self.single_row_tracking = single_row_tracking
        self.originator_id_type = originator_id_type
        self.connections = Connections(lambda: connect(db_name, timeout_s=lock_timeout))
        self._writing = threading.Lock()
        with translated(db_name):
            with closing(sqlite3.connect(db_name)) as unchanged:
                schema.require_ours(unchanged, db_name)
            with self.connections.loan() as connection:
                schema.migrate(connection, db_name)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[Any]:
        """Yield a cursor; a writing transaction is IMMEDIATE, one thread at a time."""
        with translated(self.db_name), self.connections.loan() as connection:
            cursor = connection.cursor()
            try:
                if commit:
                    with self._writing, _committed(connection):
                        yield cursor
                else:
                    yield cursor
            finally:
                cursor.close()

    def close(self) -> None:
        """Wait for the connections to come back and close them."""
        self.connections.close()

    def __del__(self) -> None:
        """Leave it to the interpreter: the stock one closes connections that are in use."""


@contextmanager
def _committed(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class AggregateRecorder(stock.SQLiteAggregateRecorder):
    """Events by stream and version."""

    datastore: Datastore

    def __init__(self, datastore: Datastore, events_table_name: str = "stored_events") -> None:
        """Write to this table."""
        super().__init__(datastore, events_table_name)
        self.insert_events_statement = (
            f"INSERT INTO {events_table_name}"
            " (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """Return the table; `stored_events` is there by migration, and made by nothing else."""
        if self.events_table_name == "stored_events":
            return []
        return [schema.EVENTS.format(table=self.events_table_name)]

    def _insert_events(
        self, c: Any, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        self._insert_sealed(c, stored_events)
        return None

    def _insert_sealed(self, c: Any, stored_events: Sequence[StoredEvent]) -> list[int]:
        heads: dict[str, bytes] = {}
        positions = []
        for stored in stored_events:
            stream = _column(stored.originator_id)
            row = (stream, stored.originator_version, stored.topic, stored.state)
            previous = heads.get(stream)
            heads[stream] = seal(self._head(c, stream) if previous is None else previous, *row)
            c.execute(self.insert_events_statement, (*row, heads[stream]))
            positions.append(c.lastrowid)
            if isinstance(stored, StoredEventWithPayload):
                c.execute("INSERT INTO payloads VALUES (?, ?)", (c.lastrowid, stored.payload))
        return positions

    def _head(self, c: Any, stream: str) -> bytes:
        row = c.execute(
            f"SELECT seal FROM {self.events_table_name} WHERE originator_id = ?"
            " ORDER BY originator_version DESC LIMIT 1",
            (stream,),
        ).fetchone()
        return row[0] if row else NO_SEAL

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Read a stream's events, in the order of their versions."""
        bounds = [
            (" AND originator_version > ?", gt),
            (" AND originator_version <= ?", lte),
            (f" ORDER BY originator_version {'DESC' if desc else 'ASC'}", None),
            (" LIMIT ?", limit),
        ]
        used = [(clause, value) for clause, value in bounds if value is not None or "BY" in clause]
        statement = (
            f"SELECT originator_version, topic, state FROM {self.events_table_name}"
            " WHERE originator_id = ?" + "".join(clause for clause, _ in used)
        )
        values = [value for _, value in used if value is not None]
        with self.datastore.transaction(commit=False) as c:
            rows = c.execute(statement, (_column(originator_id), *values)).fetchall()
        return [StoredEvent(originator_id, *row) for row in rows]

    def select_payload(self, originator_id: UUID, version: int) -> bytes:
        """Return the stored bytes of an event's payload. Raises PayloadGone."""
        with self.datastore.transaction(commit=False) as c:
            row = c.execute(
                "SELECT content FROM payloads JOIN stored_events USING (position)"
                " WHERE originator_id = ? AND originator_version = ?",
                (_column(originator_id), version),
            ).fetchone()
        if row is None:
            raise PayloadGone(stream=originator_id, version=version)
        content: bytes = row[0]
        return content


class ApplicationRecorder(AggregateRecorder, stock.SQLiteApplicationRecorder):
    """The same, and every event by its position, which is never reused."""

    def __init__(self, datastore: Datastore, events_table_name: str = "stored_events") -> None:
        """Count positions by the column of that name."""
        super().__init__(datastore, events_table_name)
        self.select_max_notification_id_statement = f"SELECT MAX(position) FROM {events_table_name}"

    def _insert_events(
        self, c: Any, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int] | None:
        return self._insert_sealed(c, stored_events)

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

    def sealed_by_position(self, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events after a position, in the order of their positions."""
        return self._sealed("position > ? ORDER BY position LIMIT ?", gt, limit)

    def sealed_by_version(self, stream: UUID, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events of a stream after a version, in the order of their versions."""
        where = "originator_id = ? AND originator_version > ? ORDER BY originator_version LIMIT ?"
        return self._sealed(where, stream.hex, gt, limit)

    def _sealed(self, where: str, *values: object) -> Sequence[SealedRow]:
        statement = (
            "SELECT position, originator_id, originator_version, topic, state, seal"
            f" FROM {self.events_table_name} WHERE {where}"
        )
        with self.datastore.transaction(commit=False) as c:
            rows: list[SealedRow] = c.execute(statement, values).fetchall()
        return rows


class TrackingRecorder(stock.SQLiteTrackingRecorder):
    """How far each follower is, in the stock's table."""


class ProcessRecorder(TrackingRecorder, ApplicationRecorder, persistence.ProcessRecorder):
    """Events and tracking in one transaction."""

    def _insert_events(
        self,
        c: Any,
        stored_events: Sequence[StoredEvent],
        *,
        tracking: Tracking | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        positions = super()._insert_events(c, stored_events)
        if tracking is not None:
            self._insert_tracking(c, tracking)
        return positions


class Factory(stock.SQLiteFactory):
    """The stock factory and its environment variables, with these recorders."""

    datastore: Datastore
    aggregate_recorder_class = AggregateRecorder  # type: ignore[assignment]  # narrower datastore
    application_recorder_class = ApplicationRecorder  # type: ignore[assignment]  # narrower datastore
    tracking_recorder_class = TrackingRecorder
    process_recorder_class = ProcessRecorder  # type: ignore[assignment]  # narrower datastore

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the environment as the stock factory does, then open the file."""
        super().__init__(env)
        self.datastore = Datastore(
            self.datastore.pool.db_name,
            lock_timeout=self.datastore.pool.lock_timeout,
            single_row_tracking=self.datastore.single_row_tracking,
            originator_id_type=self.datastore.originator_id_type,
        )

    def mapper(
        self,
        transcoder: Transcoder | None = None,
        mapper_class: type[Mapper[Any]] | None = None,
    ) -> Mapper[Any]:
        """Return the mapper, told that this store keeps payloads aside."""
        mapper: Mapper[Any] = super().mapper(transcoder, mapper_class)
        if isinstance(mapper, EventMapper):
            mapper.keeps_payloads_aside = True
        return mapper

    def lease_table(self) -> LeaseTable:
        """Return who works on what, kept beside the events."""
        return SQLiteLeaseTable(self.datastore.db_name)

    def jobs_view(self) -> SQLiteJobsView:
        """Return the rows of the `jobs` projection, kept beside the events."""
        view = self.tracking_recorder(SQLiteJobsView)
        assert isinstance(view, SQLiteJobsView)
        return view

    def tracking_recorder(
        self, tracking_recorder_class: type[stock.SQLiteTrackingRecorder] | None = None
    ) -> stock.SQLiteTrackingRecorder:
        """Return a tracking recorder; the view of an encrypted log is encrypted too."""
        recorder = super().tracking_recorder(tracking_recorder_class)
        if isinstance(recorder, SQLiteJobsView):
            recorder.cipher = self.cipher()
        return recorder


def _column(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id
