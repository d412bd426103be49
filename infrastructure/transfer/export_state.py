"""`.export_state`, the progress file of the old exporter.

A pickle of `{progress, timestamp, date, checksum}`: a fraction, seconds since 1970, the same as naive
local time, and the md5 of the fraction's repr in hex. It is 132 bytes long.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from resumelog.application.errors import BadStateProgress, DamagedStateFile, ForeignStateFile
from resumelog.domain.export_state import ExportState
from resumelog.infrastructure.transfer.flat_pickle import flat_dict
from resumelog.infrastructure.transfer.old_file import OldFile, read_old_file

BYTES_MAX = 4096
FIELDS = ("progress", "timestamp", "date", "checksum")
ANOTHER = f"it is a pickle of another dict: its fields are not {', '.join(FIELDS)}"
DATE = "%Y-%m-%d %H:%M:%S"
DATE_OFF_MAX = timedelta(days=1)
"""`date` is in whatever time zone the writer had, which the file does not tell."""
SHOWN_CHARS = 80


def read_export_state(path: str | Path) -> ExportState:
    """Return what a progress file says; nothing in it is run, and it stays as it is.

    Raises BadStateFile: NoStateFile, DamagedStateFile, ForeignStateFile, UnsafeStateFile or
    BadStateProgress.
    """
    return export_state_in(read_old_file(path, BYTES_MAX))


def export_state_in(file: OldFile) -> ExportState:
    """Return what a progress file that was read says. Raises as `read_export_state` does."""
    fields = flat_dict(file)
    if fields.keys() != {*FIELDS}:
        raise ForeignStateFile(path=file.path, why=ANOTHER)
    progress = _progress(file, fields["progress"], fields["checksum"])
    recorded_at = _recorded_at(file, fields["timestamp"], fields["date"])
    return ExportState(file.path, file.sha256, progress, recorded_at, fields)


def _progress(file: OldFile, progress: Any, checksum: Any) -> float:
    if not _is_number(progress):
        raise BadStateProgress(path=file.path, progress=repr(progress)[:SHOWN_CHARS])
    if checksum != hashlib.md5(repr(progress).encode(), usedforsecurity=False).hexdigest():
        raise DamagedStateFile(path=file.path, why="its checksum is not that of its progress")
    if not 0 <= progress <= 1:
        raise BadStateProgress(path=file.path, progress=repr(progress)[:SHOWN_CHARS])
    return float(progress) + 0.0  # without the sign of -0.0


def _recorded_at(file: OldFile, timestamp: Any, date: Any) -> datetime:
    """Take the timestamp, which no time zone and no clock change makes ambiguous."""
    try:
        recorded_at = datetime.fromtimestamp(timestamp, UTC)
        written = datetime.strptime(date, DATE).replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise DamagedStateFile(path=file.path, why="its timestamp or its date is none") from None
    if f"{written:{DATE}}" != date or abs(written - recorded_at) > DATE_OFF_MAX:
        raise DamagedStateFile(path=file.path, why="its date is not that of its timestamp")
    return recorded_at


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
