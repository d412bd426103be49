"""Processes told apart for certain, and process groups that end when they are told to."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from functools import cache
from pathlib import Path

from resumelog.domain.values import Worker

TERMINATE_S = 3.0
POLL_S = 0.02


@cache
def boot_id() -> str:
    """Return what changes with every boot of this machine."""
    path = Path("/proc/sys/kernel/random/boot_id")
    if path.exists():
        return path.read_text().strip()
    import psutil  # only where there is no /proc

    return f"{socket.gethostname()}-{psutil.boot_time():.0f}"


@cache
def pid_namespace() -> str:
    """Return the namespace in which process numbers mean something."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return sys.platform


def started(pid: int) -> int | None:
    """Return a process's start time (Linux: clock ticks after boot); None if there is none.

    A zombie counts as gone: it runs no more.
    """
    if sys.platform == "linux":
        try:
            after_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if after_name[0] in (b"Z", b"X") else int(after_name[19])
    import psutil

    try:
        return int(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def this_worker() -> Worker:
    """Return the identity of this process."""
    pid = os.getpid()
    return Worker(
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        pid=pid,
        started=started(pid) or 0,
    )


def is_neighbour(worker: Worker) -> bool:
    """Tell whether its process numbers mean here what they mean there."""
    return (worker.boot_id, worker.pid_namespace) == (boot_id(), pid_namespace())


def is_alive(worker: Worker) -> bool:
    """Tell whether a neighbour still runs."""
    return started(worker.pid) == worker.started


def end_group(group: int, leader_started: int) -> None:
    """End what is left of a process group: SIGTERM, and SIGKILL after TERMINATE_S.

    Does nothing where the number belongs to another group by now.
    """
    if not _is_that_group(group, leader_started):
        return
    for name, patience_s in ((signal.SIGTERM, TERMINATE_S), (signal.SIGKILL, TERMINATE_S)):
        if not _signal_group(group, name):
            return
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not _signal_group(group, 0):
                return
            time.sleep(POLL_S)


def group_runs(group: int, leader_started: int) -> bool:
    """Tell whether something is left of a process group."""
    return _is_that_group(group, leader_started) and _signal_group(group, 0)


def signal_group(group: int, leader_started: int, number: int) -> None:
    """Send a signal to what is left of a process group, unless the number is another's by now."""
    if _is_that_group(group, leader_started):
        _signal_group(group, number)


def _is_that_group(group: int, leader_started: int) -> bool:
    """Tell whether its leader is the one of then, or gone: as long as it has members, so is its number."""
    return started(group) in (None, leader_started)


def _signal_group(group: int, signal_number: int) -> bool:
    """Return whether the group still has a process that runs."""
    try:
        os.killpg(group, signal_number)
    except (ProcessLookupError, PermissionError):
        return False
    return signal_number != 0 or _has_members(group)


def _has_members(group: int) -> bool:
    """Tell a group that runs from one of which only zombies are left."""
    if sys.platform != "linux":
        return True
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_bytes().rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] not in (b"Z", b"X"):
            return True
    return False
