"""Exports on asyncio: what `with` does, `async with` does."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from support.async_exports import last_cause, render
from support.logs import UNITS, make_units, names_of

from resumelog import AlreadyRunning, Export, JobPaused, ProgressFacts, ResumeLog
from resumelog.domain.errors import NotRunning


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
    name = "cancelled" if isinstance(end, asyncio.CancelledError) else type(end).__name__
    why = f"{name}: {end}" if end else f"left with {until} of {UNITS} units done"
    assert last_cause(log, output) == (told, why)
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
    assert told == [(0.0, here), (0.5, here), (1.0, here)]
