"""strace around a child: which system calls it made, and errors and signals put into them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import NamedTuple

import pytest
from support.children import PATIENCE_S
from support.forks import Fork
from support.tracees import mark_of

ALL = os.environ.get("RESUMELOG_TEST_ALL") == "1"
"""Whether a test that can't be made here fails instead of being skipped."""

CHANGES = ("pwrite64", "write", "ftruncate", "fdatasync", "fsync", "unlink", "openat", "rename")


def not_here(reason: str) -> None:
    """Skip the test, or fail where all are asked for."""
    if ALL:
        pytest.fail(f"{reason}, and RESUMELOG_TEST_ALL is set")
    pytest.skip(reason)


@contextmanager
def strace(fork: Fork, log: Path, *options: str) -> Iterator[None]:
    """Trace a child that waits for it, until its end."""
    if shutil.which("strace") is None:
        not_here("there is no strace here")
    command = ["strace", "-f", "-y", "-p", str(fork.pid), "-o", str(log), *options]
    with Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, text=True) as tracer:
        try:
            assert tracer.stderr
            told = tracer.stderr.readline()
            assert "attached" in told, told + tracer.stderr.read()
            mark_of(fork.path).touch()
            yield
            tracer.communicate(timeout=PATIENCE_S)
        finally:
            tracer.kill()


def only(*paths: Path) -> list[str]:
    """Return the options that trace only calls on these files."""
    return [option for path in paths for option in ("-P", str(path))]


def database_files(database: Path) -> tuple[Path, ...]:
    """Return the files that SQLite writes to; its -shm is memory, and gone with a reboot."""
    return database, Path(f"{database}-wal")


class Call(NamedTuple):
    """One system call: its lines in the log where it began and where it had returned."""

    name: str
    arguments: str
    result: int
    began: int
    returned: int


_WHOLE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")


def calls(log: Path) -> Iterator[Call]:
    """Iterate over the calls that returned, in the order of their returns."""
    begun: dict[str, tuple[str, int]] = {}
    with log.open() as lines:
        for number, line in enumerate(lines):
            if found := _BEGUN.match(line):
                begun[found[1]] = (found[3], number)
            elif found := _RESUMED.match(line):
                arguments, began = begun.pop(found[1])
                yield Call(found[2], arguments + found[3], int(found[4]), began, number)
            elif found := _WHOLE.match(line):
                yield Call(found[2], found[3], int(found[4]), number, number)
