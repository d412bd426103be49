"""The `jobs` projection beside the events in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import eventsourcing.postgres as stock
from eventsourcing.persistence import Cipher, IntegrityError, Tracking
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from resumelog.application.job_row import JobRow
from resumelog.application.ports import JobsView
from resumelog.infrastructure.storage.postgres.connections import Datastore, patiently
from resumelog.infrastructure.storage.postgres.schema import Tables
from resumelog.infrastructure.storage.stored_jobs import COLUMNS, job_row, stored


class PostgresJobsView(stock.PostgresTrackingRecorder, JobsView):
    """The tables of jobs and of their position, in one transaction.

    A factory whose log is encrypted sets `cipher`. The tables are made with the log's.
    """

    datastore: Datastore
    cipher: Cipher | None = None

    def __init__(self, datastore: Datastore, *, tracking_table_name: str, **more: Any) -> None:
        """Stand beside the log of the application whose table of tracking has this name."""
        super().__init__(datastore, tracking_table_name=tracking_table_name, **more)
        events = f"{tracking_table_name.removesuffix('_tracking')}_events"
        self.tables = Tables(datastore.schema, events, datastore.originator_id_type)
        self.max_tracking_id_statement = SQL(
            "SELECT MAX(notification_id) FROM {} WHERE application_name = %s"
        ).format(Identifier(datastore.schema, self.tables.beside("jobs_position")))

    def create_table(self) -> None:
        """Make nothing: its tables are made with the log's."""

    max_tracking_id = patiently(stock.PostgresTrackingRecorder.max_tracking_id.__wrapped__)

    def read(self, streams: Iterable[UUID]) -> dict[UUID, JobRow]:
        """Return the rows of these streams."""
        ids = [stream.hex for stream in streams]
        return {row.id: row for row in self._rows("WHERE originator_id = ANY(%s)", ids)}

    @patiently
    def save(self, rows: Iterable[JobRow], tracking: Tracking, after: int) -> None:
        """Save rows and position, unless the view has moved on."""
        with self.datastore.transaction(commit=True) as c:
            if self._at(c, tracking) != after:
                raise IntegrityError(f"the list of jobs is not at position {after} any more")
            self._write(c, rows)
            self._insert_tracking(c, tracking)

    @patiently
    def replace(self, rows: Iterable[JobRow], tracking: Tracking) -> None:
        """Put these rows in the place of all that is there."""
        with self.datastore.transaction(commit=True) as c:
            if self._at(c, tracking) > tracking.notification_id:
                raise IntegrityError("the list of jobs has moved on")
            c.execute(self.tables.named("DELETE FROM {jobs}"))
            c.execute(
                self.tables.named("DELETE FROM {jobs_position} WHERE application_name = %s"),
                (tracking.application_name,),
            )
            self._write(c, rows)
            self._insert_tracking(c, tracking)

    def select(
        self,
        kinds: Collection[str],
        statuses: Collection[str],
        limit: int | None,
        below: int | None = None,
    ) -> list[JobRow]:
        """Return rows, the last changed first."""
        where, values = _fitting(kinds, statuses, below)
        return self._rows(f"{where} ORDER BY position DESC LIMIT %s", *values, limit)

    @patiently
    def count(self, kinds: Collection[str], statuses: Collection[str]) -> int:
        """Count rows."""
        where, values = _fitting(kinds, statuses)
        with self.datastore.get_connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row)
            statement = self.tables.named(f"SELECT count(*) FROM {{jobs}} {where}")
            (count,) = cursor.execute(statement, values).fetchone() or (0,)
        return int(count)

    def beginning_with(self, prefix: str, limit: int) -> list[JobRow]:
        """Return rows by the beginning of their id."""
        where = "WHERE originator_id >= %s AND originator_id < %s ORDER BY originator_id LIMIT %s"
        beyond_every_digit = prefix + "g"
        return self._rows(where, prefix, beyond_every_digit, limit)

    def _insert_tracking(self, curs: Cursor[Any], tracking: Tracking) -> None:
        statement = (
            "INSERT INTO {jobs_position} AS kept VALUES (%s, %s) ON CONFLICT (application_name)"
            " DO UPDATE SET notification_id = excluded.notification_id"
            " WHERE kept.notification_id < excluded.notification_id RETURNING 1"
        )
        values = (tracking.application_name, tracking.notification_id)
        if curs.execute(self.tables.named(statement), values).fetchone() is None:
            raise IntegrityError("the list of jobs has moved on")

    def _at(self, c: Cursor[Any], tracking: Tracking) -> int:
        """Return where the view stands, and let no other move it before this transaction ends."""
        c.execute(self.tables.named("LOCK TABLE {jobs} IN SHARE ROW EXCLUSIVE MODE"))
        return self._max_tracking_id(tracking.application_name, c) or 0

    def _write(self, c: Cursor[Any], rows: Iterable[JobRow]) -> None:
        statement = (
            f"INSERT INTO {{jobs}} ({COLUMNS}) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (originator_id) DO UPDATE SET position = excluded.position,"
            " kind = excluded.kind, status = excluded.status, facts = excluded.facts"
        )
        c.executemany(self.tables.named(statement), [stored(row, self.cipher) for row in rows])

    @patiently
    def _rows(self, where: str, *values: object) -> list[JobRow]:
        with self.datastore.get_connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row, binary=True)
            statement = self.tables.named(f"SELECT {COLUMNS} FROM {{jobs}} {where}")
            found: list[Any] = cursor.execute(statement, values).fetchall()
        return [job_row(columns, self.cipher) for columns in found]


def _fitting(
    kinds: Collection[str], statuses: Collection[str], below: int | None = None
) -> tuple[str, Sequence[object]]:
    """Return the clause for rows of these kinds and statuses below a position, and its values."""
    wanted = [(name, [*each]) for name, each in (("kind", kinds), ("status", statuses)) if each]
    last = () if below is None else (below,)
    clauses = [*(f"{name} = ANY(%s)" for name, _ in wanted), *("position < %s" for _ in last)]
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    return where, [*(each for _, each in wanted), *last]
