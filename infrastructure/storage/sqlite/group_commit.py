"""One sync for all that wait: whoever holds the write lock commits for everybody."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from threading import Lock, get_ident
from typing import Any, Generic, TypeVar

from resumelog.application.errors import ClosedLog, ForkedLog, StoreUnavailable
from resumelog.infrastructure.storage.sqlite.engine import sqlite3

WRITES_MAX = 256
LOOK_S = 0.05
"""So long a thread waits for its turn before it looks: an interrupt may have swallowed the call."""

Result = TypeVar("Result")
Work = Callable[[sqlite3.Cursor], Result]


class _Write(Generic[Result]):
    """What one thread wants written, and how that ended."""

    def __init__(self, work: Work[Result]) -> None:
        self.work = work
        self.ended = False
        self.error: Exception | None = None
        self.result: Result
        self._turn = Lock()
        self._turn.acquire()

    def run(self, cursor: sqlite3.Cursor) -> None:
        self.result = self.work(cursor)

    def wait(self) -> None:
        """Return when it has ended, when it is its thread's turn to write, or to look."""
        self._turn.acquire(timeout=LOOK_S)

    def wake(self) -> None:
        with suppress(RuntimeError):  # awake already
            self._turn.release()

    def end(self, error: Exception | None = None) -> None:
        self.error = self.error or error
        self.ended = True
        self.wake()

    def outcome(self) -> Result:
        if self.error is not None:
            raise self.error
        return self.result


