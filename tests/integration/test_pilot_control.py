"""Runs that are controlled from a second process at random moments, and recovered by two at once."""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.forks import Fork, Forks, forks
from support.logs import events_of, names_of
from support.pilot_tasks import ENOUGH, PATIENCE_S, QUICK, BusyHost, workers_of
from support.run_story import told_by

import resumelog
from resumelog import AutoPilot, ResumeLog
from resumelog.domain.autopilot_events import StepStarted
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.errors import ModeNotAuto, NotActive, NotPaused

pytestmark = pytest.mark.kills

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
SIMS = ("sim-模拟-1", "sim-2", "sim-3")
REFUSALS = (ModeNotAuto, NotActive, NotPaused)
"""What a control command may answer: the run is not where it was a moment ago."""

CONTROLS: tuple[Callable[[AutoPilot, str], object], ...] = (
    lambda pilot, sim: pilot.pause(sim, "午休", "小王"),
    lambda pilot, sim: pilot.resume(sim, "小王"),
    lambda pilot, sim: pilot.resume(sim, "小王"),
    lambda pilot, sim: pilot.stop(sim, "小王"),
    lambda pilot, sim: pilot.reset(sim, "小王"),
    lambda pilot, sim: pilot.start(sim, force=True),
    lambda pilot, sim: pilot.start(sim),
    lambda pilot, sim: pilot.configure(sim, "manual", "小王"),
    lambda pilot, sim: pilot.configure(sim, "auto", "小王"),
    lambda pilot, sim: pilot.configure(sim, "auto", "小王"),
)


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Children that start at once."""
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


@pytest.fixture
def chance() -> random.Random:
    """Random moments, which the printed seed brings back."""
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    return random.Random(SEED)


def controlled(pilot: AutoPilot, count: int, chance: random.Random) -> None:
    """Ask for something at random moments, so many times."""
    for _ in range(count):
        time.sleep(chance.uniform(0, 0.03))
        with suppress(*REFUSALS):
            chance.choice(CONTROLS)(pilot, chance.choice(SIMS))


def ended_well(pilot: AutoPilot, sim: str) -> str:
    """Bring a run to its end, wherever it stands."""
    pilot.configure(sim, "auto")
    deadline = time.monotonic() + PATIENCE_S
    while pilot.status(sim).status != "completed" and time.monotonic() < deadline:
        pilot.start(sim)
        pilot.wait(sim, PATIENCE_S)
    return str(pilot.status(sim).status)


def require_one_story(log: ResumeLog, sim: str) -> None:
    events = events_of(log, sim)  # once: its worker may go on writing
    story, run = told_by(events), AutoPilotRun.named(sim).fold(events)
    assert (run.status, run.epoch, run.version) == (story.status, story.epoch, story.version)
    assert [*run.completed] == story.done


def require_consistency_under_control(
    children: Forks, folder: Path, url: str, count: int, chance: random.Random
) -> None:
    with resumelog.open(url) as log:
        pilot = log.autopilot(BusyHost(), QUICK)
        for sim in SIMS:
            pilot.configure(sim, "auto")
        driver = children.start("drive_until_enough", url, *SIMS, folder=folder)
        driver.tells("ready")
        controlled(pilot, count, chance)
        (folder / ENOUGH).touch()
        assert driver.succeeded()[-1] == "left", "a worker outlived its service"
        for sim in SIMS:
            require_one_story(log, sim)
            assert ended_well(pilot, sim) == "completed"
            require_one_story(log, sim)
        held = [log.leases.holder(AutoPilotRun.named(sim).id) for sim in SIMS]
        deadline = time.monotonic() + PATIENCE_S
        while workers_of(SIMS) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (held, workers_of(SIMS)) == ([None] * len(SIMS), [])


@pytest.mark.parametrize("part", range(3))
def test_controlled_at_random_moments_the_log_tells_one_story(
    children: Forks,
    tmp_path: Path,
    chance: random.Random,
    caplog: pytest.LogCaptureFixture,
    part: int,
) -> None:
    chance.seed(f"{SEED} {part}")
    url = str(tmp_path / "jobs.db")
    require_consistency_under_control(children, tmp_path, url, 50, chance)
    assert [each for each in caplog.records if each.levelno > logging.INFO] == []


def test_controlled_at_random_moments_postgres_tells_one_story(
    children: Forks, tmp_path: Path, postgres_url: str, chance: random.Random
) -> None:
    require_consistency_under_control(children, tmp_path, postgres_url, 30, chance)


# Recovered by two at once


MANY = tuple(f"sim-{number}" for number in range(12))


def told(fork: Fork, word: str) -> list[str]:
    """Return what a child told after this word."""
    (line,) = (line for line in fork.told() if line.split()[0] == word)
    return line.split()[1:]


def require_each_recovered_once(children: Forks, folder: Path, url: str, processes: int) -> None:
    first = children.start("begin_and_hang", url, *MANY, folder=folder)
    first.tells("ready")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    both = [children.start("recover_at_once", url, *MANY, folder=folder) for _ in range(processes)]
    for each in both:
        each.tells("ready")
    (folder / ENOUGH).touch()
    for each in both:
        each.succeeded()
        assert told(each, "left") == []
    assert sorted(sim for each in both for sim in told(each, "recovered")) == sorted(MANY)
    with resumelog.open(url) as log:
        for sim in MANY:
            require_one_story(log, sim)
            names = names_of(log, sim)
            assert (names.count("Recovered"), names[-1]) == (1, "Completed")
            begun = [each.step for each in events_of(log, sim) if isinstance(each, StepStarted)]
            assert begun.count("monitoring") == 2
            assert len(begun) == 5


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_that_recover_at_once_recover_each_run_once_between_them(
    children: Forks, tmp_path: Path, processes: int
) -> None:
    require_each_recovered_once(children, tmp_path, str(tmp_path / "jobs.db"), processes)


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_that_recover_at_once_from_postgres_recover_each_run_once_between_them(
    children: Forks, tmp_path: Path, postgres_url: str, processes: int
) -> None:
    require_each_recovered_once(children, tmp_path, postgres_url, processes)
