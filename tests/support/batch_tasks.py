"""Exports with resources, and many at a time, in child processes that are interrupted and killed."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

from support.children import PATIENCE_S
from support.export_tasks import make
from support.workers import fill_disk, limit_files

import resumelog
from resumelog import Export, ResumeLog

BORROWED = "成片"


def tell(*words: object) -> None:
    """Write one line in one system call, as threads and signals need it."""
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def borrow(end: str) -> None:
    """Begin an export with resources, report half of it, and end in some way."""
    with resumelog.open("jobs.db") as log:
        work = working(log, ENDS[end])
        next(work)
        work.close()


def working(log: ResumeLog, end: Callable[[Export], object]) -> Generator[None]:
    """Work with all kinds of resources, up to the middle; yield there if that is no end."""
    with log.exports.resume(None, key=BORROWED) as job:
        folder = job.resources.temporary_directory("帧-", within=".")
        (folder / "1.png").write_bytes(b"frame")
        job.resources.open("noted.txt", "w", encoding="utf-8").write("一半")
        job.resources.callback(tell, "a")
        job.resources.callback(tell, "b")
        job.resources.callback(tell, "rollback", only_on_failure=True, priority=1)
        job.save_progress(0.25)
        job.save_progress(0.5)
        tell("ready")
        end(job)
        yield


def fail_slowly(job: Export) -> None:
    """Fail, and take long to release the first resource."""
    job.resources.callback(time.sleep, PATIENCE_S, priority=2)
    job.resources.callback(tell, "releasing", priority=3)
    raise ValueError("编码器崩溃")


ENDS: dict[str, Callable[[Export], object]] = {
    "wait": lambda _: time.sleep(PATIENCE_S),
    "exit": lambda _: sys.exit(3),
    "close": lambda _: None,
    "fail slowly": fail_slowly,
}


def render(units: int) -> Callable[[Export, Any], None]:
    """Return the function that makes the units of one version that are left, and its file."""

    def made(job: Export, version: Any) -> None:
        for unit in job.remaining(units):
            make(str(job.output_path), unit)
            job.save_progress(units_done=unit + 1)
            tell(version, unit)
        with job.output() as partial:
            partial.write_bytes(b"frames" * units)

    return made


def export_all(database: str, folder: str, count: str, units: str, workers: str) -> None:
    """Go on with a batch of exports."""
    items = [(number, f"{folder}/{number}.mp4") for number in range(int(count))]
    with resumelog.open(database) as log:
        report = log.exports.run_all(items, render(int(units)), workers=int(workers))
        assert report.is_complete, report


def hang_in_all(count: str) -> None:
    """Begin exports that never come to a safe point."""

    def hang(job: Export, version: object) -> None:
        job.save_progress(0.25)
        job.save_progress(0.5)
        tell("hanging", version)
        time.sleep(PATIENCE_S)

    with resumelog.open("jobs.db") as log:
        log.exports.run_all([(one, f"{one}.mp4") for one in range(int(count))], hang)


def export_all_on_a_full_disk() -> None:
    """Export three versions; the disk is full in the second, and freed before what failed is retried."""

    fills = [1]

    def render(job: Export, version: object) -> None:
        for unit in job.remaining(2):
            if version in fills and unit == 1:
                fills.clear()
                fill_disk("jobs.db")
            job.save_progress(units_done=unit + 1, cursor="帧" * 5000)
            tell(version, unit)
        assert job.output_path
        job.output_path.write_bytes(b"frames")

    items = [(version, f"{version}.mp4") for version in range(3)]
    with resumelog.open("jobs.db") as log:
        report = log.exports.run_all(items, render, workers=1)
        tell(json.dumps([(item.status, item.error) for item in report.items]))
        limit_files(resource.RLIM_INFINITY)
        report = log.exports.retry_failed(report, render)
        tell(json.dumps([(item.status, item.error) for item in report.items]))


BATCH_TASKS = {
    task.__name__: task for task in (borrow, export_all, hang_in_all, export_all_on_a_full_disk)
}
