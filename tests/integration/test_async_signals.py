"""Real processes on asyncio that are told to end: each export says why, and no unit is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from support.async_batches import NAME, last_interruption
from support.children import child, finished
from support.logs import events_of, names_of

import resumelog
from resumelog import ResumeLog
from resumelog.domain.export_events import Interrupted
from resumelog.domain.export_job import ExportJob

OUTPUTS = ("a.mp4", "b.mp4", "c.mp4")


@contextmanager
def working(tmp_path: Path, task: str, *outputs: str) -> Iterator[Popen[str]]:
    """Start a child on asyncio."""
    with child(task, "jobs.db", *outputs, cwd=tmp_path, module="support.async_workers") as process:
        yield process


def told_until_all_work(process: Popen[str], outputs: tuple[str, ...]) -> list[str]:
    """Return what the child told until each export has saved a unit."""
    assert process.stdout
    lines: list[str] = []
    while {line.split()[0] for line in lines} < {*outputs}:
        lines.append(process.stdout.readline())
        assert lines[-1], finished(process)
    return lines


def last_unit(lines: list[str], output: str) -> int:
    return max(int(line.split()[1]) for line in lines if line.split()[0] == output)


def causes(log: ResumeLog, folder: Path, *outputs: str) -> set[str]:
    """Return why the log says that these exports ended."""
    last = [events_of(log, str(folder / output))[-1] for output in outputs]
    return {event.cause if isinstance(event, Interrupted) else str(event) for event in last}


@pytest.mark.parametrize(
    ("task", "number", "code", "cause"),
    [
        ("grouped", signal.SIGTERM, 143, "Terminated: SIGTERM"),
        ("gathered", signal.SIGHUP, 129, "Terminated: SIGHUP"),
        ("gathered", signal.SIGINT, -signal.SIGINT, "KeyboardInterrupt"),
        ("parting", signal.SIGTERM, 143, "Terminated: SIGTERM"),
        ("parting", signal.SIGINT, -signal.SIGINT, "KeyboardInterrupt"),
    ],
)
def test_every_export_says_why_it_ended_and_goes_on(
    tmp_path: Path, task: str, number: signal.Signals, code: int, cause: str
) -> None:
    with working(tmp_path, task, *OUTPUTS) as process:
        lines = told_until_all_work(process, OUTPUTS)
        process.send_signal(number)
        ended, out, err = finished(process)
    lines += out.splitlines()
    assert (ended, lines[-1]) == (code, "put back True"), err
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        assert causes(log, tmp_path, *OUTPUTS) == {cause}
        for output in OUTPUTS:
            job = log.log.recover(ExportJob.named(str(tmp_path / output)))
            told = last_unit(lines, output) + 1
            assert job.report.units_done in (told, told + 1)  # the last save was not told
            assert log.leases.holder(job.id) is None


def test_a_batch_says_why_it_ended_and_which_scenes_were_in_flight(tmp_path: Path) -> None:
    with working(tmp_path, "scenes", "batch") as process:
        assert process.stdout
        assert {process.stdout.readline() for _ in range(2)} == {"batch 1\n", "batch 2\n"}
        process.send_signal(signal.SIGTERM)
        code, _, err = finished(process)
    assert code == 143, err
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        last = last_interruption(log)
        assert (last.cause, {*last.in_flight}) == ("Terminated: SIGTERM", {"1", "2"})
        assert names_of(log, NAME).count("SceneCompleted") == 1


def test_a_signal_that_comes_again_while_they_leave_hinders_nothing(tmp_path: Path) -> None:
    with working(tmp_path, "stubborn", "a.mp4") as process:
        told_until_all_work(process, ("a.mp4",))
        process.send_signal(signal.SIGTERM)
        code, out, err = finished(process)
    assert (code, out.splitlines()) == (143, ["left", "put back True"]), err
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        assert causes(log, tmp_path, "a.mp4") == {"Terminated: SIGTERM"}


def test_a_handler_of_the_programs_own_stays(tmp_path: Path) -> None:
    with working(tmp_path, "handled", "a.mp4") as process:
        told_until_all_work(process, ("a.mp4",))
        process.send_signal(signal.SIGTERM)
        code, _, err = finished(process)
    assert code == 0, err
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        assert names_of(log, str(tmp_path / "a.mp4"))[-1] == "Completed"


def test_nothing_is_installed_outside_the_main_thread(log: ResumeLog, output: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def work() -> list[Any]:
        async with log.exports.resume(output):
            return [signal.getsignal(signal.SIGTERM)]

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, work()).result() == [before]


def test_while_one_of_two_logs_has_work_the_handlers_stay(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    first = log.exports.resume(output.with_name("a.mp4"))
    second = other.exports.resume(output.with_name("b.mp4"))

    async def work() -> None:
        await first.__aenter__()
        during = signal.getsignal(signal.SIGTERM)
        async with second:
            await first.__aexit__(None, None, None)
            assert signal.getsignal(signal.SIGTERM) == during != before

    asyncio.run(work())
    assert signal.getsignal(signal.SIGTERM) == before