class GroupCommit:
    """Writes of many threads in one transaction, each in a savepoint of its own.

    Where nobody writes, a thread writes at once. Where somebody does, the others queue; the first of
    them commits all that wait and wakes the next. A write that fails, as by a conflict of versions,
    spoils only itself; where the commit fails, all of its group did. `check` is called after each
    commit and before it counts. An interrupt (Ctrl+C) ends the write that it meets before its
    commit, and no other: a queue that it stops is taken up again within LOOK_S.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], check: Callable[[], None]
    ) -> None:
        """Write through a connection of its own, opened when it is needed."""
        self._connect, self._check = connect, check
        self._cursor: sqlite3.Cursor | None = None
        self._waiting: deque[_Write[Any]] = deque()
        self._has_gap = self._is_closed = False
        self._writing = Lock()
        self._writer: int | None = None
        self._process = os.getpid()

    def run(self, work: Work[Result], *, is_atomic: bool = False) -> Result:
        """Return what `work` returned, once that is committed; raise what went wrong with it.

        Work that is atomic, since it writes by one statement only, does without BEGIN and COMMIT
        where nobody else waits. Raises ForkedLog, ClosedLog, and StoreUnavailable from a signal
        handler that came in the middle of a write of this thread.
        """
        if self._process != os.getpid():
            raise ForkedLog
        if self._writing.locked() or self._waiting:
            self._refuse_handler()
            return self._written_with_others(work)
        try:
            with self._writing:
                return self._written(work if is_atomic else partial(_in_transaction, work))
        finally:
            if self._waiting:
                self._wake_next()

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Cursor]:
        """Yield the cursor of a transaction that is shared with nobody. Raises as `run` does."""
        with self.reading() as cursor:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                _roll_back(cursor)
                raise
            self._check()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Cursor]:
        """Yield a cursor while nobody writes, for a database that has no other connection."""
        if self._process != os.getpid():
            raise ForkedLog
        self._refuse_handler()
        try:
            with self._writing, self._noted():
                yield self._opened()
        finally:
            self._wake_next()

    def close(self) -> None:
        """Close the connection, once nobody writes; a fork leaves its parent's alone."""
        if os.getpid() != self._process:
            return
        with self._writing:
            self._is_closed = True
            cursor, self._cursor = self._cursor, None
            if cursor:
                cursor.connection.close()

    def __del__(self) -> None:
        """Close what nobody closed."""
        if self._cursor and os.getpid() == self._process:
            self._cursor.connection.close()

    def _refuse_handler(self) -> None:
        if self._writer == get_ident():
            raise StoreUnavailable(
                store="this log",
                why="its thread is in the middle of a write, and a signal handler came",
                advice="let the handler set a flag, and save after it",
            )

    def _written_with_others(self, work: Work[Result]) -> Result:
        write = _Write(work)
        try:
            self._waiting.append(write)
            while not write.ended:
                if self._writing.locked() or not self._is_first(write):
                    write.wait()
                if not (write.ended or self._writing.locked()):
                    self._flush()
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(write)  # interrupted: nobody is to write it later
            raise
        finally:
            self._wake_next()
        return write.outcome()

    def _is_first(self, write: _Write[Any]) -> bool:
        try:
            return self._waiting[0] is write
        except IndexError:
            return True

    def _wake_next(self) -> None:
        with suppress(IndexError):
            self._waiting[0].wake()

    def _flush(self) -> None:
        """Commit what waits; only what has ended leaves the queue, whatever interrupts this."""
        with self._writing:
            group = [*islice(self._waiting.copy(), WRITES_MAX)]
            committed: list[bool] = []
            try:
                self._written(partial(_in_transaction, partial(_run_each, group), done=committed))
                self._end(group)
            except Exception as error:  # noqa: BLE001 - each thread of the group raises it
                self._end(group, error)
            except BaseException:
                if committed:
                    self._end(group)
                raise

    def _end(self, group: list[_Write[Any]], error: Exception | None = None) -> None:
        for write in group:
            with suppress(ValueError):
                self._waiting.remove(write)
            write.end(error)

    def _written(self, work: Work[Result]) -> Result:
        try:
            self._writer = get_ident()
            cursor = self._cursor
            if cursor is None or self._has_gap or cursor.connection.in_transaction:
                cursor = self._opened()
            result = work(cursor)
        except sqlite3.Error as error:
            self._note(error)
            raise
        finally:
            self._writer = None
        self._check()
        return result

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            self._writer = get_ident()
            yield
        except sqlite3.Error as error:
            self._note(error)
            raise
        finally:
            self._writer = None

    def _note(self, error: sqlite3.Error) -> None:
        self._has_gap |= "FSYNC" in (getattr(error, "sqlite_errorname", None) or "")

    def _opened(self) -> sqlite3.Cursor:
        """Return the cursor, with nothing left of a write that was interrupted, and no gap."""
        if self._is_closed:
            raise ClosedLog
        self._cursor = cursor = self._cursor or self._connect().cursor()
        _roll_back(cursor)
        if self._has_gap:
            self._close_gap(cursor)
        return cursor

    def _close_gap(self, cursor: sqlite3.Cursor) -> None:
        """After a sync that failed: move everything into the database and begin the -wal anew.

        The system forgets what it could not write, such as leases that wait for the next sync. A
        commit behind that gap would not be found after a power loss.
        """
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        if busy:
            raise sqlite3.OperationalError("a reader keeps the -wal from being begun anew")
        self._has_gap = False


def _in_transaction(
    work: Work[Result], cursor: sqlite3.Cursor, done: list[bool] | None = None
) -> Result:
    """Commit what `work` does, and note in `done` that it was, even if an interrupt came then."""
    is_committing = False
    try:
        cursor.execute("BEGIN IMMEDIATE")
        result = work(cursor)
        is_committing = True
        cursor.execute("COMMIT")
        if done is not None:
            done.append(True)
    except Exception:
        _roll_back(cursor)
        raise
    except BaseException:
        if done is not None and is_committing and not cursor.connection.in_transaction:
            done.append(True)
        _roll_back(cursor)
        raise
    else:
        return result


def _run_each(group: list[_Write[Any]], cursor: sqlite3.Cursor) -> None:
    for write in group:
        _run_in_savepoint(write, cursor)


def _run_in_savepoint(write: _Write[Any], cursor: sqlite3.Cursor) -> None:
    write.error = None
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
