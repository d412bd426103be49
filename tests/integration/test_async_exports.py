"""Exports on asyncio: what `with` guarantees, and no event loop that waits for a disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.logs import UNITS, Store, events_of, leave_by, make_units, names_of
from support.slow import Disk, Heart, SlowLeaseTable, SlowRecorder

from resumelog import AlreadyRunning, Export, JobPaused, ProgressFacts, ResumeLog
from resumelog.domain.errors import NotRunning
from resumelog.domain.export_events import Failed, Interrupted
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


async def render(
    log: ResumeLog, output: Path, *, until: int = UNITS, end: BaseException | None = None
) -> list[int]:
    """Make the units that are left, and return them; leave before `until` by `end`."""
    made: list[int] = []
    try:
        async with log.exports.resume(output) as job:
            async for unit in job.remaining(UNITS):
                if unit == until:
                    leave_by(end)
                    break
                await job.save_progress(units_done=unit + 1, cursor={"帧": unit})
                made.append(unit)
            else:
                output.write_bytes(b"frames" * UNITS)
    except BaseException as error:
        if error is not end:
            raise
    return made


def last_cause(log: ResumeLog, output: Path) -> tuple[str, str]:
    """Return the name of the last event and why it says that the work ended."""
    last = events_of(log, str(output))[-1]
    assert isinstance(last, Interrupted | Failed)
    return type(last).__name__, last.cause if isinstance(last, Interrupted) else last.error


# What `with` does, `async with` does


@pytest.mark.parametrize("until", [0, 4, 9])
@pytest.mark.parametrize(
    ("end", "told"),
    [
        (None, "Interrupted"),
        (ValueError("编码器崩溃"), "Failed"),
        (asyncio.CancelledError("停"), "Interrupted"),
    ],
)
def test_work_goes_on_at_the_exact_unit(
    log: ResumeLog, output: Path, until: int, end: BaseException | None, told: str
) -> None:
    assert asyncio.run(render(log, output, until=until, end=end)) == [*range(until)]
    name, why = last_cause(log, output)
    cause = f"left with {until} of {UNITS} units done"
    expected = f"{type(end).__name__}: {end}" if end else cause
    assert (name, why) == (told, expected if until or end else "left with 0 of 10 units done")
    assert asyncio.run(render(log, output)) == [*range(until, UNITS)]
    assert names_of(log, str(output))[-1] == "Completed"


def test_a_handle_tells_what_the_export_does(log: ResumeLog, output: Path) -> None:
    make_units(log, output, until=4)

    async def look() -> None:
        async with log.exports.resume(output) as job:
            names = ("progress", "units_done", "units_total", "cursor", "output_path", "title")
            for name in (*names, "is_completed"):
                assert getattr(job, name) == getattr(job.export, name), name
            assert (job.units_done, job.cursor, job.is_completed) == (4, {"帧": 3}, False)
            assert job.progress_facts()[:3] == (0.4, 4, UNITS)
            point = await job.resume_point()
            assert [fact.value for fact in point.next] == [4]

    asyncio.run(look())


def test_what_is_finished_is_skipped(log: ResumeLog, output: Path) -> None:
    asyncio.run(render(log, output))
    assert asyncio.run(render(log, output)) == []
    assert names_of(log, str(output)).count("Started") == 1


def test_the_output_is_moved_into_place_at_the_end(log: ResumeLog, output: Path) -> None:
    async def write() -> None:
        async with log.exports.resume(output) as job:
            async with job.output() as partial:
                await job.save_progress(0.5)
                partial.write_bytes(b"frames")
                assert not output.exists()
            await job.complete()

    asyncio.run(write())
    assert output.read_bytes() == b"frames"
    assert names_of(log, str(output)) == ["Started", "ProgressSaved", "Completed"]


def test_an_error_leaves_no_output_and_no_partial_file(log: ResumeLog, output: Path) -> None:
    async def write() -> None:
        async with log.exports.resume(output) as job, job.output() as partial:
            partial.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(write())
    assert [path.name for path in output.parent.iterdir() if path.suffix == ".mp4"] == []


def test_fractions_are_throttled_and_the_last_is_written_by_flush(
    log: ResumeLog, output: Path
) -> None:
    async def report() -> None:
        async with log.exports.resume(output) as job:
            saved = [await job.save_progress(fraction) for fraction in (0.1, 0.2)]
            assert [each.throttled for each in saved] == [False, True]
            await job.flush()
            assert job.export.saved_progress == 0.2
            await job.begin_again("重来")
            assert job.progress == 0.0
            await job.leave("午休")

    asyncio.run(report())
    assert last_cause(log, output) == ("Interrupted", "午休")


def test_a_pause_is_seen_before_the_next_unit(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    async def work() -> None:
        async with log.exports.resume(output) as job:
            async for unit in job.remaining(UNITS):
                await asyncio.to_thread(other.exports.pause, str(output), "午休", "小王")
                await job.save_progress(units_done=unit + 1)

    with pytest.raises(JobPaused):
        asyncio.run(work())
    assert log.queries.find(str(output)).status == "paused"


def test_two_tasks_on_one_export_do_not_both_work(log: ResumeLog, output: Path) -> None:
    async def both() -> list[object]:
        each = (render(log, output) for _ in range(2))
        return [*await asyncio.gather(*each, return_exceptions=True)]

    ended = asyncio.run(both())
    assert [type(each) for each in ended].count(list) == 1
    assert any(isinstance(each, AlreadyRunning) for each in ended)


def test_code_in_threads_saves_through_the_same_handle(log: ResumeLog, output: Path) -> None:
    def blocking(job: Export) -> None:
        for unit in job.remaining(UNITS):
            job.save_progress(units_done=unit + 1)

    async def work() -> None:
        async with log.exports.resume(output) as job:
            await asyncio.to_thread(blocking, job.export)

    asyncio.run(work())
    assert names_of(log, str(output)).count("ProgressSaved") == UNITS


def test_after_the_block_nothing_is_saved(log: ResumeLog, output: Path) -> None:
    async def work() -> None:
        async with log.exports.resume(output) as job:
            await job.save_progress(units_done=1, units_total=2)
        with pytest.raises(NotRunning):
            await job.save_progress(units_done=2, units_total=2)

    asyncio.run(work())


def test_callbacks_are_called_in_the_loops_thread_before_the_save_returns(
    log: ResumeLog, output: Path
) -> None:
    told: list[tuple[float, int]] = []

    def note(facts: ProgressFacts) -> None:
        told.append((facts.fraction, threading.get_ident()))

    async def work() -> None:
        async with log.exports.resume(output, on_progress=note) as job:
            async for unit in job.remaining(2):
                await job.save_progress(units_done=unit + 1)
                assert told[-1][0] == (unit + 1) / 2

    asyncio.run(work())
    here = threading.get_ident()
    assert told == [(0.0, here), (0.5, here), (1.0, here), (1.0, here)]


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
    assert last_cause(slow, output) == ("Interrupted", "CancelledError: ")
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


async def too_slow(log: ResumeLog, output: Path) -> None:
    async with log.exports.resume(output):
        await asyncio.sleep(PATIENCE_S)


def test_a_timeout_around_an_export_interrupts_it(log: ResumeLog, output: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(0.1):
            await too_slow(log, output)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert last_cause(log, output) == ("Interrupted", "CancelledError: ")


def test_a_timeout_in_an_export_fails_it(log: ResumeLog, output: Path) -> None:
    async def main() -> None:
        async with log.exports.resume(output), asyncio.timeout(0.01):
            await asyncio.sleep(PATIENCE_S)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert last_cause(log, output) == ("Failed", "TimeoutError: ")


def test_the_end_of_the_loop_interrupts_what_still_runs(log: ResumeLog, output: Path) -> None:
    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(too_slow(log, output))
        while "Started" not in [*map(type_name, log.log.history(ExportJob.named(str(output)).id))]:
            await asyncio.sleep(0.01)
        return task

    asyncio.run(main())
    assert last_cause(log, output) == ("Interrupted", "CancelledError: ")


def type_name(value: object) -> str:
    return type(value).__name__


def test_a_coroutine_that_is_closed_says_so(log: ResumeLog, output: Path) -> None:
    """A loop that was left in the middle never goes on with it."""
    loop = asyncio.new_event_loop()
    began = asyncio.Event()

    async def work() -> None:
        async with log.exports.resume(output) as job:
            await job.save_progress(units_done=2, units_total=UNITS)
            began.set()
            await asyncio.sleep(PATIENCE_S)

    coroutine = work()
    task = loop.create_task(coroutine)
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is left on purpose
    loop.run_until_complete(began.wait())
    loop.close()
    coroutine.close()
    assert last_cause(log, output) == ("Interrupted", "GeneratorExit: ")
    assert make_units(log, output) == [*range(2, UNITS)]


def test_a_generator_over_an_export_that_is_left_early_says_so(
    log: ResumeLog, output: Path
) -> None:
    async def frames() -> AsyncGenerator[int]:
        async with log.exports.resume(output) as job:
            async for unit in job.remaining(UNITS):
                yield unit
                await job.save_progress(units_done=unit + 1)

    async def main() -> None:
        async with aclosing(frames()) as units:
            async for unit in units:
                if unit == 3:
                    break

    asyncio.run(main())
    assert last_cause(log, output) == ("Interrupted", "GeneratorExit: ")
    assert make_units(log, output) == [*range(3, UNITS)]


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
    assert "a cancelled export: its record was not saved" in caplog.text
