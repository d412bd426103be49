"""SIGKILL at random moments of a cleaning: a job's values are all there, or gone with their event.

RESUMELOG_TEST_SEED brings back the moments of a failure.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from support.batches_done import STAGE, dead_with, finish
from support.forks import Forks
from support.logs import names_of, scenes

import resumelog
from resumelog import ResumeLog
from resumelog.application.ports import InFlight
from resumelog.domain.scene_batch import SceneBatch

pytestmark = pytest.mark.kills

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS, JOBS, DEAD = 60, 40, 10
RESULTS = 5
LATE = 1.1
"""Beyond the time of an undisturbed cleaning, to meet its end too."""


def template(folder: Path) -> Path:
    """Make a log of finished jobs, and of jobs whose workers are gone, with their files."""
    folder.mkdir()
    with resumelog.open(folder / "jobs.db", root=folder) as log:
        for number in range(JOBS):
            finish(log, RESULTS, stage=f"第{number}集")
        for number in range(DEAD):
            partial = folder / f"{number}.partial-1"
            partial.touch()
            dead_with(log, InFlight("1", 1, partial=str(partial)), stage=f"断{number}")
    return folder


def require_whole(folder: Path) -> tuple[int, int]:
    """Require what must hold at any moment; return how many jobs and files are left."""
    with resumelog.open(folder / "jobs.db") as log:
        verdict = log.audit.verify()
        assert verdict.is_well, verdict.faults
        jobs = [SceneBatch.named(STAGE[0], f"第{number}集") for number in range(JOBS)]
        kept = [log.log.count_payloads(job.id)[0] for job in jobs]
        assert {*kept} <= {0, RESULTS}
        removed = [names_of(log, job).count("PayloadsRemoved") for job in jobs]
        assert removed == [0 if each else 1 for each in kept]
    return sum(map(bool, kept)), len([*folder.glob("*.partial-1")])


def require_attempts_noted(log: ResumeLog) -> None:
    """Require that each successor is told what was in flight, and records it."""
    for number in range(DEAD):
        batch = log.scenes.open(STAGE[0], f"断{number}", scenes=scenes(1, 2))
        assert batch.cut_off == ("1",)
        assert "Interrupted" in names_of(log, SceneBatch.named(STAGE[0], f"断{number}"))


def test_a_killed_cleaning_leaves_a_log_that_verifies_and_the_next_one_ends_it(
    children: Forks, folder: Path, tmp_path: Path
) -> None:
    chance, met = random.Random(SEED), 0
    work = folder / "work"  # the leases name paths in it
    as_made = shutil.copytree(template(work), tmp_path / "as made")
    lasts_s = undisturbed_s(children, work)
    for _ in range(KILLS):
        shutil.rmtree(work)
        shutil.copytree(as_made, work)
        fork = children.start("clean", "jobs.db", folder=work)
        fork.tells("ready")
        time.sleep(chance.uniform(0, lasts_s * LATE))
        os.kill(fork.pid, signal.SIGKILL)
        fork.wait()
        jobs, files = require_whole(work)
        met += 0 < jobs < JOBS or 0 < files < DEAD
        children.start("clean", "jobs.db", folder=work).succeeded()
        assert require_whole(work) == (0, 0), f"seed {SEED}"
        with resumelog.open(work / "jobs.db", root=work) as log:
            require_attempts_noted(log)
    assert met > KILLS / 4, f"only {met} kills came in the middle of the work"


def undisturbed_s(children: Forks, work: Path) -> float:
    fork = children.start("clean", "jobs.db", folder=work)
    fork.tells("ready")
    began = time.monotonic()
    assert fork.succeeded()[-1] == f"{JOBS * RESULTS} {DEAD}"
    return time.monotonic() - began
