"""Exports on asyncio, made unit by unit, and why the log says that they ended."""

from __future__ import annotations

from pathlib import Path

from support.logs import UNITS, events_of, leave_by

from resumelog import ResumeLog
from resumelog.domain.export_events import Failed, Interrupted


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
