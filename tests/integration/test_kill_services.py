"""kill -9 at any moment: what was told as saved is there, once, and another worker goes on at once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue
from support.children import PATIENCE_S, child, finished
from support.logs import events_of, make_scenes, names_of, scenes

import resumelog
from resumelog import AlreadyRunning, Batch, ResumeLog
from resumelog.domain import export_events, scene_events
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch

A_DAY = "86400"
SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS = 9
UNITS = 400
IN_BETWEEN_S = 0.004


@pytest.fixture
def chance() -> random.Random:
    """Random moments, which the printed seed brings back."""
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    return random.Random(SEED)


def told_until_killed(
    task: tuple[str, ...], folder: Path, chance: random.Random, lines: int
) -> list[str]:
    """Run a child, kill it after about so many lines, and return all lines it wrote."""
    with child(*task, cwd=folder, RESUMELOG_LEASE_S=A_DAY) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(lines)]
        time.sleep(chance.uniform(0, IN_BETWEEN_S))
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
        assert process.wait() == -signal.SIGKILL, process.stderr and process.stderr.read()
    return told


def rounds(task: tuple[str, ...], folder: Path, chance: random.Random) -> Iterator[list[str]]:
    """Yield what each of KILLS children told, and what the last one did, which may finish."""
    for _ in range(KILLS):
        yield told_until_killed(task, folder, chance, chance.randrange(1, UNITS // KILLS - 20))
    with child(*task, cwd=folder, RESUMELOG_LEASE_S=A_DAY) as process:
        code, out, err = finished(process)
    assert code == 0, err
    yield out.split()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ResumeLog]:
    """The log that the children write, as one more reader sees it."""
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        yield log


@pytest.mark.kills
def test_an_export_loses_and_repeats_nothing_over_kills(
    log: ResumeLog, tmp_path: Path, chance: random.Random
) -> None:
    output, told = str(tmp_path / "成片.mp4"), list[int]()
    job = ExportJob.named(output)
    for lines in rounds(("export", "jobs.db", output, str(UNITS)), tmp_path, chance):
        told += map(int, lines)
        assert log.log.recover(job).report.units_done in (told[-1] + 1, told[-1] + 2)
    events = events_of(log, job)
    saved = [one.units_done for one in events if isinstance(one, export_events.ProgressSaved)]
    assert saved == [*range(1, UNITS + 1)]
    assert {*told} <= {*range(UNITS)}
    assert len(told) == len({*told}), "a unit that was told was made again"
    assert names_of(log, job).count("Interrupted") == KILLS
    assert job.status == "completed"


@pytest.mark.kills
def test_a_batch_loses_and_repeats_nothing_over_kills(
    log: ResumeLog, tmp_path: Path, chance: random.Random
) -> None:
    batch, told = SceneBatch.named("电影", "分镜"), list[str]()
    for lines in rounds(("stage", "jobs.db", str(UNITS)), tmp_path, chance):
        told += lines
        log.log.recover(batch)
        assert all(map(batch.is_done, told)), "a scene that was told as saved is lost"
    events = events_of(log, batch)
    made = Counter(one.scene for one in events if isinstance(one, scene_events.SceneCompleted))
    assert made == Counter(map(str, range(UNITS)))
    assert len(told) == len({*told}), "a scene that was told was made again"
    assert names_of(log, batch).count("Interrupted") == KILLS
    assert batch.status == "completed"


def killed_at_10(folder: Path, *fails: str) -> int:
    """Return the number of a worker that was killed in the middle of scene 10 of 12."""
    with child("die_at", "jobs.db", "10", "12", *fails, cwd=folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at 10\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    return process.pid


@pytest.mark.kills
def test_a_failed_scene_and_a_kill_leave_exactly_what_is_not_done(
    log: ResumeLog, tmp_path: Path
) -> None:
    killed_at_10(tmp_path, "3")
    batch = log.scenes.open("电影", "分镜", scenes=scenes(*range(1, 13)))
    assert make_scenes(batch) == ["3", "10", "11", "12"]


@pytest.mark.kills
def test_a_killed_worker_is_named_with_what_it_had_in_flight(
    log: ResumeLog, tmp_path: Path
) -> None:
    pid = killed_at_10(tmp_path)
    make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(*range(1, 13))))
    events = events_of(log, "电影/分镜")
    (cut,) = (one for one in events if isinstance(one, scene_events.Interrupted))
    assert cut.in_flight == ("10",)
    assert f"pid {pid} on" in cut.cause


@pytest.mark.kills
def test_a_worker_that_hung_is_succeeded_and_refused_when_it_comes_back(
    log: ResumeLog, tmp_path: Path
) -> None:
    task = ("die_at", "jobs.db", "10", "12")
    with child(*task, cwd=tmp_path, RESUMELOG_LEASE_S="0.5") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at 10\n"
        process.send_signal(signal.SIGSTOP)
        batch = opened_in_time(log, scenes(*range(1, 13)))
        assert [scene.key for scene in batch.remaining()] == ["10", "11", "12"]
        process.send_signal(signal.SIGCONT)
        code, _, err = finished(process)
        assert (code, "LeaseLost" in err) == (1, True)
    batch.leave("enough")
    refused = [event.epoch for event in events_of(log, "电影/分镜")]
    assert refused == sorted(refused, key=lambda epoch: epoch or 0), "an old epoch wrote again"


def opened_in_time(log: ResumeLog, plan: list[JsonValue]) -> Batch:
    """Open the batch as soon as its worker's heartbeat has stood still for its lease."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return log.scenes.open("电影", "分镜", scenes=plan)
        except AlreadyRunning:
            assert time.monotonic() < deadline
            time.sleep(0.05)
