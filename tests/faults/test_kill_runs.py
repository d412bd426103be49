"""SIGKILL at every commit of an autopilot's run: a new process goes on after the last completed step."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest
from support.evidence import sound
from support.forks import Forks
from support.hosts import SIM, STEPS
from support.logs import events_of
from support.run_story import told_by
from support.tracing import calls, database_files, only, strace

import resumelog
from resumelog.domain.autopilot_events import StepCompleted

pytestmark = pytest.mark.faults

TASK = ("drive_once", "jobs.db", SIM)
PARTS = 4
"""So many tests share the commits, for as many processes to run them."""
SYNC = "fdatasync"
EVENTS_MIN = 2 + len(STEPS) * 5


def commits(children: Forks, folder: Path) -> int:
    """Return how many syncs a run makes, one for each of its events at least."""
    folder.mkdir()
    fork = children.start(*TASK, folder=folder, traced=True)
    log = folder / "strace"
    with strace(fork, log, "-e", f"trace={SYNC}", *only(*database_files(folder / "jobs.db"))):
        assert fork.wait() == 0, fork.stderr()
    return Counter(call.name for call in calls(log))[SYNC]


def killed_at(children: Forks, folder: Path, number: int) -> list[str]:
    """Kill a run at this sync; return the steps that were completed on disk by then."""
    folder.mkdir()
    fork = children.start(*TASK, folder=folder, traced=True)
    inject = f"inject={SYNC}:signal=SIGKILL:when={number}"
    files = only(*database_files(folder / "jobs.db"))
    with strace(fork, folder / "strace", "-e", inject, *files):
        assert fork.wait() == -signal.SIGKILL, f"{SYNC} {number} was not made"
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        if not log.queries.jobs():
            return []
        return [each.step for each in events_of(log, SIM) if isinstance(each, StepCompleted)]


@pytest.mark.parametrize("part", range(PARTS))
def test_after_a_kill_at_any_commit_a_new_process_goes_on_after_the_last_completed_step(
    children: Forks, folder: Path, part: int
) -> None:
    count = commits(children, folder / "counted")
    assert count >= EVENTS_MIN
    for number in range(1 + part, count + 1, PARTS):
        place = folder / str(number)
        done = killed_at(children, place, number)
        told = children.start(*TASK, folder=place).succeeded()
        begun = [line.split()[1] for line in told if line.startswith("begun")]
        assert (begun, told[-1]) == ([*STEPS[len(done) :]], "completed")
        with resumelog.open(place / "jobs.db") as log:
            assert told_by(events_of(log, SIM)).status == "completed"
        shutil.rmtree(place)
