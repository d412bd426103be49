"""Progress files of the old exporter: the samples, others like them, and how it read them."""

from __future__ import annotations

import hashlib
import json
import pickle
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "golden/legacy"
PROTOCOLS = (1, 2, 3, 4, 5)
"""The protocols of which a file is taken; the old exporter wrote 4."""
WRITTEN_AT = datetime(2026, 11, 22, 0, 5, 9, 867_500, UTC)


class Sample(NamedTuple):
    """A file that the old exporter left, what it read from it (None: nothing), and its facts."""

    path: Path
    bytes: int
    sha256: str
    progress: float | None
    note: str


def samples() -> dict[str, Sample]:
    """Return the samples by name."""
    facts = json.loads((FOLDER / "MANIFEST.json").read_text("utf-8"))
    return {name: Sample(FOLDER / f"{name}.export_state", **each) for name, each in facts.items()}


def fields(progress: Any = 0.25, at: datetime = WRITTEN_AT, **others: object) -> dict[str, Any]:
    """Return what the old exporter pickled, or something like it."""
    return {
        "progress": progress,
        "timestamp": at.timestamp(),
        "date": f"{at:%Y-%m-%d %H:%M:%S}",
        "checksum": hashlib.md5(repr(progress).encode()).hexdigest(),
        **others,
    }


def written(progress: Any = 0.25, protocol: int = 4, **others: Any) -> bytes:
    """Return the bytes of such a file."""
    return pickle.dumps(fields(progress, **others), protocol)


class _NothingRuns(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise AssertionError(f"{module}.{name} would be run")

    def persistent_load(self, pid: Any) -> Any:
        raise AssertionError(f"{pid} would be loaded")


def as_the_old_exporter_read_it(content: bytes) -> Any:
    """Return the progress of a file; only for one that was found harmless."""
    found = _NothingRuns(BytesIO(content)).load()
    assert found["checksum"] == hashlib.md5(str(found["progress"]).encode()).hexdigest()
    return found["progress"]
