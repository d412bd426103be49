"""Exports that are killed and interrupted at random moments lose no unit and repeat none that was saved."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.export_tasks import WAYS
from support.forks import Fork, Forks, forks
from support.logs import events_of

import resumelog
from resumelog import ResumeLog
from resumelog.domain.export_events import Interrupted
from resumelog.domain.export_job import ExportJob, ExportStatus

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS, INTERRUPTS = 100, 52
"""Of each way, over 20 and 200 units, and both signals."""
A_WHILE_S = 0.04
"""About as long as a child takes to begin and to make some tens of units."""


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


class Exports:
    """One export after the other, each by as many children as it takes."""

    def __init__(
        self, children: Forks, folder: Path, way: str, units: int, interval_s: float
    ) -> None:
        self.children, self.folder = children, folder
        self.task = (way, units, interval_s)
        self.chance = random.Random(SEED)
        self.number = 0
        self.landed = 0

    @property
    def key(self) -> str:
        return str(self.folder / f"{self.number}.mp4")

    def made(self) -> list[int]:
        path = Path(f"{self.key}.made")
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def hit(self, number: signal.Signals) -> tuple[Fork, int]:
        """Let a child work, and send it a signal at some moment; return it and how it ended."""
        way, units, interval_s = self.task
        fork = self.children.start(
            "export_by", way, self.key, units, interval_s, folder=self.folder
        )
        time.sleep(self.chance.uniform(0.002, A_WHILE_S))
        os.kill(fork.pid, number)
        code = fork.wait()
        self.landed += code != 0
        return fork, code

    def next_if_done(self) -> None:
        """Begin another export once this one has made all: each unit once, but for what a kill cut."""
        _, units, _ = self.task
        if {*self.made()} == {*range(units)}:
            self.number += 1


def exports(log: ResumeLog, key: str) -> ExportJob:
    return log.log.recover(ExportJob.named(key))


def done_in(job: ExportJob, units: int) -> int:
    return round(job.progress * units)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ResumeLog]:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        yield log


every_way = pytest.mark.parametrize("way", WAYS)
few_and_many = pytest.mark.parametrize("units", [20, 200])


@pytest.mark.kills
@few_and_many
@every_way
def test_kills_lose_no_unit_and_repeat_none_that_was_saved(
    log: ResumeLog, children: Forks, tmp_path: Path, way: str, units: int
) -> None:
    run = Exports(children, tmp_path, way, units, interval_s=0)
    while run.landed < KILLS // 2:
        before, saved = run.made(), done_in(exports(log, run.key), units)
        fork, _ = run.hit(signal.SIGKILL)
        told, made = [int(unit) for unit in fork.told()], run.made()[len(before) :]
        assert made == [*range(saved, saved + len(made))], "a saved unit was made again"
        after = done_in(exports(log, run.key), units)
        assert saved + len(told) <= after <= saved + len(made), "what was told as saved is there"
        run.next_if_done()


@pytest.mark.kills
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@few_and_many
@every_way
def test_interrupts_lose_not_even_what_the_throttle_kept(
    log: ResumeLog, children: Forks, tmp_path: Path, way: str, units: int, number: signal.Signals
) -> None:
    run = Exports(children, tmp_path, way, units, interval_s=5)
    while run.landed < INTERRUPTS // 4:
        before, saved = run.made(), done_in(exports(log, run.key), units)
        fork, code = run.hit(number)
        told, made = [int(unit) for unit in fork.told()], run.made()[len(before) :]
        assert made == [*range(saved, saved + len(made))], "a saved unit was made again"
        job = exports(log, run.key)
        assert saved + len(told) <= done_in(job, units) <= saved + len(made), fork.stderr()
        assert job.status is not ExportStatus.RUNNING, fork.stderr()
        if code > 0 and made and job.status is ExportStatus.INTERRUPTED:
            (*_, last) = events_of(log, run.key)
            assert isinstance(last, Interrupted)
            assert last.cause.startswith(("KeyboardInterrupt", "Terminated: SIGTERM"))
        run.next_if_done()
