"""What the store costs, beside the disk's own limit and what a user would pick instead."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import batches, replays, saves


def measure() -> None:
    """Print all tables. The folder is the current one: what its disk can do is the limit."""
    for part in (saves, replays, batches):
        with TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
            part.measure(Path(folder))
