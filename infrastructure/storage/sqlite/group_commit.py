"""One sync for all that wait: whoever holds the write lock commits for everybody."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from threading import Lock
from typing import Any, Generic, TypeVar

from resumelog.infrastructure.storage.sqlite.connections import Connections
from resumelog.infrastructure.storage.sqlite.engine import sqlite3

WRITES_MAX = 256

Result = TypeVar("Result")


class _Write(Generic[Result]):
    """What one thread wants written, and how that ended."""

    def __init__(self, work: Callable[[sqlite3.Cursor], Result]) -> None:
        self.work = work
        self.leads = self.ended = False
        self.error: Exception | None = None
        self.result: Result
        self.turn: Lock | None = None
        """Held until it has ended, or until its thread is to lead."""

    def run(self, cursor: sqlite3.Cursor) -> None:
        self.result = self.work(cursor)

    def lead(self) -> None:
        self.leads = True
        if self.turn:
            self.turn.release()

    def end(self, error: Exception | None = None) -> None:
        self.error = self.error or error
        self.ended = True
        if self.turn and not self.leads:
            self.turn.release()

    def outcome(self) -> Result:
        if self.error is not None:
            raise self.error
        return self.result


class GroupCommit:
    """Writes of many threads in one transaction, each in a savepoint of its own.

    Where somebody writes already, one thread leads those that wait: it commits all their writes, its
    own among them, and hands the lead on. A write that fails, as by a conflict of versions, spoils only itself; where the commit fails, all
    of its group did. `check` is called after each commit and before it counts.
    """

    def __init__(self, connections: Connections, check: Callable[[], None]) -> None:
        """Write through these connections."""
        self._connections, self._check = connections, check
        self._waiting: deque[_Write[Any]] = deque()
        self._is_led = False
        self._has_gap = False
        self._lock, self._writing = Lock(), Lock()

    def run(self, work: Callable[[sqlite3.Cursor], Result], *, is_atomic: bool = False) -> Result:
        """Return what `work` returned, once that is committed; raise what went wrong with it.

        Work that is atomic, since it writes by one statement only, does without BEGIN and COMMIT
        where nobody else waits.
        """
        if self._writing.acquire(blocking=False):
            try:
                return self._written(work if is_atomic else partial(_in_transaction, work))
            finally:
                self._writing.release()
        return self._written_with_others(work)

    def _written_with_others(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        write = _Write(work)
        try:
            self._queue(write)
            if write.turn:
                write.turn.acquire()
            while not write.ended:
                self._flush()
        except BaseException:
            with self._lock, suppress(ValueError):
                self._waiting.remove(write)  # interrupted: nobody is to write it later
            raise
        finally:
            if write.leads:
                self._hand_on()
        return write.outcome()

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Cursor]:
        """Yield the cursor of a transaction that is shared with nobody."""
        with (
            self._writing,
            self._connections.loan() as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                _roll_back(cursor)
                raise
            self._check()

    def _queue(self, write: _Write[Any]) -> None:
        with self._lock:
            if self._is_led:
                write.turn = Lock()
                write.turn.acquire()
            else:
                self._is_led = True
                write.lead()
            self._waiting.append(write)

    def _hand_on(self) -> None:
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].lead()

    def _flush(self) -> None:
        with self._writing:
            with self._lock:
                count = min(len(self._waiting), WRITES_MAX)
                group = [self._waiting.popleft() for _ in range(count)]
            try:
                self._written(partial(_in_transaction, partial(_run_each, group)))
            except Exception as error:  # noqa: BLE001 - each thread of the group raises it
                _end(group, error)
            except BaseException:
                with self._lock:
                    self._waiting.extendleft(reversed(group))  # the others do it without us
                raise
            else:
                _end(group)

    def _written(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        connection = self._connections.take()
        try:
            if self._has_gap:
                self._close_gap(connection)
            result = work(connection.cursor())
        except sqlite3.Error as error:
            self._has_gap |= "FSYNC" in (getattr(error, "sqlite_errorname", None) or "")
            raise
        finally:
            self._connections.give_back(connection)
        self._check()
        return result

    def _close_gap(self, connection: sqlite3.Connection) -> None:
        """After a sync that failed: move everything into the database and begin the -wal anew.

        The system forgets what it could not write, such as leases that wait for the next sync. A
        commit behind that gap would not be found after a power loss.
        """
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        if busy:
            raise sqlite3.OperationalError("a reader keeps the -wal from being begun anew")
        self._has_gap = False


def _end(group: list[_Write[Any]], error: Exception | None = None) -> None:
    for write in group:
        write.end(error)


def _in_transaction(work: Callable[[sqlite3.Cursor], Result], cursor: sqlite3.Cursor) -> Result:
    cursor.execute("BEGIN IMMEDIATE")
    try:
        result = work(cursor)
        cursor.execute("COMMIT")
    except BaseException:
        _roll_back(cursor)
        raise
    return result


def _run_each(group: list[_Write[Any]], cursor: sqlite3.Cursor) -> None:
    for write in group:
        _run_in_savepoint(write, cursor)


def _run_in_savepoint(write: _Write[Any], cursor: sqlite3.Cursor) -> None:
    cursor.execute("SAVEPOINT one_write")
    try:
        write.run(cursor)
    except Exception as error:
        if not cursor.connection.in_transaction:
            raise  # the whole transaction is gone, as after a full disk
        cursor.execute("ROLLBACK TO one_write")
        write.error = error
    cursor.execute("RELEASE one_write")


def _roll_back(cursor: sqlite3.Cursor) -> None:
    if cursor.connection.in_transaction:
        cursor.execute("ROLLBACK")
