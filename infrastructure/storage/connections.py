"""SQLite connections on loan, and errors that say what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    PersistenceError,
    ProgrammingError,
)

from resumelog.application.errors import (
    ClosedLog,
    DamagedStore,
    ForkedLog,
    NotOurDatabase,
    StoreUnavailable,
)

BUSY_TIMEOUT_S = 30.0
CACHED_STATEMENTS = 128
DRAIN_S = 10.0

_TRANSLATED: tuple[tuple[type[sqlite3.Error], type[PersistenceError]], ...] = (
    (sqlite3.InterfaceError, InterfaceError),
    (sqlite3.DataError, DataError),
    (sqlite3.IntegrityError, IntegrityError),
    (sqlite3.InternalError, InternalError),
    (sqlite3.ProgrammingError, ProgrammingError),
    (sqlite3.NotSupportedError, NotSupportedError),
    (sqlite3.DatabaseError, DatabaseError),
    (sqlite3.Error, PersistenceError),
)

OTHERWISE = "check that nothing else changes this file, or restore a copy of it"
_ADVICE = {
    "SQLITE_FULL": "free space on its disk",
    "SQLITE_READONLY": "make the file and its folder writable",
    "SQLITE_CANTOPEN": "check that the folder exists and is writable",
    "SQLITE_PERM": "check the permissions of the file and its folder",
    "SQLITE_BUSY": "another program holds its lock; end that program",
    "SQLITE_LOCKED": "another program holds its lock; end that program",
    "SQLITE_IOERR": "check the disk, then run it again",
}


class Connections:
    """Connections to one database, each on loan to one thread at a time.

    Closing refuses new loans and waits for the returns: to close a connection that a thread is
    using would crash the interpreter. What does not come back within DRAIN_S is left open.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Open nothing yet."""
        self._connect = connect
        self._idle: list[sqlite3.Connection] = []
        self._on_loan = 0
        self._closed = False
        self._process = os.getpid()
        self._returned = threading.Condition()

    @contextmanager
    def loan(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection. Raises ClosedLog after `close`."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Wait until all are back, then close them; a fork leaves its parent's alone."""
        if os.getpid() != self._process:
            return
        with self._returned:
            self._closed = True
            self._returned.wait_for(lambda: not self._on_loan, timeout=DRAIN_S)
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        if os.getpid() != self._process:
            raise ForkedLog
        with self._returned:
            if self._closed:
                raise ClosedLog
            self._on_loan += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except BaseException:
            with self._returned:
                self._on_loan -= 1
                self._returned.notify_all()
            raise

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._returned:
            self._on_loan -= 1
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
            self._returned.notify_all()


def connect(
    path: str, *, synchronous: str = "FULL", timeout_s: float | None = None
) -> sqlite3.Connection:
    """Open a connection in autocommit mode, WAL, with the durability asked for."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S if timeout_s is None else timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
        uri=path.startswith("file:"),
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turn sqlite3's errors into eventsourcing's, the ones that a user can mend into ours."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name == "SQLITE_NOTADB":
            raise NotOurDatabase(store=store, what="no SQLite database") from error
        if name.startswith("SQLITE_CORRUPT"):
            raise DamagedStore(store=store, why=str(error)) from error
        family = "_".join(name.split("_")[:2])
        if isinstance(error, sqlite3.OperationalError):
            why, advice = _reason(store, str(error), _ADVICE.get(family, OTHERWISE))
            raise StoreUnavailable(store=store, why=why, advice=advice) from error
        for ours, theirs in _TRANSLATED:
            if isinstance(error, ours):
                raise theirs(error) from error
        raise


def _reason(store: str, why: str, advice: str) -> tuple[str, str]:
    """Say what is wrong with the path itself, if something is."""
    path = Path(store)
    if path.is_dir():
        return "it is a folder", "name a file in it"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}", "make it first, or choose another path"
    try:
        return f"{why} ({shutil.disk_usage(path.parent).free:,} bytes free)", advice
    except OSError:
        return why, advice
