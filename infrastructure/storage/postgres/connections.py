"""PostgreSQL connections that outlive a restart of the server, and errors that say what to do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from math import inf
from typing import Any, Protocol, TypeVar, cast

import eventsourcing.postgres as stock
import psycopg
from eventsourcing.persistence import (
    IntegrityError,
)
from psycopg import sql

from resumelog.application.errors import (
    BadSetting,
    ForkedLog,
    InDoubt,
    StoreUnavailable,
)
from resumelog.infrastructure.storage.postgres.errors import passes, translated
from resumelog.infrastructure.storage.postgres.url import CONNECT_TIMEOUT_S, shown

PATIENCE_S = 30.0
"""So long an outage is waited out, counted from the first call that met it."""
PAUSE_S = 0.2
LOCK_TIMEOUT_S = 30
"""So long a writer waits for the others, where POSTGRES_LOCK_TIMEOUT says nothing."""
LOOK_S = 1.0
"""So long one try waits for a connection of the pool."""
NETWORK: Mapping[str, object] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A server that vanished without a word is noticed; a URL's own parameters come first."""

DURABILITIES = {"full": "on", "normal": "off"}


class Datastore(stock.PostgresDatastore):
    """One schema of one database, as the stock recorders want it."""

    def __init__(
        self,
        dbname: str,
        host: str,
        port: str | int,
        user: str,
        password: str,
        *,
        connect_timeout: float = PATIENCE_S,
        pool_size: int = 1,
        max_overflow: int = 14,
        lock_timeout: int = LOCK_TIMEOUT_S,
        parameters: Mapping[str, object] | None = None,
        durability: str = "full",
        **options: Any,
    ) -> None:
        """Open nothing yet. `parameters` are libpq's further ones; `connect_timeout` the patience.

        An empty name, host, port, user or password is left to libpq. Raises BadSetting.
        """
        if durability not in DURABILITIES:
            raise BadSetting(
                name="POSTGRES_DURABILITY", why=f"{durability!r} is neither full nor normal"
            )
        if options.get("enable_db_functions"):
            raise BadSetting(
                name="POSTGRES_ENABLE_DB_FUNCTIONS",
                why="they take no table lock, so that followers miss events; leave it off",
            )
        self.durability = durability
        super().__init__(
            dbname,
            host,
            port,
            user,
            password,
            pool_size=pool_size,
            max_overflow=max_overflow,
            lock_timeout=lock_timeout,
            **options,
        )
        named = {
            "dbname": dbname, "host": host, "port": port, "user": user, "password": password,
        }  # fmt: skip
        given = {name: value for name, value in named.items() if value}
        assert isinstance(self.pool.kwargs, dict)
        row_factory = self.pool.kwargs["row_factory"]
        self._parameters = {**NETWORK, **(parameters or {}), **given}
        self.pool.kwargs = {**self._parameters, "row_factory": row_factory}
        self.pool.reconnect_timeout = 0  # no background retries: `patiently` asks again
        self.patience_s = connect_timeout
        self.name = shown({**self._parameters, "schema": self.schema})
        self._lost_at: float | None = None
        self._met_at = 0.0
        self._process, self.is_closed = os.getpid(), False

    def after_connect_func(self) -> Callable[[psycopg.Connection[Any]], None]:
        """Return what sets a new connection up; a server's own remote_apply stays."""
        stock_setup = super().after_connect_func()
        wanted, lock_timeout = DURABILITIES[self.durability], f"{self.lock_timeout}s"

        def set_up(connection: psycopg.Connection[Any]) -> None:
            stock_setup(connection)
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (lock_timeout,))
            connection.execute(
                "SELECT set_config('synchronous_commit', %s, false)"
                " WHERE (current_setting('synchronous_commit') = 'off') <> (%s = 'off')",
                (wanted, wanted),
            )

        return set_up

    def register_type_adapters(self) -> None:
        """Do nothing: rows are inserted as plain arrays."""

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection of the pool. Raises ClosedLog, ForkedLog and StoreUnavailable."""
        if os.getpid() != self._process:
            raise ForkedLog
        with translated(self.name):
            self.pool.open()
            with self.pool.connection(timeout=LOOK_S) as connection:
                yield connection

    @contextmanager
    def own_connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a connection beside the pool, and close it; what is wrong is told at once."""
        password = self.pool.get_password_func
        own = {"password": password()} if password else {}
        with (
            translated(self.name),
            psycopg.connect(**{**self._parameters, **own}, autocommit=True) as connection,  # type: ignore[arg-type]  # libpq's parameters
        ):
            yield connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process at a time make this schema's tables; make the schema if it is missing."""
        with self.own_connection() as connection, connection.transaction():
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                (f"resumelog {self.schema}",),
            )
            there = connection.execute(
                "SELECT 1 FROM pg_namespace WHERE nspname = %s", (self.schema,)
            )
            if there.fetchone() is None:
                with self.own_connection() as maker:
                    maker.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self.schema)))
            yield

    def wait_out(self, error: StoreUnavailable, since: float) -> None:
        """Return when it may be tried again; raise the error when there is no use in it."""
        if not passes(error):
            raise error
        if time.monotonic() - since >= self.patience_s:
            raise self._explained(error)
        time.sleep(PAUSE_S)
        self.pool.check()

    def lost_since(self) -> float:
        """Return when the outage began that a call has met; one that nobody met for long is over."""
        now = time.monotonic()
        if self._lost_at is None or now - self._met_at > self.patience_s:
            self._lost_at = now
        self._met_at = now
        return self._lost_at

    def found_again(self) -> None:
        """Note that the server answers."""
        self._lost_at = None

    def close(self) -> None:
        """Close the pool; a fork leaves its parent's alone."""
        if os.getpid() == getattr(self, "_process", None):
            self.is_closed = True
            super().close()

    def _explained(self, error: StoreUnavailable) -> StoreUnavailable:
        """A pool can't say why it has no connection: ask the server."""
        try:
            with self.own_connection():
                return error
        except StoreUnavailable as reason:
            return reason


class OfDatastore(Protocol):
    """A recorder, or a table of leases."""

    datastore: Datastore


Method = TypeVar("Method", bound=Callable[..., Any])


def patiently(method: Method) -> Method:
    """Try a method again while the server restarts; raise StoreUnavailable after PATIENCE_S.

    A conflict that only a later try met is InDoubt: the first may have been committed.
    """

    @wraps(method)
    def tried(self: OfDatastore, *args: Any, **kwargs: Any) -> Any:
        since = None
        while True:
            try:
                result = method(self, *args, **kwargs)
            except StoreUnavailable as error:
                since = min(since or inf, self.datastore.lost_since())
                self.datastore.wait_out(error, since)
            except IntegrityError as error:
                if since is None:
                    raise
                raise InDoubt(store=self.datastore.name) from error
            else:
                self.datastore.found_again()
                return result

    return cast("Method", tried)
