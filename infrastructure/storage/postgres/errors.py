"""psycopg's errors as eventsourcing's, and as ours where a user can mend what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    PersistenceError,
    ProgrammingError,
)
from psycopg_pool import PoolClosed

from resumelog.application.errors import ClosedLog, DamagedStore, StoreUnavailable

PASSING = {"08", "25P03", "40", "53300", "57P01", "57P02", "57P03"}
"""SQLSTATEs (or their classes) that a later try may not meet: lost, starting, restarting, too many."""
ADVICE = {
    "53100": "free space on the server's disk",
    "53300": "raise the server's max_connections, or run fewer processes",
    "55P03": "another program holds its lock; end that program",
    "42501": "grant the rights to this user",
    "25006": "name a server that may be written",
}
OTHERWISE = "check that the server runs, and the address, user and password"

_TRANSLATED: tuple[tuple[type[psycopg.Error], type[PersistenceError]], ...] = (
    (psycopg.DataError, DataError),
    (psycopg.IntegrityError, IntegrityError),
    (psycopg.InternalError, InternalError),
    (psycopg.ProgrammingError, ProgrammingError),
    (psycopg.NotSupportedError, NotSupportedError),
    (psycopg.DatabaseError, DatabaseError),
    (psycopg.Error, PersistenceError),
)


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turn psycopg's errors into eventsourcing's, the ones that a user can mend into ours."""
    try:
        yield
    except PoolClosed as error:
        raise ClosedLog from error
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
        raise DamagedStore(store=store, why=_text(error)) from error
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.IdleInTransactionSessionTimeout,
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.ReadOnlySqlTransaction,
    ) as error:
        advice = ADVICE.get(error.sqlstate or "", OTHERWISE)
        raise StoreUnavailable(store=store, why=_text(error), advice=advice) from error
    except psycopg.Error as error:
        theirs = next(theirs for ours, theirs in _TRANSLATED if isinstance(error, ours))
        raise theirs(str(error)) from error


def passes(error: StoreUnavailable) -> bool:
    """Tell whether a later try may not meet it."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state in PASSING or state[:2] in PASSING


def _text(error: psycopg.Error) -> str:
    return error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
