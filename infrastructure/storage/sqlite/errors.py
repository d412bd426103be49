"""SQLite's errors as ours and eventsourcing's, with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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

from resumelog.application.errors import DamagedStore, NoPlace, NotOurDatabase, StoreUnavailable
from resumelog.infrastructure.storage.sqlite.engine import sqlite3
from resumelog.infrastructure.storage.sqlite.files import is_read_only

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
    "SQLITE_READONLY": "make the file and its folder {folder} writable",
    "SQLITE_CANTOPEN": "check that the folder {folder} exists and is writable",
    "SQLITE_PERM": "check the permissions of the file and its folder {folder}",
    "SQLITE_BUSY": "another program holds its lock; end that program",
    "SQLITE_LOCKED": "another program holds its lock; end that program",
    "SQLITE_IOERR": "check the disk, then run it again",
}


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
        wrong = _wrong_path(Path(store))
        if wrong:
            return NoPlace(store=store, why=wrong[0], advice=wrong[1])
        why, advice = _reason(Path(store), str(error), _advice(family, Path(store)))
        return StoreUnavailable(store=store, why=why, advice=advice)
    return next(theirs(error) for ours, theirs in _TRANSLATED if isinstance(error, ours))


def _advice(family: str, path: Path) -> str:
    return _ADVICE.get(family, OTHERWISE).replace("{folder}", str(path.absolute().parent))


def _wrong_path(path: Path) -> tuple[str, str] | None:
    """Return what is wrong with the path itself, and what to do, if something is."""
    if path.is_dir():
        return "it is a folder", "name a file in it"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}", "make it first, or choose another path"
    return None


def _reason(path: Path, why: str, advice: str) -> tuple[str, str]:
    """Return what is wrong with the disk, and what to do."""
    if is_read_only(path.parent):
        why = f"{why} (its file system is read-only)"
        return why, "make that writable, or copy the log to one that is"
    try:
        size, _, free = shutil.disk_usage(path.parent)
    except OSError:
        return why, advice
    if not size:
        return f"{why} (its file system holds no files of yours)", "choose another folder"
    full = free < FULL_BYTES  # where an index can't be made, SQLite does not say so
    return f"{why} ({free:,} bytes free)", _ADVICE["SQLITE_FULL"] if full else advice
