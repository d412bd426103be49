"""Processes that write and list jobs at once, killed at random: the list loses and doubles nothing."""

from __future__ import annotations

import random
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.children import child
from support.listed_logs import from_the_log, listed, position

import resumelog

ROUNDS, PROCESSES = 5, 3


def killed(process: subprocess.Popen[str], jobs: int) -> list[str]:
    """Let a process write so many jobs, kill it at whatever it does then; return the jobs."""
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(jobs)]
    process.send_signal(signal.SIGKILL)
    rest, errors = process.communicate()
    assert not errors
    return told + [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.kills
def test_nothing_is_lost_or_twice_in_the_list_after_kills(tmp_path: Path) -> None:
    database = tmp_path / "jobs.db"
    chance = random.Random(3)
    told: list[str] = []
    for round_ in range(ROUNDS):
        with ExitStack() as stack:
            processes = [
                stack.enter_context(
                    child("append_and_list", database, f"{round_}-{number}", cwd=tmp_path)
                )
                for number in range(PROCESSES)
            ]
            for process in processes:
                told += killed(process, chance.randint(1, 6))
    with resumelog.open(database) as log:
        assert position(log) > 0, "the list was saved on the way"
        truth = from_the_log(log)
        assert {name.strip() for name in told} <= {view.name for view in truth.values()}
        assert listed(log) == truth
        folded = log.log.recorder.select_notifications(1, 10**6, position(log))
        assert sum(row.version for row in log.view.select((), (), None)) == len(folded)
        log.queries.rebuild()
        assert listed(log) == truth
