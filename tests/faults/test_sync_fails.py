"""An fsync that fails leaves a commit in doubt: it is looked up, and never there twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.evidence import scenes_of, sound, units_of
from support.fault_tasks import BATCH, EXPORT, UNITS
from support.forks import Forks
from support.tracing import database_files, only, strace

import resumelog

pytestmark = pytest.mark.faults

SYNCS = range(3, 9)
"""Which sync of the write-ahead log fails; before come its header and the start of the work."""


def with_failing_sync(
    children: Forks, folder: Path, when: str, task: str, *arguments: object
) -> tuple[int, list[str]]:
    """Run a task in which a sync of the write-ahead log fails; return its exit code and lines."""
    resumelog.open(folder / "jobs.db").close()
    fork = children.start(task, "jobs.db", *arguments, folder=folder, traced=True)
    wal = database_files(folder / "jobs.db")[1]
    inject = f"inject=fdatasync:error=EIO:when={when}"
    with strace(fork, folder / "strace", "-e", inject, *only(wal)):
        code = fork.wait()
    assert "INJECTED" in (folder / "strace").read_text()
    return code, fork.told()


def units(folder: Path) -> list[int | None]:
    with resumelog.open(folder / "jobs.db") as log:
        return units_of(log, EXPORT)


@pytest.mark.parametrize("number", SYNCS)
def test_a_save_that_is_refused_then_can_be_made_again_and_is_there_once(
    children: Forks, folder: Path, number: int
) -> None:
    code, told = with_failing_sync(children, folder, str(number), "save_again_when_refused")
    (refused,) = (line for line in told if line.startswith("refused"))
    assert "can't be written: disk I/O error" in refused
    assert refused.endswith("check the disk, then run it again")
    assert code == 0
    sound(folder / "jobs.db")
    assert units(folder) == [*range(1, UNITS + 1)]


@pytest.mark.parametrize("number", SYNCS)
def test_a_process_that_ends_in_doubt_leaves_what_it_told_and_at_most_one_save_more(
    children: Forks, folder: Path, number: int
) -> None:
    code, told = with_failing_sync(children, folder, str(number), "leave_when_refused", UNITS)
    saved = sum(line.startswith("unit") for line in told)
    sound(folder / "jobs.db")
    assert code == 3
    assert units(folder) in ([*range(1, saved + 1)], [*range(1, saved + 2)])
    children.start("leave_when_refused", "jobs.db", UNITS, folder=folder).succeeded()
    assert units(folder) == [*range(1, UNITS + 1)]


def test_scenes_are_held_while_syncs_fail_and_are_all_there_at_the_end(
    children: Forks, folder: Path
) -> None:
    code, told = with_failing_sync(children, folder, "4..6", "hold_when_refused")
    assert code == 0
    assert {line.split()[1] for line in told} == {"True", "False"}
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        assert scenes_of(log, BATCH) == [*map(str, range(UNITS))]
