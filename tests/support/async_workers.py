"""What the child processes of tests on asyncio do: `python -m support.async_workers TASK ARGUMENTS`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from pydantic import JsonValue
from support.logs import UNITS
from support.workers import tell

import resumelog
from resumelog import ResumeLog, Scene

UNIT_S = 0.02


async def render(log: ResumeLog, output: str) -> None:
    """Make units without end; tell each once its save has returned."""
    async with log.exports.resume(output) as job:
        async for unit in job.remaining(10**6):
            await asyncio.sleep(UNIT_S)
            await job.save_progress(units_done=unit + 1)
            tell(output, unit)


async def grouped(log: ResumeLog, *outputs: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        for output in outputs:
            tasks.create_task(render(log, output))


async def gathered(log: ResumeLog, *outputs: str) -> None:
    await asyncio.gather(*(render(log, output) for output in outputs))


async def parting(log: ResumeLog, *outputs: str) -> None:
    """Gather exports that leave one after the other; the main task ends with the first of them."""

    async def slow_to_leave(nth: int, output: str) -> None:
        async with log.exports.resume(output) as job:
            await job.save_progress(units_done=1, units_total=UNITS)
            tell(output, 0)
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(nth * 5 * UNIT_S)

    await asyncio.gather(*(slow_to_leave(*each) for each in enumerate(outputs)))


async def stubborn(log: ResumeLog, output: str) -> None:
    """Take a while to leave, and get the same signal again meanwhile."""
    async with log.exports.resume(output) as job:
        await job.save_progress(units_done=1, units_total=UNITS)
        tell(output, 0)
        try:
            await asyncio.sleep(60)
        finally:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(UNIT_S)
            tell("left")


async def handled(log: ResumeLog, output: str) -> None:
    """Finish what is in work at a SIGTERM, as a server does that handles it."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    async with log.exports.resume(output) as job:
        await job.save_progress(units_done=1, units_total=UNITS)
        tell(output, 0)
        await asked.wait()
        async for unit in job.remaining(UNITS):
            await job.save_progress(units_done=unit + 1)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]


async def scenes(log: ResumeLog, output: str) -> None:
    """Make the first scene of a batch, and stay in the next two."""

    async def make(scene: Scene) -> str:
        if scene.key != "0":
            tell(output, scene.key)
            await asyncio.sleep(60)
        return scene.key

    plan: list[JsonValue] = [{"id": str(number)} for number in range(9)]
    async with log.scenes.open_async("归途", "分镜", scenes=plan) as batch:
        await batch.run(make, workers=2)


TASKS = {task.__name__: task for task in (grouped, gathered, parting, stubborn, handled, scenes)}

if __name__ == "__main__":
    name, database, *outputs = sys.argv[1:]
    before = handlers()
    with resumelog.open(database) as log:
        try:
            asyncio.run(TASKS[name](log, *outputs))
        finally:
            tell("put back", handlers() == before)
