"""A power cut at hundreds of moments: no acknowledged save is lost, nothing is there twice.

The disk after the cut is made from the system calls that strace saw of a real process.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.evidence import sound
from support.forks import Fork, Forks
from support.power import Disk, written
from support.tracing import CHANGES, Call, calls, strace

pytestmark = pytest.mark.faults

SEED = os.environ.get("RESUMELOG_TEST_SEED", "1")
POINTS = int(os.environ.get("RESUMELOG_TEST_POWER_CUTS", "200"))
SESSIONS, SAVES = 2, 90
EARLY = 10
"""One cut in so many comes before the first save, while the database is made."""
NAMES = ("jobs.db", "jobs.db-wal", "jobs.db-journal")
LONGEST_WRITE = 1 << 20


class Recording(NamedTuple):
    """What a process did to its disk, and when it had which save acknowledged."""

    disk: Disk
    acknowledged: list[tuple[int, str, int]]

    def acknowledged_at(self, cut: int) -> dict[str, int]:
        """Return the newest acknowledged version of each stream."""
        versions: dict[str, int] = {}
        for began, stream, version in self.acknowledged:
            if began < cut:
                versions[stream] = max(version, versions.get(stream, 0))
        return versions

    def checkpoints(self) -> int:
        """Count how often the database itself was synced: once a checkpoint, once when it was made."""
        return sum(
            len(made.file.syncs)
            for made in self.disk.changes
            if made.file and made.name == NAMES[0]
        )


def recorded(fork: Fork, folder: Path, log: Path, *options: str) -> Recording:
    """Record what a process does to its disk, and what it acknowledges."""
    traced = ("-xx", "-s", str(LONGEST_WRITE), "-e", f"trace={','.join(CHANGES)}")
    with strace(fork, log, *traced, *options):
        told = fork.succeeded()
    made = [*calls(log)]
    acknowledged = [*acknowledgements(made, fork.path)]
    assert len(acknowledged) == len(told) > 0
    return Recording(Disk(folder, NAMES, made), acknowledged)


def some_hundred_saves(children: Forks, folder: Path, durability: str) -> Fork:
    """Start a process that saves from three threads, with a log as durable as that."""
    task = ("many_saves", "jobs.db", SESSIONS, SAVES)
    return children.start(*task, folder=folder, traced=True, RESUMELOG_SQLITE_DURABILITY=durability)


def acknowledgements(made: list[Call], told: Path) -> Iterator[tuple[int, str, int]]:
    """Iterate over the saves that were told of, with the line of the log where that began."""
    for call in made:
        if call.name == "write":
            file, content, _ = written(call)
            if file == bytes(told):
                stream, version = content.split()
                yield call.began, stream.decode(), int(version)


def lost(recording: Recording, folder: Path, points: int) -> Iterator[int]:
    """Cut the power at random moments; yield how many acknowledged saves each of them lost."""
    chance = random.Random(SEED)
    first, last = recording.acknowledged[0][0], recording.acknowledged[-1][0]
    for number in range(points):
        early = number % EARLY == 0
        cut = chance.randint(0, first) if early else chance.randint(first, last + 100)
        after = folder / str(number)
        after.mkdir()
        for name, content in recording.disk.after(cut, chance):
            (after / name).write_bytes(content)
        there = sound(after / "jobs.db")
        shutil.rmtree(after)
        wanted = recording.acknowledged_at(cut)
        yield sum(max(0, version - there.get(stream, 0)) for stream, version in wanted.items())


def test_no_acknowledged_save_is_lost_in_a_power_cut(
    children: Forks, folder: Path, tmp_path: Path
) -> None:
    fork = some_hundred_saves(children, folder, "full")
    recording = recorded(fork, folder, tmp_path / "strace")
    assert len(recording.acknowledged) == SESSIONS * SAVES * 3
    assert recording.checkpoints() >= SESSIONS + 2, "no checkpoint between opening and closing"
    assert [*lost(recording, folder, POINTS)] == [0] * POINTS


def test_without_a_sync_for_each_save_a_power_cut_does_lose_some(
    children: Forks, folder: Path, tmp_path: Path
) -> None:
    fork = some_hundred_saves(children, folder, "normal")
    recording = recorded(fork, folder, tmp_path / "strace")
    assert sum(lost(recording, folder, POINTS // 10)) > 0


def test_no_save_after_a_sync_that_failed_is_lost_in_a_power_cut(
    children: Forks, folder: Path, tmp_path: Path
) -> None:
    fork = children.start("scenes_through_errors", "jobs.db", 40, folder=folder, traced=True)
    fails = ("-e", "inject=fdatasync:error=EIO:when=20")
    recording = recorded(fork, folder, tmp_path / "strace", *fails)
    assert [*lost(recording, folder, POINTS // 10)] == [0] * (POINTS // 10)
