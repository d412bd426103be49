"""Small disks of a test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.tracing import not_here


class SmallDisk:
    """A file system in memory; it can be filled up, and made read-only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, leave: int = 0) -> None:
        """Leave this many bytes free, in whole pages."""
        free = os.statvfs(self.folder)
        with self._filler.open("ab") as filler:
            filler.write(bytes(max(0, free.f_bavail * free.f_frsize - leave)))

    def free(self) -> None:
        """Make room again."""
        self._filler.unlink()

    def read_only(self, *, on: bool = True) -> None:
        """Remount it; nobody may have a file open for writing."""
        _run("mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk of this size; unmount it however the test ends."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        not_here(f"no disk can be mounted here: {error}")
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
