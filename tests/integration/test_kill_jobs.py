"""Processes that write and list jobs at once, killed at random: the list loses and doubles nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.children import child
from support.listed_logs import begun, from_the_log, lengthen, listed, position

import resumelog
from resumelog import ResumeLog

ROUNDS, PROCESSES = 8, 3
JOBS = 60
"""Each of some hundred events: to list them takes longer than most processes are left alive."""
LIVES_S = 0.5


def killed(process: subprocess.Popen[str]) -> list[str]:
    """Kill a process at whatever it does; return the jobs that it wrote."""
    process.send_signal(signal.SIGKILL)
    told, errors = process.communicate()
    assert not errors
    return [line.strip() for line in told.splitlines(keepends=True) if line.endswith("\n")]


def one_round(database: Path, name: str, chance: random.Random) -> list[str]:
    """Start processes, kill them one after the other; return the jobs that they wrote."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                child("list_and_append", database, f"{name}-{number}", cwd=database.parent)
            )
            for number in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        told = []
        for process in processes:
            time.sleep(chance.uniform(0, LIVES_S))
            told += killed(process)
    return told


@pytest.mark.kills
def test_nothing_is_lost_or_twice_in_the_list_after_kills(tmp_path: Path) -> None:
    database, chance = tmp_path / "jobs.db", random.Random(3)
    with resumelog.open(database) as log:
        for number in range(JOBS):
            lengthen(log, begun(log, f"clip-{number}"))
    told: list[str] = []
    for number in range(ROUNDS):
        told += one_round(database, str(number), chance)
        with resumelog.open(database) as log:
            require_no_event_lost_or_twice(log)
    with resumelog.open(database) as log:
        assert position(log) > JOBS, "the list was saved on the way"
        truth = from_the_log(log)
        assert {*told} <= {view.name for view in truth.values()}
        assert listed(log) == truth
        log.queries.rebuild()
        assert listed(log) == truth


def require_no_event_lost_or_twice(log: ResumeLog) -> None:
    """Versions count the events of a stream, so together they count those that are folded."""
    folded = log.log.recorder.select_notifications(1, 10**6, position(log))
    assert sum(row.version for row in log.view.select((), (), None)) == len(folded)
