"""Every change that a task makes to a database's files, and kills at each of them."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

from support.forks import Forks
from support.tracing import calls, database_files, only, strace

CHANGING = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")


def points(children: Forks, folder: Path, task: str) -> list[tuple[str, int]]:
    """Return every change that a task makes to its files: the call and its number, from 1."""
    folder.mkdir()
    fork = children.start(task, "jobs.db", folder=folder, traced=True)
    log = folder / "strace"
    with strace(fork, log, "-e", f"trace={','.join(CHANGING)}", *only(*_files(folder))):
        assert fork.wait() == 0, fork.stderr()
    made = Counter(call.name for call in calls(log))
    return [(name, number + 1) for name in made for number in range(made[name])]


def killed_at(children: Forks, folder: Path, task: str, call: str, number: int) -> list[str]:
    """Kill a task as it makes this call; return what it had told."""
    folder.mkdir()
    fork = children.start(task, "jobs.db", folder=folder, traced=True)
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    with strace(fork, folder / "strace", "-e", inject, *only(*_files(folder))):
        assert fork.wait() == -signal.SIGKILL, f"{call} {number} was not made"
    return fork.told()


def _files(folder: Path) -> tuple[Path, ...]:
    return database_files(folder / "jobs.db")
