"""Runs that are ended from outside: by Ctrl+C, once or twice, by SIGTERM, by another process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support.children import child, finished
from support.logs import events_of

import resumelog
from resumelog.domain.scene_events import Interrupted, SceneCompleted

RUN = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import resumelog

def function(scene):
    Path(f"begun-{scene.key}").touch()
    time.sleep(float(sys.argv[2]))
    return scene.key

if __name__ == "__main__":
    executor = ProcessPoolExecutor if sys.argv[1] == "processes" else None
    plan = [{"id": str(n)} for n in range(1, 21)]
    with resumelog.open("jobs.db") as log, log.scenes.open("电影", "分镜", scenes=plan) as batch:
        report = batch.run(function, workers=2, executor=executor)
        print(report.cause)
"""
both = pytest.mark.parametrize("way", ["threads", "processes"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "running.py").write_text(RUN)
    return tmp_path


def begun(folder: Path, key: str) -> None:
    deadline = time.monotonic() + 30
    while not (folder / f"begun-{key}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def left(folder: Path) -> tuple[list[str], Interrupted]:
    """Return the scenes that were recorded, and the event that ended the work."""
    with resumelog.open(folder / "jobs.db") as log:
        events = events_of(log, "电影/分镜")
    assert isinstance(events[-1], Interrupted)
    return sorted(e.scene for e in events if isinstance(e, SceneCompleted)), events[-1]


@both
def test_an_interrupt_lets_the_scenes_in_flight_end(folder: Path, way: str) -> None:
    with child(way, 0.5, cwd=folder, module="running") as process:
        begun(folder, "2")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        code, _, err = finished(process)
    assert code == -signal.SIGINT, err
    assert err.rstrip().endswith("KeyboardInterrupt"), err
    recorded, last = left(folder)
    assert recorded == ["1", "2"]
    assert (last.in_flight, last.cause.rstrip(": ")) == ((), "KeyboardInterrupt")


@both
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_ends_the_run_at_once(folder: Path, way: str, second: signal.Signals) -> None:
    with child(way, 40, cwd=folder, module="running") as process:
        begun(folder, "2")
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
        began = time.monotonic()
        os.kill(process.pid, second)
        code, _, err = finished(process)
    assert code in (-signal.SIGINT, 128 + signal.SIGTERM), err
    assert time.monotonic() - began < 10
    recorded, last = left(folder)
    assert (recorded, {*last.in_flight}) == ([], {"1", "2"})


@both
def test_sigterm_ends_the_run_at_once_and_says_so(folder: Path, way: str) -> None:
    with child(way, 40, cwd=folder, module="running") as process:
        begun(folder, "2")
        began = time.monotonic()
        process.terminate()
        code, _, err = finished(process)
    assert code == 128 + signal.SIGTERM, err
    assert time.monotonic() - began < 10
    recorded, last = left(folder)
    assert (recorded, {*last.in_flight}) == ([], {"1", "2"})
    assert last.cause == "Terminated: SIGTERM"


def test_a_pause_from_another_process_ends_the_run_and_is_told(folder: Path) -> None:
    with child("threads", 0.2, cwd=folder, module="running") as process:
        begun(folder, "2")
        with resumelog.open(folder / "jobs.db", root=folder) as log:
            log.scenes.pause("电影", "分镜", "午休", "小王")
        code, out, err = finished(process)
    assert (code, out.strip()) == (0, "the batch was paused by 小王: 午休"), err


def test_workers_of_a_pool_whose_coordinator_was_killed_end(folder: Path) -> None:
    with child("processes", 40, cwd=folder, module="running") as process:
        begun(folder, "2")
        workers = [int(pid) for pid in children_of(process.pid)]
        assert len(workers) == 2
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while any(is_alive(worker) for worker in workers):
            assert time.monotonic() < deadline, "orphans go on"
            time.sleep(0.02)


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False
