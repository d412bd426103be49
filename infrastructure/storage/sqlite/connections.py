"""SQLite connections on loan, each to one thread at a time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from resumelog.application.errors import ClosedLog, ForkedLog, StoreUnavailable
from resumelog.infrastructure.storage.sqlite.engine import sqlite3
from resumelog.infrastructure.storage.sqlite.files import readable

BUSY_TIMEOUT_S = 30.0
BUSY = "database is locked"  # pysqlite3 knows no error names
BUSY_LOOKS_S = 0.005
CACHED_STATEMENTS = 128
DRAIN_S = 10.0
ON_LOAN_MAX = 64
IDLE_MAX = 16
PAGE_BYTES = 1024
"""Measured: a scene of 4 KB writes half of what it does with 4096, a replay takes 5 % longer."""
CHECKPOINT_BYTES = 4096 * 1000


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
        connection = None
        try:
            connection = self._take()
            yield connection
        finally:
            if connection:
                self._give_back(connection)

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

    def __del__(self) -> None:
        """Close what is idle, where nobody closed the log; what is on loan is in use."""
        if os.getpid() == self._process:
            for connection in self._idle:
                connection.close()

    def _take(self) -> sqlite3.Connection:
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
            raise StoreUnavailable(
                store="this log",
                why=f"all {self._limit} connections are in use",
                advice="let fewer threads read at once",
            )
        if self._closed:
            raise ClosedLog

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._on_loan -= 1
            if self._closed or len(self._idle) >= IDLE_MAX:
                connection.close()
            else:
                self._idle.append(connection)
            if self._closed or self._on_loan + 1 >= self._limit:
                self._returned.notify_all()


def connect(
    path: str, *, synchronous: str = "FULL", timeout_s: float | None = None
) -> sqlite3.Connection:
    """Open a connection in autocommit mode, WAL, with the durability asked for."""
    path = readable(path)
    timeout_s = BUSY_TIMEOUT_S if timeout_s is None else timeout_s
    connection = sqlite3.connect(
        path,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
        uri=path.startswith("file:"),
    )
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")  # counts when the file is made
        _use_wal(connection, timeout_s)
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_BYTES // PAGE_BYTES}")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA fullfsync=ON")  # macOS: a sync that reaches the disk
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Switch to WAL. SQLite does not wait where another connection is just doing so to a new file."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if str(error) != BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(BUSY_LOOKS_S)
        else:
            return
