"""Where a database is, whether it still is the one that was opened, and how it can be read."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resumelog.application.errors import BadSetting, StoreUnavailable

IN_MEMORY = ":memory:"
MOVED = (
    "the file was deleted or replaced while it was open",
    "put it back, then open the log again",
)
WRITTEN = (
    "somebody writes it, and who may not write it reads it only while nobody does",
    "open it again",
)


class DatabaseFile:
    """Where a database is, and that it still is the file that was opened."""

    def __init__(self, name: str) -> None:
        """Take a path, a file: URI, or :memory:, which has no file.

        `name` becomes absolute: the working folder may change.
        """
        self.in_memory = name == IN_MEMORY
        if not self.in_memory and "mode=memory" in name:
            raise BadSetting(name="SQLITE_DBNAME", why=f"use {IN_MEMORY} or the path of a file")
        if not self.in_memory and not name.startswith("file:"):
            name = str(Path(name).absolute())
        self.name = name
        self.path = unquote(urlsplit(name).path) if name.startswith("file:") else name
        self.is_guarded = False
        """Whether it is read as if nobody could write, which has to be seen after each read too."""
        self._opened: tuple[int, ...] | None = None

    def remember(self) -> None:
        """Take the file that is there now for the one that was opened."""
        if not self.in_memory:
            self.is_guarded = "?immutable=1" in readable(self.path)
            self._opened = self._identity()

    def require_same(self) -> None:
        """Raise StoreUnavailable once another file, or none, has this name.

        What SQLite writes then goes to a file that nobody can find.
        """
        if self._opened is not None and self._identity() != self._opened:
            why, advice = WRITTEN if self.is_guarded else MOVED
            raise StoreUnavailable(store=self.name, why=why, advice=advice)

    def _identity(self) -> tuple[int, ...]:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - a Path for every save would cost more than it
        except OSError:
            return ()
        if self.is_guarded:
            wal = Path(f"{self.path}-wal").exists()
            return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, wal)
        return (found.st_dev, found.st_ino)


def readable(path: str) -> str:
    """Return the path, or a URI that names it as immutable where it can be read in no other way.

    A WAL database needs its -shm, which SQLite can't make on a read-only file system; and who may not
    write the file must not leave one to those who may. While there is no -wal the file is all there
    is; with one it needs the -shm beside it.
    """
    file = Path(path)
    if path.startswith("file:") or not file.is_file() or Path(f"{path}-wal").exists():
        return path
    may_write = os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
    if may_write and not is_read_only(file.parent):
        return path
    return f"{file.absolute().as_uri()}?immutable=1"


def is_read_only(folder: Path) -> bool:
    """Tell whether a folder is on a read-only file system."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
