"""Batches of exports in processes that are killed and interrupted: no unit lost, none that was saved repeated."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.batch_tasks import render
from support.batches import job_of
from support.forks import Fork, Forks, forks
from support.logs import events_of

import resumelog
from resumelog import ResumeLog
from resumelog.domain.export_events import Interrupted

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
ITEMS, UNITS, WORKERS = 6, 60, 3
HITS = 24
A_WHILE_S = 0.06
"""About as long as a child takes to begin, and to make some units of the first exports."""


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ResumeLog]:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        yield log


class Batches:
    """One batch after the other, each by as many children as it takes."""

    def __init__(self, log: ResumeLog, children: Forks, folder: Path) -> None:
        self.log, self.children, self.root = log, children, folder
        self.chance = random.Random(SEED)
        self.number = self.landed = 0
        self.next()

    def next(self) -> None:
        """Begin another batch."""
        self.number += 1
        self.folder = self.root / str(self.number)
        self.folder.mkdir()

    def outputs(self) -> list[Path]:
        return [self.folder / f"{number}.mp4" for number in range(ITEMS)]

    def made(self) -> list[list[int]]:
        paths = [Path(f"{output}.made") for output in self.outputs()]
        return [[*map(int, path.read_text().split())] if path.exists() else [] for path in paths]

    def saved(self) -> list[int]:
        return [self.saved_of(output) for output in self.outputs()]

    def saved_of(self, output: Path) -> int:
        job = job_of(self.log, output)
        return UNITS if job.status == "completed" else job.report.units_done or 0

    def hit(self, number: signal.Signals, units: int = 0) -> Fork:
        """Let a child make so many units, and send it a signal a moment later.

        What was saved is not made again, and what was told is saved.
        """
        before, saved = self.made(), self.saved()
        fork = self.children.start(
            "export_all", self.log_path, self.folder, ITEMS, UNITS, WORKERS, folder=self.folder
        )
        fork.tells_lines(min(units, ITEMS * UNITS - sum(saved)))
        time.sleep(self.chance.uniform(0.002, A_WHILE_S))
        os.kill(fork.pid, number)
        self.landed += fork.wait() != 0
        told = [tuple(map(int, line.split())) for line in fork.told()]
        for item in range(ITEMS):
            made = self.made()[item][len(before[item]) :]
            assert made == [*range(saved[item], saved[item] + len(made))], fork.stderr()
            after = self.saved()[item]
            count = sum(1 for one, _ in told if one == item)
            assert saved[item] + count <= after <= saved[item] + len(made), fork.stderr()
        return fork

    @property
    def log_path(self) -> Path:
        return self.root / "jobs.db"

    def require_finished(self) -> None:
        """Go on here: what was finished is skipped, what was not ends, and every unit was made."""
        finished = [job_of(self.log, path).status == "completed" for path in self.outputs()]
        items = [*enumerate(self.outputs())]
        report = self.log.exports.run_all(items, render(UNITS), workers=WORKERS)
        assert [item.status == "skipped" for item in report.items] == finished
        assert report.is_complete
        assert [{*made} for made in self.made()] == [{*range(UNITS)}] * ITEMS
        assert all(path.read_bytes() == b"frames" * UNITS for path in self.outputs())


@pytest.mark.kills
def test_kills_lose_no_unit_of_any_export_and_repeat_none_that_was_saved(
    log: ResumeLog, children: Forks, tmp_path: Path
) -> None:
    batches = Batches(log, children, tmp_path)
    while batches.landed < HITS:
        batches.hit(signal.SIGKILL, batches.chance.randrange(ITEMS * UNITS // HITS * 3))
        if batches.landed % (HITS // 3) == 0:
            batches.require_finished()
            batches.next()


@pytest.mark.kills
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_recorded_in_every_export_that_is_at_work(
    log: ResumeLog, children: Forks, tmp_path: Path, number: signal.Signals
) -> None:
    batches = Batches(log, children, tmp_path)
    cause = {"2": "KeyboardInterrupt", "15": "Terminated: SIGTERM"}[str(int(number))]
    at_work = list[int]()
    while batches.landed < HITS // 2:
        fork = batches.hit(number, batches.chance.randrange(2 * WORKERS))
        at_work.append(0)
        for output in batches.outputs():
            job = job_of(log, output)
            assert job.status in ("idle", "completed", "interrupted"), fork.stderr()
            if job.status == "interrupted":
                (*_, last) = events_of(log, job)
                assert isinstance(last, Interrupted)
                assert last.cause in (f"BatchStopped: {cause}", cause)
                at_work[-1] += 1
        if sum(batches.saved()) == ITEMS * UNITS:
            batches.next()
    assert max(at_work) > 1, "several were at work"
    batches.require_finished()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_goes_on_with_the_report(
    log: ResumeLog, children: Forks, tmp_path: Path, number: signal.Signals
) -> None:
    fork = children.start("export_all", "jobs.db", tmp_path, 4, 1000, 2, folder=tmp_path)
    fork.tells("0 3")
    os.kill(fork.pid, number)
    assert fork.wait() == 1
    assert "exports: 2 interrupted, 2 not begun" in fork.stderr()
    assert log.queries.count() == 2


def test_a_second_interrupt_does_not_wait_for_exports_that_hang(
    log: ResumeLog, children: Forks, tmp_path: Path
) -> None:
    fork = children.start("hang_in_all", "2", folder=tmp_path)
    for number in range(2):
        fork.tells(f"hanging {number}")
    os.kill(fork.pid, signal.SIGINT)
    time.sleep(0.1)
    os.kill(fork.pid, signal.SIGINT)
    assert fork.wait() == 1
    report = log.exports.run_all([(number, f"{number}.mp4") for number in range(2)], finish)
    assert report.is_complete


def finish(job: resumelog.Export, version: object) -> None:
    del version
    assert job.progress == 0.25, "what the throttle kept is lost with a thread that hangs"
    assert job.output_path
    job.output_path.write_bytes(b"frames")
    job.save_progress(1.0)


def test_a_full_disk_fails_one_export_by_name_and_it_goes_on_once_there_is_room(
    children: Forks, tmp_path: Path
) -> None:
    told = children.start("export_all_on_a_full_disk", folder=tmp_path)
    assert told.wait() == 0, told.stderr()
    lines = told.told()
    first, retried = (json.loads(line) for line in lines if line.startswith("["))
    assert [status for status, _ in first] == ["done", "failed", "failed"]
    assert "StoreUnavailable: the log" in first[1][1]
    assert [status for status, _ in retried] == ["done"] * 3
    made = sorted(line for line in lines if not line.startswith("["))
    assert made == ["0 0", "0 1", "1 0", "1 1", "2 0", "2 1"]
