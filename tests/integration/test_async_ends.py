"""How exports on asyncio end: by a timeout, with their loop, or closed in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
from support.async_exports import last_cause
from support.logs import UNITS, make_units

from resumelog import ResumeLog

PATIENCE_S = 60


async def too_slow(log: ResumeLog, output: Path) -> None:
    async with log.exports.resume(output):
        await asyncio.sleep(PATIENCE_S)


def test_a_timeout_around_an_export_interrupts_it(log: ResumeLog, output: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(0.1):
            await too_slow(log, output)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert last_cause(log, output) == ("Interrupted", "cancelled")


def test_a_timeout_in_an_export_fails_it(log: ResumeLog, output: Path) -> None:
    async def main() -> None:
        async with log.exports.resume(output), asyncio.timeout(0.01):
            await asyncio.sleep(PATIENCE_S)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert last_cause(log, output) == ("Failed", "TimeoutError")


def test_the_end_of_the_loop_interrupts_what_still_runs(log: ResumeLog, output: Path) -> None:
    async def work(began: asyncio.Event) -> None:
        async with log.exports.resume(output):
            began.set()
            await asyncio.sleep(PATIENCE_S)

    async def main() -> asyncio.Task[None]:
        began = asyncio.Event()
        task = asyncio.create_task(work(began))
        await began.wait()
        return task

    asyncio.run(main())
    assert last_cause(log, output) == ("Interrupted", "cancelled")


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
    assert last_cause(log, output) == ("Interrupted", "GeneratorExit")
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
    assert last_cause(log, output) == ("Interrupted", "GeneratorExit")
    assert make_units(log, output) == [*range(3, UNITS)]
