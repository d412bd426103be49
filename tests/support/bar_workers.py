"""What the children of tests on progress bars do: `python -m support.bar_workers TASK ARGUMENTS`."""

from __future__ import annotations

import sys
import threading
import time

from pydantic import JsonValue

import resumelog
from resumelog import ProgressBars, Scene

UNITS = 10
A_WHILE_S = 0.5
"""Longer than it takes until a bar is drawn anew."""


def tracked(until: str) -> None:
    """Make units up to one, and leave there."""
    with resumelog.open("jobs.db") as log, log.exports.resume("成片🎬.mp4") as job:
        for unit in resumelog.track(job, UNITS, save=True, title="成片 \x1b[31m"):
            time.sleep(A_WHILE_S if unit == 7 else 0)
            if unit == int(until):
                break


def several(count: str) -> None:
    """Make exports in threads, a bar for each."""
    with resumelog.open("jobs.db") as log, ProgressBars() as bars:

        def export(name: str) -> None:
            with log.exports.resume(name, on_progress=bars.show(name)) as job:
                for fraction in (0.25, 0.5):
                    job.save_progress(fraction)

        threads = [threading.Thread(target=export, args=(f"{n}.mp4",)) for n in range(int(count))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(A_WHILE_S)


def idle() -> None:
    """Make one unit, then none for a while."""
    with (
        resumelog.open("jobs.db") as log,
        log.exports.resume("a.mp4") as job,
        resumelog.progress_bar(job),
    ):
        units = job.remaining(UNITS)
        time.sleep(0.2)
        job.save_progress(units_done=next(units) + 1)
        time.sleep(1.0)


def unread() -> None:
    """Say much, once nobody reads it."""
    sys.stdin.readline()
    with (
        resumelog.open("jobs.db") as log,
        ProgressBars(line_every_s=0) as bars,
        log.exports.resume("成片🎬.mp4", on_progress=bars.show("成片")) as job,
    ):
        for unit in job.remaining(UNITS):
            job.save_progress(units_done=unit + 1)


def batch(title: str) -> None:
    """Make ten scenes, one of which fails, and stay a while in the eighth."""

    def make(scene: Scene) -> str:
        time.sleep(A_WHILE_S if scene.key == "7" else 0.01)
        if scene.key == "3":
            raise ValueError("空")
        return scene.key

    plan: list[JsonValue] = [{"id": str(number)} for number in range(10)]
    with (
        resumelog.open("jobs.db") as log,
        log.scenes.open("归途", "分镜", scenes=plan) as opened,
        resumelog.progress_bar(opened, title),
    ):
        opened.run(make)


TASKS = {task.__name__: task for task in (tracked, several, idle, unread, batch)}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    TASKS[name](*arguments)
