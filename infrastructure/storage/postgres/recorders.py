"""Recorders of events and of tracking in one schema of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import eventsourcing.postgres as stock
from eventsourcing.persistence import Notification, StoredEvent
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg.sql import Composed

from resumelog.application.errors import PayloadGone
from resumelog.application.ports import EventRow, InFlightNote
from resumelog.infrastructure.storage.events_from_rows import EventsFromRows
from resumelog.infrastructure.storage.postgres.audit import SealedReads
from resumelog.infrastructure.storage.postgres.connections import (
    Datastore,
    patiently,
)
from resumelog.infrastructure.storage.postgres.log import SealedLog, columns
from resumelog.infrastructure.storage.postgres.schema import Tables, migrate
from resumelog.infrastructure.storage.postgres.subscription import PostgresSubscription

Row = tuple[Any, ...]


class Alone:
    """Recorders whose tables are made by one process at a time."""

    datastore: Datastore

    def create_table(self) -> None:
        """Make what is missing. Raises NotOurDatabase, NewerSchema and StoreUnavailable."""
        with self.datastore.alone():
            super().create_table()  # type: ignore[misc]  # a stock recorder follows


class AggregateRecorder(EventsFromRows, Alone, stock.PostgresAggregateRecorder):
    """Events by stream and version. Snapshots stay in the stock's table, without seals."""

    datastore: Datastore

    def __init__(
        self, datastore: Datastore, *, events_table_name: str = "stored_events", **more: Any
    ) -> None:
        """Write to this table; a log's own ends in `_events`."""
        super().__init__(datastore, events_table_name=events_table_name, **more)
        self.keeps_log = events_table_name.endswith("_events")
        self.tables = Tables(datastore.schema, events_table_name, datastore.originator_id_type)
        self._log = SealedLog(self.tables)
        self.sql_create_statements = [*filter(self._is_used, self.sql_create_statements)]

    @patiently
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events. Raises IntegrityError, also for what an earlier try has committed."""
        if self.keeps_log:
            self._append(stored_events, **kwargs)
        elif stored_events:
            self._insert_unsealed(stored_events)
        return None

    @patiently
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
        bounds = [("> %s", gt), ("<= %s", lte)]
        used = [(bound, value) for bound, value in bounds if value is not None]
        rows: list[Any] = self._select(
            "SELECT originator_version, topic, state FROM {events} WHERE originator_id = %s"
            + "".join(f" AND originator_version {bound}" for bound, _ in used)
            + f" ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT %s",
            (originator_id, *(value for _, value in used), limit),
        )
        return rows

    @patiently
    def last_origin(self, originator_id: UUID) -> int | None:
        """Return the version of the newest origin in a stream; None where there is none."""
        ((version,),) = self._select(
            "SELECT max(originator_version) FROM {events} WHERE originator_id = %s AND {is_origin}",
            (originator_id,),
        )
        found: int | None = version
        return found

    @patiently
    def select_versions(
        self, originator_id: UUID | str, versions: Sequence[int]
    ) -> Sequence[EventRow]:
        """Read the events with these versions, as plain rows in the order of their versions."""
        rows: list[Any] = self._select(
            "SELECT originator_version, topic, state FROM {events}"
            " WHERE originator_id = %s AND originator_version = ANY(%s)"
            " ORDER BY originator_version",
            (originator_id, [*versions]),
        )
        return rows

    @patiently
    def select_payload(self, originator_id: UUID, version: int) -> bytes:
        """Return the stored bytes of an event's payload. Raises PayloadGone."""
        rows = self._select(
            "SELECT content FROM {payloads} WHERE originator_id = %s AND originator_version = %s",
            (originator_id, version),
        )
        if not rows:
            raise PayloadGone(stream=originator_id, version=version)
        content: bytes = rows[0][0]
        return content

    @patiently
    def count_payloads(self, originator_id: UUID) -> tuple[int, int]:
        """Return how many payloads a stream has, and their bytes."""
        ((count, size),) = self._select(
            "SELECT count(*), coalesce(sum(length(content)), 0)::bigint FROM {payloads}"
            " WHERE originator_id = %s",
            (originator_id,),
        )
        return count, size

    def _append(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        note: InFlightNote | None = None,
        **kwargs: Any,
    ) -> list[int]:
        """Insert and commit, in one round trip where the streams' heads are known.

        After an INSERT that failed, the server skips the COMMIT behind it.
        """
        with self.datastore.get_connection() as connection:
            with connection.pipeline(), connection.transaction():
                with connection.cursor() as cursor:
                    self._insert_events(cursor, stored_events, **kwargs)
                if stored_events:
                    inserted, rows, seals = self._log.append(connection, stored_events)
                    noted = self._log.write(connection, note) if note else None
            if not stored_events:
                return []
            positions = [position for (position,) in inserted.fetchall()]
            self._log.require_inserted(rows, len(positions))
        self._log.heads.remember(rows, seals)
        if note and noted:
            note.is_written = bool(noted.rowcount)
        return positions

    def _insert_events(
        self, curs: Cursor[Any], stored_events: Sequence[StoredEvent], **_: Any
    ) -> None:
        """Write what belongs into the same transaction."""

    def _insert_unsealed(self, stored_events: Sequence[StoredEvent]) -> None:
        with self.datastore.get_connection() as connection:
            connection.execute(
                self.tables.named(
                    "INSERT INTO {events} (originator_id, originator_version, topic, state) SELECT *"
                    " FROM unnest(%s::{id_type}[], %s::bigint[], %s::text[], %b::bytea[])"
                ),
                columns(stored_events),
            )

    def _select(self, statement: str, values: Sequence[object]) -> list[Row]:
        with (
            self.datastore.get_connection() as connection,
            connection.cursor(binary=True, row_factory=tuple_row) as cursor,
        ):
            return cursor.execute(self.tables.named(statement), values, prepare=True).fetchall()

    def _create_table(self, curs: Cursor[Any]) -> None:
        if self.keeps_log:
            migrate(curs, self.tables, self.datastore.name)
        super()._create_table(curs)

    def _is_used(self, statement: Composed) -> bool:
        """Tell whether it makes a table that is not the log's: no types, no functions."""
        text = statement.as_string()
        ours = self.keeps_log and f'"{self.events_table_name}"' in text
        return text.startswith("CREATE TABLE") and not ours


