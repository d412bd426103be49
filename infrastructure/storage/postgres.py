"""PostgreSQL as an eventsourcing store: PERSISTENCE_MODULE=resumelog.infrastructure.storage.postgres.

Every event is sealed in the transaction that inserts it, and its payload goes with it. What was
committed survives a crash of the server, unless POSTGRES_DURABILITY=normal gives its last moments
up; a server that restarts is waited for. Needs the extra `postgres`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import eventsourcing.postgres as stock
from eventsourcing.persistence import Mapper, Notification, StoredEvent, Transcoder
from eventsourcing.utils import Environment, EnvType
from psycopg import Cursor, ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg.sql import Composed

from resumelog.application.errors import BadSetting, PayloadGone
from resumelog.application.ports import EventRow, JobsView, SealedRow
from resumelog.domain.seals import Head
from resumelog.infrastructure.storage.lease_table import LeaseTable
from resumelog.infrastructure.storage.mapper import EventMapper
from resumelog.infrastructure.storage.postgres_connections import (
    LOCK_TIMEOUT_S,
    Datastore,
    patiently,
)
from resumelog.infrastructure.storage.postgres_jobs import PostgresJobsView
from resumelog.infrastructure.storage.postgres_leases import PostgresLeaseTable
from resumelog.infrastructure.storage.postgres_log import SealedLog, columns
from resumelog.infrastructure.storage.postgres_schema import Tables, migrate
from resumelog.infrastructure.storage.postgres_subscription import PostgresSubscription
from resumelog.infrastructure.storage.postgres_url import STOCK

Row = tuple[Any, ...]

BEFORE_ALL = "0" * 32
"""An id that no stream has: uuid5 marks its version and variant."""

HEADS = """
WITH RECURSIVE streams AS (
    (SELECT originator_id FROM {events} WHERE originator_id > %s::{id_type}
     ORDER BY originator_id LIMIT 1)
    UNION ALL
    SELECT (SELECT originator_id FROM {events} WHERE originator_id > streams.originator_id
            ORDER BY originator_id LIMIT 1)
    FROM streams WHERE originator_id IS NOT NULL
)
SELECT {stream}, head.originator_version, head.seal FROM streams, LATERAL (
    SELECT originator_version, seal FROM {events} AS log
    WHERE log.originator_id = streams.originator_id ORDER BY originator_version DESC LIMIT 1
) AS head
LIMIT %s
"""
"""From stream to stream through the index, so that a long one costs what a short one does."""


class Alone:
    """Recorders whose tables are made by one process at a time."""

    datastore: Datastore

    def create_table(self) -> None:
        """Make what is missing. Raises NotOurDatabase, NewerSchema and StoreUnavailable."""
        with self.datastore.alone():
            super().create_table()  # type: ignore[misc]  # a stock recorder follows


class AggregateRecorder(Alone, stock.PostgresAggregateRecorder):
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
        rows = self.select_rows(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        return [StoredEvent(originator_id, *row) for row in rows]

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
        """Read the same as plain rows of version, topic and state, for a replay."""
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

    def _append(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[int]:
        """Insert and commit, in one round trip where the streams' heads are known.

        After an INSERT that failed, the server skips the COMMIT behind it.
        """
        with self.datastore.get_connection() as connection:
            with connection.pipeline(), connection.transaction():
                with connection.cursor() as cursor:
                    self._insert_events(cursor, stored_events, **kwargs)
                if stored_events:
                    inserted, rows, seals = self._log.append(connection, stored_events)
            if not stored_events:
                return []
            positions = [position for (position,) in inserted.fetchall()]
        self._log.heads.remember(rows, seals)
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


class ApplicationRecorder(AggregateRecorder, stock.PostgresApplicationRecorder):
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

    def sealed_by_position(self, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events after a position, in the order of their positions."""
        return self._sealed("notification_id > %s ORDER BY notification_id LIMIT %s", gt, limit)

    @patiently
    def sealed_heads(self, *, gt: str, limit: int) -> Sequence[Head]:
        """Return the newest event of each stream after a stream, in the order of streams."""
        rows = self._select(HEADS, (gt or BEFORE_ALL, limit))
        return [Head(*row) for row in rows]

    def damage(self, *, limit: int) -> Sequence[str]:
        """Return nothing: PostgreSQL's own check needs an extension and its owner's rights."""
        del limit
        return []

    def sealed_by_version(self, stream: UUID | str, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events of a stream after a version, in the order of their versions."""
        where = (
            "originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s"
        )
        return self._sealed(where, stream, gt, limit)

    @patiently
    def _sealed(self, where: str, *values: object) -> Sequence[SealedRow]:
        rows: list[Any] = self._select(
            "SELECT notification_id, {stream}, originator_version, topic, state, seal"
            f" FROM {{events}} WHERE {where}",
            values,
        )
        return rows


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


def _parameters(text: str) -> dict[str, object]:
    try:
        return {**conninfo_to_dict(text)}
    except ProgrammingError as error:
        raise BadSetting(name="POSTGRES_PARAMETERS", why=str(error).strip()) from None


class Factory(stock.PostgresFactory):
    """The stock factory and its environment variables, with these recorders.

    POSTGRES_PARAMETERS: further parameters of libpq, as `name=value name=value`.
    POSTGRES_DURABILITY: `full`, or `normal` (a crash of the server may lose the last moments).
    POSTGRES_CONNECT_TIMEOUT: seconds that an outage is waited out, 30 by default.
    """

    datastore: Datastore
    aggregate_recorder_class = AggregateRecorder  # type: ignore[assignment]  # narrower datastore
    application_recorder_class = ApplicationRecorder  # type: ignore[assignment]  # narrower datastore
    tracking_recorder_class = TrackingRecorder
    process_recorder_class = ProcessRecorder  # type: ignore[assignment]  # narrower datastore

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the environment as the stock factory does; no connection is opened yet."""
        super().__init__(env)
        stock_datastore: stock.PostgresDatastore = self.datastore
        pool = stock_datastore.pool
        assert isinstance(pool.kwargs, dict)
        named = {name: pool.kwargs[name] for name in STOCK}
        size = pool.min_size if self.env.get(self.POSTGRES_POOL_SIZE) else 1
        self.datastore = Datastore(
            **named,
            connect_timeout=pool.timeout,
            idle_in_transaction_session_timeout=stock_datastore.idle_in_transaction_session_timeout,
            pool_size=size,
            max_overflow=pool.max_size - size,
            max_waiting=pool.max_waiting,
            conn_max_age=pool.max_lifetime,
            pre_ping=stock_datastore.pre_ping,
            lock_timeout=stock_datastore.lock_timeout or LOCK_TIMEOUT_S,
            schema=stock_datastore.schema,
            get_password_func=pool.get_password_func,
            single_row_tracking=stock_datastore.single_row_tracking,
            originator_id_type=stock_datastore.originator_id_type,
            enable_db_functions=stock_datastore.enable_db_functions,
            parameters=_parameters(self.env.get("POSTGRES_PARAMETERS") or ""),
            durability=self.env.get("POSTGRES_DURABILITY") or "full",
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
        tables = Tables(
            self.datastore.schema, f"{self._prefix()}_events", self.datastore.originator_id_type
        )
        return PostgresLeaseTable(self.datastore, tables)

    def jobs_view(self) -> JobsView:
        """Return the list of jobs, kept beside the events."""
        view = PostgresJobsView(self.datastore, tracking_table_name=f"{self._prefix()}_tracking")
        view.create_table()
        view.cipher = self.cipher()
        return view

    def _prefix(self) -> str:
        return self.env.name.lower() or "stored"
