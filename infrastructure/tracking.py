"""The loop over what is left, with a bar."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, TypeVar, overload

from resumelog.application.async_batch import AsyncBatch
from resumelog.application.async_export import AsyncExport
from resumelog.application.batch import Batch
from resumelog.application.errors import BadArgument
from resumelog.application.export import Export
from resumelog.application.scene import Scene
from resumelog.infrastructure.progress_bars import ProgressBars, progress_bar

T = TypeVar("T")

OF_A_BATCH = "a batch knows its scenes, and its loop calls `complete` or `fail` for each"
ON_A_LOOP = "write `with progress_bar(job):` around `async for unit in job.remaining(…)`"


@overload
def track(
    job: Batch,
    *,
    title: str | None = None,
    bars: ProgressBars | None = None,
    disable: bool = False,
) -> Iterator[Scene]: ...


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
    job: Export | Batch,
    units: int | Collection[Any] | None = None,
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
    Of a batch it gives the scenes that remain; the loop completes or fails each by itself.
    `bars` has bars of other jobs too. Raises what `remaining` and `save_progress` do, and
    BadArgument for the job of an `async with`.
    """
    if isinstance(job, AsyncExport | AsyncBatch):
        raise BadArgument(job.title, option="job", given=job, advice=ON_A_LOOP)
    shown = _shown(job, title, bars, disable)
    if isinstance(job, Batch):
        if save or units is not None:
            option, given = ("save", save) if save else ("units", units)
            raise BadArgument(job.title, option=option, given=given, advice=OF_A_BATCH)
        return _scenes(job, shown)
    if units is None:
        raise BadArgument(job.title, option="units", given=units, advice="say how many there are")
    return _tracked(job, units, save, shown)


def _scenes(batch: Batch, shown: AbstractContextManager[None]) -> Iterator[Scene]:
    with shown:
        yield from batch.remaining()


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
    job: Export | Batch, title: str | None, bars: ProgressBars | None, disable: bool
) -> AbstractContextManager[None]:
    return bars.showing(job, title) if bars else progress_bar(job, title, disable=disable)
