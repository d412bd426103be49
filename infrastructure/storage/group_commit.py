"""One sync for all that wait: whoever holds the write lock commits for everybody."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Lock
from typing import Any, Generic, TypeVar

from resumelog.infrastructure.storage.connections import Connections

WRITES_MAX = 256

Result = TypeVar("Result")


class _Write(Generic[Result]):
    """What one thread wants written, and how that ended."""

    def __init__(self, work: Callable[[sqlite3.Cursor], Result]) -> None:
        self.work = work
        self.ended = False
        self.error: Exception | None = None
        self.result: Result

    def run(self, cursor: sqlite3.Cursor) -> None:
        self.result = self.work(cursor)

    def end(self, error: Exception | None = None) -> None:
        self.error = self.error or error
        self.ended = True

    def outcome(self) -> Result:
        if self.error is not None:
            raise self.error
        return self.result


class GroupCommit:
    """Writes of many threads in one transaction, each in a savepoint of its own.

    A write that fails, as by a conflict of versions, spoils only itself; where the commit fails,
    all of its group did. `check` is called before a group begins and after its commit.
    """

    def __init__(self, connections: Connections, check: Callable[[], None]) -> None:
        """Write through these connections."""
        self._connections, self._check = connections, check
        self._waiting: deque[_Write[Any]] = deque()
        self._lock = Lock()
        self._has_gap = False

    def run(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        """Return what `work` returned, once that is committed; raise what went wrong with it."""
        write = _Write(work)
        self._waiting.append(write)
        try:
            with self._lock:
                while not write.ended:
                    self._flush()
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(write)  # interrupted: nobody is to write it later
            raise
        return write.outcome()

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Cursor]:
        """Yield the cursor of a transaction that is shared with nobody."""
        with (
            self._lock,
            self._connections.loan() as connection,
            closing(connection.cursor()) as cursor,
            _committed(cursor),
        ):
            yield cursor

    def _flush(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), WRITES_MAX))]
        try:
            self._check()
            with self._connections.loan() as connection:
                self._close_gap(connection)
                _commit(connection.cursor(), group)
            self._check()
        except Exception as error:  # noqa: BLE001 - each thread of the group raises it
            self._has_gap = self._has_gap or "IOERR" in getattr(error, "sqlite_errorname", "")
            for write in group:
                write.end(error)
        except BaseException:
            self._waiting.extendleft(reversed(group))  # the others do it without this thread
            raise
        for write in group:
            write.end()

    def _close_gap(self, connection: sqlite3.Connection) -> None:
        """After a sync that failed: move everything into the database and begin the -wal anew.

        The system forgets what it could not write, such as leases that wait for the next sync. A
        commit behind that gap would not be found after a power loss.
        """
        if self._has_gap:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            if busy:
                raise sqlite3.OperationalError("a reader keeps the -wal from being begun anew")
            self._has_gap = False


def _commit(cursor: sqlite3.Cursor, group: list[_Write[Any]]) -> None:
    with _committed(cursor):
        if len(group) == 1:
            group[0].run(cursor)
            return
        for write in group:
            try:
                with _savepoint(cursor):
                    write.run(cursor)
            except Exception as error:
                if not cursor.connection.in_transaction:
                    raise  # the whole transaction is gone, as after a full disk
                write.error = error


@contextmanager
def _committed(cursor: sqlite3.Cursor) -> Iterator[None]:
    cursor.execute("BEGIN IMMEDIATE")
    try:
        yield
        cursor.execute("COMMIT")
    except BaseException:
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise


@contextmanager
def _savepoint(cursor: sqlite3.Cursor) -> Iterator[None]:
    cursor.execute("SAVEPOINT one_write")
    try:
        yield
    except BaseException:
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK TO one_write")
            cursor.execute("RELEASE one_write")
        raise
    cursor.execute("RELEASE one_write")
