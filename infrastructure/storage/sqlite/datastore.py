"""One SQLite database: its connections, its transactions, and who is told of a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Literal, TypeVar

import eventsourcing.sqlite as stock

from resumelog.infrastructure.storage.sqlite import schema
from resumelog.infrastructure.storage.sqlite.connections import Connections, connect
from resumelog.infrastructure.storage.sqlite.engine import sqlite3
from resumelog.infrastructure.storage.sqlite.errors import translated, translation
from resumelog.infrastructure.storage.sqlite.files import DatabaseFile, readable
from resumelog.infrastructure.storage.sqlite.group_commit import GroupCommit
from resumelog.infrastructure.storage.sqlite.wakes import Wakes

Durability = Literal["full", "normal"]
SYNCHRONOUS: dict[Durability, str] = {"full": "FULL", "normal": "NORMAL"}
"""What a save that has returned survives: a power loss, or with "normal" only a kill."""

Result = TypeVar("Result")


class Datastore(stock.SQLiteDatastore):
    """One database, as the stock recorders want it. `:memory:` is one that all threads share."""

    def __init__(
        self,
        db_name: str,
        *,
        lock_timeout: int | None = None,
        durability: Durability = "full",
        single_row_tracking: bool = True,
        originator_id_type: Literal["uuid", "text"] = "uuid",
    ) -> None:
        """Open the file and migrate it. Raises NotOurDatabase, NewerSchema, StoreUnavailable."""
        self.file = DatabaseFile(db_name)
        self.db_name = db_name = self.file.name
        self.durability = durability
        self.single_row_tracking = single_row_tracking
        self.originator_id_type = originator_id_type
        self._lock_timeout = lock_timeout
        self.connections = Connections(self.connect)
        self._commits = GroupCommit(self.connect, self.file.require_same)
        self.wakes = Wakes(None if self.file.in_memory else self.connect)
        with translated(db_name):
            if not self.file.in_memory:
                with closing(sqlite3.connect(readable(db_name), uri=True)) as unchanged:
                    schema.require_ours(unchanged, db_name)
            with self.transaction(commit=False) as cursor:
                schema.migrate(cursor.connection, db_name)
        self.file.remember()

    def connect(self) -> sqlite3.Connection:
        """Open a connection of the caller's own."""
        synchronous = SYNCHRONOUS[self.durability]
        return connect(self.db_name, synchronous=synchronous, timeout_s=self._lock_timeout)

    def write(self, work: Callable[[sqlite3.Cursor], Result], *, is_atomic: bool = False) -> Result:
        """Do a write in one transaction with all others that wait; return once it is durable.

        `is_atomic` says that it writes by one statement only.
        """
        try:
            result = self._commits.run(work, is_atomic=is_atomic)
        except sqlite3.Error as error:
            raise translation(self.db_name, error) from error
        self.wakes.notify()
        return result

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[Any]:
        """Yield a cursor, with `commit` in a writing transaction of its own."""
        with translated(self.db_name):
            if commit or self.file.in_memory:
                with self._commits.alone() if commit else self._commits.reading() as cursor:
                    yield cursor
                return
            with self.connections.loan() as connection, closing(connection.cursor()) as cursor:
                self.file.require_same()
                yield cursor
                if self.file.is_guarded:
                    self.file.require_same()

    def close(self) -> None:
        """Wait for the connections to come back and close them."""
        self._commits.close()
        self.connections.close()
        self.wakes.close()

    def __del__(self) -> None:
        """Leave it to the interpreter: the stock one closes connections that are in use."""
