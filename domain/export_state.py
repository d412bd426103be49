"""What the old exporter left of an export."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from resumelog.domain.values import JsonObject


class ExportState(NamedTuple):
    """What a progress file of the old exporter says, and which file that was.

    `source` is its absolute path, `sha256` that of its bytes, `progress` a fraction from 0.0 to 1.0,
    `recorded_at` when it was written, `recorded` all that it says. It names no exporter, no output
    and no input.
    """

    source: str
    sha256: str
    progress: float
    recorded_at: datetime
    recorded: JsonObject
