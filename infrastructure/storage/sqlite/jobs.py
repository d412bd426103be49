"""The `jobs` projection beside the events in one SQLite file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Cipher, IntegrityError, Tracking

from resumelog.application.job_row import JobRow
from resumelog.application.ports import JobsView
from resumelog.infrastructure.storage.sqlite.datastore import Datastore
from resumelog.infrastructure.storage.sqlite.recorders import TrackingRecorder
from resumelog.infrastructure.storage.stored_jobs import COLUMNS, job_row, stored


class SQLiteJobsView(TrackingRecorder, JobsView):
    """The tables `jobs` and `jobs_position` in one transaction.

    A factory whose log is encrypted sets `cipher`.
    """

    cipher: Cipher | None = None

    def __init__(self, datastore: Datastore, **more: Any) -> None:
        """Keep the position in a table of its own."""
        super().__init__(datastore, **more)
        self.select_max_tracking_id_statement = (
            "SELECT MAX(notification_id) FROM jobs_position WHERE application_name = ?"
        )

    def create_table(self) -> None:
        """Make nothing: its tables are made with the log's."""

    def read(self, streams: Iterable[UUID]) -> dict[UUID, JobRow]:
        """Return the rows of these streams."""
        ids = json.dumps([stream.hex for stream in streams])
        where = "WHERE originator_id IN (SELECT value FROM json_each(?))"
        return {row.id: row for row in self._rows(where, ids)}

    def save(self, rows: Iterable[JobRow], tracking: Tracking, after: int) -> None:
        """Save rows and position, unless the view has moved on."""
        with self._transaction(commit=True) as c:
            if self._at(c, tracking) != after:
                raise IntegrityError(f"the list of jobs is not at position {after} any more")
            self._write(c, rows)
            self._insert_tracking(c, tracking)

    def replace(self, rows: Iterable[JobRow], tracking: Tracking) -> None:
        """Put these rows in the place of all that is there."""
        name = tracking.application_name
        with self._transaction(commit=True) as c:
            if self._at(c, tracking) > tracking.notification_id:
                raise IntegrityError("the list of jobs has moved on")
            c.execute("DELETE FROM jobs")
            c.execute("DELETE FROM jobs_position WHERE application_name = ?", (name,))
            self._write(c, rows)
            self._insert_tracking(c, tracking)

    def select(
        self,
        kinds: Collection[str],
        statuses: Collection[str],
        limit: int | None,
        below: int | None = None,
    ) -> list[JobRow]:
        """Return rows, the last changed first; the index alone says which."""
        where, values = _fitting(kinds, statuses, below)
        if limit is None:
            return self._rows(f"{where} ORDER BY position DESC", *values)
        wanted = f"SELECT position FROM jobs {where} ORDER BY position DESC LIMIT ?"
        found = f"WHERE position IN ({wanted}) ORDER BY position DESC"
        return self._rows(found, *values, limit)

    def count(self, kinds: Collection[str], statuses: Collection[str]) -> int:
        """Count rows."""
        where, values = _fitting(kinds, statuses)
        with self._transaction(commit=False) as c:
            (count,) = c.execute(f"SELECT count(*) FROM jobs {where}", values).fetchone()
        return int(count)

    def beginning_with(self, prefix: str, limit: int) -> list[JobRow]:
        """Return rows by the beginning of their id."""
        where = "WHERE originator_id >= ? AND originator_id < ? ORDER BY originator_id LIMIT ?"
        beyond_every_digit = prefix + "g"
        return self._rows(where, prefix, beyond_every_digit, limit)

    @contextmanager
    def _transaction(self, *, commit: bool) -> Iterator[Any]:
        with self.datastore.transaction(commit=commit) as c:
            yield c

    def _insert_tracking(self, c: Any, tracking: Tracking) -> None:
        c.execute(
            "INSERT INTO jobs_position VALUES (?, ?) ON CONFLICT (application_name)"
            " DO UPDATE SET notification_id = excluded.notification_id"
            " WHERE jobs_position.notification_id < excluded.notification_id RETURNING 1",
            (tracking.application_name, tracking.notification_id),
        )
        if c.fetchone() is None:
            raise IntegrityError("the list of jobs has moved on")

    def _at(self, c: Any, tracking: Tracking) -> int:
        return self._max_tracking_id(tracking.application_name, c) or 0

    def _write(self, c: Any, rows: Iterable[JobRow]) -> None:
        statement = (
            f"INSERT INTO jobs ({COLUMNS}) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (originator_id) DO UPDATE SET position = excluded.position,"
            " kind = excluded.kind, status = excluded.status, facts = excluded.facts"
        )
        c.executemany(statement, [stored(row, self.cipher) for row in rows])

    def _rows(self, where: str, *values: object) -> list[JobRow]:
        with self._transaction(commit=False) as c:
            found = c.execute(f"SELECT {COLUMNS} FROM jobs {where}", values).fetchall()
        return [job_row(columns, self.cipher) for columns in found]


def _fitting(
    kinds: Collection[str], statuses: Collection[str], below: int | None = None
) -> tuple[str, Sequence[object]]:
    """Return the clause for rows of these kinds and statuses below a position, and its values."""
    clauses = [
        f"{column} IN ({', '.join('?' * len(wanted))})"
        for column, wanted in (("kind", kinds), ("status", statuses))
        if wanted
    ]
    last = () if below is None else (below,)
    clauses += ["position < ?" for _ in last]
    return "WHERE " + " AND ".join(clauses) if clauses else "", [*kinds, *statuses, *last]
