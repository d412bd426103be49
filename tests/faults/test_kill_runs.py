"""SIGKILL at every commit of an autopilot's run: a new process goes on after the last completed step."""

from __future__ import annotations

import shutil
import signal
from itertools import count
from pathlib import Path

import pytest
from support.evidence import sound
from support.forks import Fork, Forks
from support.hosts import SIM, STEPS
from support.logs import events_of
from support.pilot_tasks import SAVES
from support.run_story import told_by
from support.tracing import database_files, only, strace

import resumelog
from resumelog.domain.autopilot_events import StepCompleted

pytestmark = pytest.mark.faults

ARGUMENTS = ("jobs.db", SIM)
PARTS = 2
"""So many tests share the commits, for as many processes to run them."""
COMMITS_MIN = {"drive_once": 5, "drive_traced": len(STEPS) * (2 + SAVES)}
"""What is synced at least: a new log, the mode, a lease and the start by one thread; by the worker's
each step's begin, its saves and its end. strace counts the calls of each thread by itself: where only
the run is traced, the first is its start, and all from the second on are the worker's."""


def start(children: Forks, folder: Path, task: str) -> Fork:
    """Start one that waits for its tracer, at once or where its run is to begin."""
    folder.mkdir()
    return children.start(task, *ARGUMENTS, folder=folder, traced=task != "drive_traced")


def is_killed(children: Forks, folder: Path, task: str, number: int) -> bool:
    """Kill a run when any of its threads has made so many syncs; tell whether one ever has."""
    fork = start(children, folder, task)
    inject = f"inject=fdatasync:signal=SIGKILL:when={number}"
    with strace(fork, folder / "strace", "-e", inject, *only(*database_files(folder / "jobs.db"))):
        code = fork.wait()
    assert code in (0, -signal.SIGKILL), fork.stderr()
    return code != 0


def completed(database: Path) -> list[str]:
    """Return the steps that are completed on disk."""
    sound(database)
    with resumelog.open(database) as log:
        if not log.queries.jobs():
            return []
        return [each.step for each in events_of(log, SIM) if isinstance(each, StepCompleted)]


def require_goes_on(children: Forks, folder: Path) -> None:
    """Expect a new process to begin with the first step that is not completed, to the end."""
    done = completed(folder / "jobs.db")
    told = children.start("drive_once", *ARGUMENTS, folder=folder).succeeded()
    begun = [line.split()[1] for line in told if line.startswith("begun")]
    assert (begun, told[-1]) == ([*STEPS[len(done) :]], "completed")
    with resumelog.open(folder / "jobs.db") as log:
        assert told_by(events_of(log, SIM)).status == "completed"


@pytest.mark.parametrize("task", COMMITS_MIN)
@pytest.mark.parametrize("part", range(PARTS))
def test_after_a_kill_at_any_commit_a_new_process_goes_on_after_the_last_completed_step(
    children: Forks, folder: Path, part: int, task: str
) -> None:
    for number in count(1 + part, PARTS):
        place = folder / str(number)
        if not is_killed(children, place, task, number):
            break
        require_goes_on(children, place)
        shutil.rmtree(place)
    assert number > COMMITS_MIN[task]
