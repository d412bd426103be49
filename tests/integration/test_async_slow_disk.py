"""Exports on asyncio on a slow disk: the event loop goes on, and a cancellation tears no save."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.async_exports import last_cause, render
from support.logs import UNITS, Store, names_of
from support.slow import Disk, Heart, SlowLeaseTable, SlowRecorder

from resumelog import ResumeLog
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.storage.leases import TableLeases
from resumelog.infrastructure.storage.memory_jobs import MemoryJobsView

PAUSE_S = 0.05
PATIENCE_S = 60


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that takes its time for everything."""
    disk = Disk()
    disk.pause_s = PAUSE_S
    monkeypatch.setattr(SlowRecorder, "disk", disk)
    monkeypatch.setenv("APPLICATION_RECORDER_TOPIC", "support.slow:SlowRecorder")
    return disk


@pytest.fixture
def slow(disk: Disk, store: Store) -> ResumeLog:
    """A log on it."""
    del disk
    log = store.open()
    leases = TableLeases(SlowLeaseTable(), 60)
    return ResumeLog(log.log, MemoryJobsView(), leases, log.clock, store.root)


# The event loop goes on


def test_the_loop_never_waits_for_the_disk(slow: ResumeLog, disk: Disk, output: Path) -> None:
    heart = Heart()

    async def work() -> None:
        async with (
            heart.beating(),
            slow.exports.resume(output) as job,
            job.output() as partial,
        ):
            partial.write_bytes(b"frames" * 1_000_000)
            async for unit in job.remaining(2):
                await job.save_progress(units_done=unit + 1)
            await job.flush()

    asyncio.run(work())
    assert names_of(slow, str(output)) == ["Started", *["ProgressSaved"] * 2, "Completed"]
    assert disk.calls > 10
    assert heart.stood_still_s(PAUSE_S) < disk.calls * PAUSE_S / 2


def test_many_exports_save_at_once_and_the_loop_goes_on(
    slow: ResumeLog, disk: Disk, output: Path
) -> None:
    heart = Heart()
    outputs = [output.with_name(f"{number}.mp4") for number in range(4)]

    async def work(output: Path) -> None:
        async with slow.exports.resume(output) as job:
            await job.save_progress(units_done=1, units_total=1)

    async def all_of_them() -> None:
        async with heart.beating(), asyncio.TaskGroup() as tasks:
            for each in outputs:
                tasks.create_task(work(each))

    asyncio.run(all_of_them())
    assert {names_of(slow, str(each))[-1] for each in outputs} == {"Completed"}
    assert disk.at_once_max > 1
    assert heart.stood_still_s(PAUSE_S) < disk.calls * PAUSE_S / 2


# Cancelled


async def cancelled_in_a_commit(disk: Disk, task: asyncio.Task[Any]) -> None:
    """Cancel a task once a commit is being made; wait for its end."""
    await asyncio.to_thread(disk.committing.wait, PATIENCE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_save_that_is_cancelled_is_on_disk_and_the_log_says_why_it_ended(
    slow: ResumeLog, disk: Disk, output: Path
) -> None:
    async def work(has_begun: asyncio.Event) -> None:
        async with slow.exports.resume(output) as job:
            disk.committing.clear()
            has_begun.set()
            await job.save_progress(units_done=3, units_total=UNITS)
            pytest.fail("the cancellation did not go on")

    async def main() -> None:
        has_begun = asyncio.Event()
        task = asyncio.create_task(work(has_begun))
        await has_begun.wait()
        await cancelled_in_a_commit(disk, task)

    asyncio.run(main())
    assert names_of(slow, str(output)) == ["Started", "ProgressSaved", "Interrupted"]
    assert last_cause(slow, output) == ("Interrupted", "CancelledError")
    assert slow.log.recover(ExportJob.named(str(output))).report.units_done == 3


def test_an_export_that_is_cancelled_while_it_begins_is_free_for_the_next(
    slow: ResumeLog, disk: Disk, output: Path
) -> None:
    async def main() -> None:
        task = asyncio.create_task(render(slow, output))
        await cancelled_in_a_commit(disk, task)

    asyncio.run(main())
    assert names_of(slow, str(output)) == ["Started", "Interrupted"]
    assert slow.leases.holder(ExportJob.named(str(output)).id) is None


def test_an_export_that_is_cancelled_while_it_completes_is_completed(
    slow: ResumeLog, disk: Disk, output: Path
) -> None:
    async def work(is_done: asyncio.Event) -> None:
        async with slow.exports.resume(output) as job:
            await job.save_progress(units_done=1, units_total=1)
            disk.committing.clear()
            is_done.set()

    async def main() -> None:
        is_done = asyncio.Event()
        task = asyncio.create_task(work(is_done))
        await is_done.wait()
        await cancelled_in_a_commit(disk, task)

    asyncio.run(main())
    assert names_of(slow, str(output)) == ["Started", "ProgressSaved", "Completed"]


def test_a_cancellation_whose_record_is_not_saved_is_told_by_the_log(
    slow: ResumeLog, disk: Disk, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with slow.exports.resume(output) as job:
            await job.save_progress(units_done=1, units_total=UNITS)
            disk.is_full = True
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())
    assert "cancelled work: its record was not saved" in caplog.text