class ApplicationRecorder(AggregateRecorder, SealedReads, stock.PostgresApplicationRecorder):
    """The same, and every event by its position, which is never reused."""

    @patiently
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events and return their positions; raises as the AggregateRecorder."""
        return self._append(stored_events, **kwargs)

    @patiently
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
        wanted = " AND topic = ANY(%s)" if topics else ""
        rows = self._select(
            "SELECT notification_id, originator_id, originator_version, topic, state FROM {events}"
            f" WHERE notification_id {'>=' if inclusive_of_start else '>'} coalesce(%s, 0)"
            f" AND notification_id <= coalesce(%s, 9223372036854775807){wanted}"
            " ORDER BY notification_id LIMIT %s",
            (start, stop, *([[*topics]] if topics else []), limit),
        )
        return [
            Notification(stream, version, topic, state, position)
            for position, stream, version, topic, state in rows
        ]

    @patiently
    def max_notification_id(self) -> int | None:
        """Return the newest position; None while there is none."""
        ((newest,),) = self._select("SELECT max(notification_id) FROM {events}", ())
        return newest  # type: ignore[no-any-return]  # a column of bigint

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> PostgresSubscription:
        """Return what iterates over the events after a position, those to come included."""
        return PostgresSubscription(recorder=self, gt=gt, topics=topics)


class TrackingRecorder(Alone, stock.PostgresTrackingRecorder):
    """How far each follower is, in the stock's table."""

    datastore: Datastore
    insert_tracking = patiently(stock.PostgresTrackingRecorder.insert_tracking.__wrapped__)
    max_tracking_id = patiently(stock.PostgresTrackingRecorder.max_tracking_id.__wrapped__)
    has_tracking_id = patiently(stock.PostgresTrackingRecorder.has_tracking_id.__wrapped__)


class ProcessRecorder(TrackingRecorder, ApplicationRecorder, stock.PostgresProcessRecorder):
    """Events and tracking in one transaction."""

    def _insert_events(
        self, curs: Cursor[Any], stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> None:
        if kwargs.get("tracking") is not None:
            self._insert_tracking(curs, kwargs["tracking"])
        super()._insert_events(curs, stored_events, **kwargs)
