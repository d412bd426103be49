"""Files that the old systems left, read whole and never changed."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from resumelog.application.errors import ForeignStateFile, NoStateFile


class OldFile(NamedTuple):
    """What stood in a file: `path` is absolute, `sha256` in hex."""

    path: str
    content: bytes
    sha256: str


def read_old_file(path: str | Path, bytes_max: int) -> OldFile:
    """Return a regular file, or the one that a link names.

    No more than `bytes_max` is read, however long it is, and nothing is waited for. Raises
    NoStateFile, and ForeignStateFile for a longer one.
    """
    named = _shown(path)
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NoStateFile(path=named, why="it is no regular file")
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise NoStateFile(path=named, why=error.strerror) from None
    except ValueError:
        raise NoStateFile(path=named, why="no file can have such a name") from None
    if len(content) > bytes_max:
        raise ForeignStateFile(path=named, why=f"it has more than {bytes_max} bytes")
    return OldFile(named, content, hashlib.sha256(content).hexdigest())


def _at_once(path: str, flags: int) -> int:
    """Open a pipe that nobody writes to without waiting for somebody who does."""
    return os.open(path, flags | os.O_NONBLOCK)


def _shown(path: str | Path) -> str:
    """Return the absolute path as text that can be recorded, whatever bytes it has."""
    return str(Path(path).absolute()).encode(errors="backslashreplace").decode()
