"""The loop over what is left, with a bar, and with saves if they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from support.logs import UNITS, make_units, names_of

from resumelog import BadArgument, Export, JobPaused, ResumeLog, progress_bar, track


def looped(log: ResumeLog, output: Path, leave: Callable[[int], bool]) -> list[int]:
    """Make units in a loop that saves each, and leave it in the body of one."""
    begun = []
    with log.exports.resume(output) as job:
        for unit in track(job, UNITS, save=True, disable=True):
            begun.append(unit)
            if leave(unit):
                break
    return begun


def fails(unit: int) -> bool:
    if unit == 3:
        raise ZeroDivisionError
    return False


def test_each_unit_is_saved_after_its_body(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        for unit in track(job, UNITS, save=True, disable=True):
            assert job.units_done == unit
        assert job.units_done == UNITS
    assert names_of(log, str(output)).count("ProgressSaved") == UNITS


def test_a_unit_whose_body_is_left_is_done_again(log: ResumeLog, output: Path) -> None:
    assert looped(log, output, lambda unit: unit == 3) == [0, 1, 2, 3]
    assert looped(log, output, lambda _: False) == [*range(3, UNITS)]


def test_a_unit_whose_body_raises_is_done_again(log: ResumeLog, output: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        looped(log, output, fails)
    assert looped(log, output, lambda _: False) == [*range(3, UNITS)]


def test_a_unit_that_is_continued_is_done(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        for unit in track(job, UNITS, save=True, disable=True):
            if unit % 2:
                continue
        assert job.units_done == UNITS


def test_without_save_nothing_is_saved(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        assert [*track(job, UNITS, disable=True)] == [*range(UNITS)]
        assert job.units_done == 0


def left(job: Export, things: list[str] | dict[str, int] | str) -> list[str]:
    return [*track(job, things, disable=True)]


def test_what_the_units_are_may_be_given_instead_of_their_number(
    log: ResumeLog, output: Path
) -> None:
    make_units(log, output, until=7)
    with log.exports.resume(output) as job:
        assert left(job, [*"abcdefghij"]) == ["h", "i", "j"]
        assert left(job, dict.fromkeys("abcdefghij", 0)) == ["h", "i", "j"]


def test_what_is_finished_gives_nothing(log: ResumeLog, output: Path) -> None:
    make_units(log, output)
    with log.exports.resume(output) as job:
        assert left(job, "abcdefghij") == []


def test_a_pause_is_seen_before_the_next_unit(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    def pause(unit: int) -> bool:
        if unit == 3:
            other.exports.pause(str(output))
        return False

    with pytest.raises(JobPaused):
        looped(log, output, pause)
    assert looped(log, output, lambda _: False) == [*range(4, UNITS)]


def test_a_job_of_an_event_loop_is_refused_with_what_to_write_instead(
    log: ResumeLog, output: Path
) -> None:
    async def written_so() -> None:
        async with log.exports.resume(output) as job:
            with pytest.raises(BadArgument, match=r"write `with progress_bar\(job\):` around"):
                track(cast("Any", job), UNITS)
            with progress_bar(job, disable=True):
                async for unit in job.remaining(UNITS):
                    await job.save_progress(units_done=unit + 1)

    asyncio.run(written_so())
    assert names_of(log, str(output))[-1] == "Completed"
