"""SQLite connections on loan, and errors that say what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

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
    BadSetting,
    ClosedLog,
    DamagedStore,
    ForkedLog,
    NotOurDatabase,
    StoreUnavailable,
)

BUSY_TIMEOUT_S = 30.0
CACHED_STATEMENTS = 128
DRAIN_S = 10.0
ON_LOAN_MAX = 64
IDLE_MAX = 16
IN_MEMORY = ":memory:"
PAGE_BYTES = 1024
CHECKPOINT_BYTES = 4096 * 1000
FULL_BYTES = 65_536

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

    At most `limit` are on loan, IDLE_MAX are kept. Closing refuses new loans and waits for the
    returns: to close a connection that a thread is using would crash the interpreter. What does
    not come back within DRAIN_S is left open.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], *, limit: int = ON_LOAN_MAX
    ) -> None:
        """Open nothing yet."""
        self._connect, self._limit = connect, limit
        self._idle: list[sqlite3.Connection] = []
        self._on_loan = 0
        self._closed = False
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._returned = threading.Condition(self._lock)

    @contextmanager
    def loan(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection. Raises ClosedLog after `close`, and sqlite3's error if none is free."""
        connection = self.take()
        try:
            yield connection
        finally:
            self.give_back(connection)

    def close(self) -> None:
        """Wait until all are back, then close them; a fork leaves its parent's alone."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._closed = True
            self._returned.notify_all()
            self._returned.wait_for(lambda: not self._on_loan, timeout=DRAIN_S)
            while self._idle:
                self._idle.pop().close()

    def take(self) -> sqlite3.Connection:
        """Lend a connection that is to be given back, as `loan` does."""
        if os.getpid() != self._process:
            raise ForkedLog
        with self._lock:
            if self._closed or self._on_loan >= self._limit:
                self._wait_for_a_turn()
            self._on_loan += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except BaseException:
            with self._lock:
                self._on_loan -= 1
                self._returned.notify_all()
            raise

    def _wait_for_a_turn(self) -> None:
        def is_free() -> bool:
            return self._closed or self._on_loan < self._limit

        if not self._returned.wait_for(is_free, timeout=BUSY_TIMEOUT_S):
            raise sqlite3.OperationalError(f"all {self._limit} connections are in use")
        if self._closed:
            raise ClosedLog

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Take a connection back."""
        with self._lock:
            self._on_loan -= 1
            if self._closed or len(self._idle) >= IDLE_MAX:
                connection.close()
            else:
                self._idle.append(connection)
            if self._closed or self._on_loan + 1 >= self._limit:
                self._returned.notify_all()


class DatabaseFile:
    """Where a database is, and that it still is the file that was opened."""

    def __init__(self, name: str) -> None:
        """Take a path, a file: URI, or :memory:, which has no file."""
        self.name = name
        self.in_memory = name == IN_MEMORY
        if not self.in_memory and "mode=memory" in name:
            raise BadSetting(name="SQLITE_DBNAME", why=f"use {IN_MEMORY} or the path of a file")
        self.path = unquote(urlsplit(name).path) if name.startswith("file:") else name
        self._opened: tuple[int, int] | None = None

    def remember(self) -> None:
        """Take the file that is there now for the one that was opened."""
        if not self.in_memory:
            self._opened = self._identity()

    def require_same(self) -> None:
        """Raise StoreUnavailable once another file, or none, has this name.

        What SQLite writes then goes to a file that nobody can find.
        """
        if self._opened is not None and self._identity() != self._opened:
            raise StoreUnavailable(
                store=self.name,
                why="the file was deleted or replaced while it was open",
                advice="put it back, then open the log again",
            )

    def _identity(self) -> tuple[int, int]:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - a Path for every save would cost more than it
        except OSError:
            return (0, 0)
        return (found.st_dev, found.st_ino)


def connect(
    path: str, *, synchronous: str = "FULL", timeout_s: float | None = None
) -> sqlite3.Connection:
    """Open a connection in autocommit mode, WAL, with the durability asked for."""
    path = readable(path)
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S if timeout_s is None else timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
        uri=path.startswith("file:"),
    )
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")  # counts when the file is made
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_BYTES // PAGE_BYTES}")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA fullfsync=ON")  # macOS: a sync that reaches the disk
    except BaseException:
        connection.close()
        raise
    return connection


def readable(path: str) -> str:
    """Return the path, or a URI that names it as immutable where it can be read in no other way.

    A WAL database needs its -shm, which SQLite can't make on a read-only file system. Nobody writes
    there, so that without a -wal the file is all there is; with one it needs the -shm beside it.
    """
    file = Path(path)
    if path.startswith("file:") or not file.is_file() or Path(f"{path}-wal").exists():
        return path
    return f"{file.absolute().as_uri()}?immutable=1" if _is_read_only(file.parent) else path


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turn sqlite3's errors into eventsourcing's, the ones that a user can mend into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translation(store, error) from error


def translation(store: str, error: sqlite3.Error) -> Exception:
    """Return what an error of sqlite3 is called here."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_NOTADB":
        return NotOurDatabase(store=store, what="no SQLite database")
    if name.startswith("SQLITE_CORRUPT"):
        return DamagedStore(store=store, why=str(error))
    family = "_".join(name.split("_")[:2])
    if isinstance(error, sqlite3.OperationalError):
        why, advice = _reason(store, str(error), _ADVICE.get(family, OTHERWISE))
        return StoreUnavailable(store=store, why=why, advice=advice)
    return next(theirs(error) for ours, theirs in _TRANSLATED if isinstance(error, ours))


def _reason(store: str, why: str, advice: str) -> tuple[str, str]:
    """Say what is wrong with the path itself, if something is."""
    path = Path(store)
    if path.is_dir():
        return "it is a folder", "name a file in it"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}", "make it first, or choose another path"
    if _is_read_only(path.parent):
        why = f"{why} (its file system is read-only)"
        return why, "make that writable, or copy the log to one that is"
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError:
        return why, advice
    full = free < FULL_BYTES  # where an index can't be made, SQLite does not say so
    return f"{why} ({free:,} bytes free)", _ADVICE["SQLITE_FULL"] if full else advice
