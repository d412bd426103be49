"""The loop over what is left, with a bar."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, TypeVar, overload

from resumelog.application.async_export import AsyncExport
from resumelog.application.errors import BadArgument
from resumelog.application.export import Export
from resumelog.infrastructure.progress_bars import ProgressBars, progress_bar

T = TypeVar("T")

ON_A_LOOP = "write `with progress_bar(job):` around `async for unit in job.remaining(…)`"


@overload
def track(
    job: Export,
    units: int,
    *,
    save: bool = False,
    title: str | None = None,
    bars: ProgressBars | None = None,
    disable: bool = False,
) -> Iterator[int]: ...


@overload
def track(
    job: Export,
    units: Collection[T],
    *,
    save: bool = False,
    title: str | None = None,
    bars: ProgressBars | None = None,
    disable: bool = False,
) -> Iterator[T]: ...


def track(
    job: Export,
    units: int | Collection[Any],
    *,
    save: bool = False,
    title: str | None = None,
    bars: ProgressBars | None = None,
    disable: bool = False,
) -> Iterator[Any]:
    """Iterate over the units that are left of a job, and show it on a bar meanwhile.

    `units` is how many there are, which gives their numbers from 0, or what they are: then those
    are given that are left, so it has to have the same order in every attempt. The loop's body
    saves, as with `job.remaining`. With `save` each unit is saved as done once its body has run to
    its end (or to `continue`); where it is left by `break` or an exception, its unit is not. So
    that is for a plain loop, not for what asks for units ahead of its work (a pool's `imap`, `list`).
    `bars` has bars of other jobs too. Raises what `remaining` and `save_progress` do, and
    BadArgument for the job of an `async with`.
    """
    if isinstance(job, AsyncExport):
        raise BadArgument(job.title, option="job", given=job, advice=ON_A_LOOP)
    if not isinstance(job, Export):
        raise BadArgument(
            option="job", given=job, advice="give what `with log.exports.resume(…)` gives"
        )
    return _tracked(job, units, save, _shown(job, title, bars, disable))


def _tracked(
    job: Export, units: int | Collection[Any], save: bool, shown: AbstractContextManager[None]
) -> Iterator[Any]:
    with shown:
        for unit, given in _left(job, units):
            yield given
            if save:  # the next unit is asked for: the body of this one has ended
                job.save_progress(units_done=unit + 1)


def _left(job: Export, units: int | Collection[Any]) -> Iterator[tuple[int, Any]]:
    if isinstance(units, int):
        yield from ((unit, unit) for unit in job.remaining(units))
        return
    ahead, at = iter(units), 0
    for unit in job.remaining(len(units)):
        yield unit, next(islice(ahead, unit - at, None))
        at = unit + 1


def _shown(
    job: Export, title: str | None, bars: ProgressBars | None, disable: bool
) -> AbstractContextManager[None]:
    return bars.showing(job, title) if bars else progress_bar(job, title, disable=disable)
