"""Real processes that a test starts, reads from, and ends by their number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]
PATHS = os.pathsep.join((str(TESTS), str(TESTS.parent)))
PATIENCE_S = 120.0
"""After so long a child is taken for hung; nothing is measured against it."""


@contextmanager
def child(
    *arguments: object, cwd: Path, module: str = "support.workers", **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Start `python -m module arguments` in a process group of its own; kill what is left of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": PATHS, "PYTHONUTF8": "1", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a child's end; return its exit code and what it wrote."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err
