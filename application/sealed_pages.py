"""Sealed rows a page at a time, around what the database can't read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import lt
from typing import NamedTuple

from eventsourcing.persistence import PersistenceError

from resumelog.application.errors import ClosedLog
from resumelog.application.ports import SealedEvents
from resumelog.domain.seals import SealedRow

PAGE = 1000
FIRST = -(2**63)
LAST = 2**63 - 2
STEPS_MAX = 256
"""Behind damage the next readable row is looked for one position at a time, then in leaps."""

Read = Callable[[int, int], Sequence[SealedRow]]
"""The rows after a position, and at most how many."""


class Damage(NamedTuple):
    """Positions or versions, both included, that the database can't read, and its reason."""

    first: int
    last: int
    why: str


def by_position(
    recorder: SealedEvents, damaged: Callable[[Damage], None]
) -> Iterator[Sequence[SealedRow]]:
    """Iterate over pages in the order of positions; go on behind damage, which is told."""

    def read(gt: int, limit: int) -> Sequence[SealedRow]:
        return recorder.sealed_by_position(gt=gt, limit=limit)

    gt, limit = FIRST, PAGE
    while True:
        rows, why = _tried(read, gt, limit)
        if why and limit > 1:
            limit //= 2
        elif why:
            behind = _readable_behind(read, gt)
            damaged(Damage(gt + 1, behind, why))
            if behind == LAST:
                return
            gt, limit = behind, PAGE
        else:
            yield rows
            if len(rows) < limit:
                return
            gt = rows[-1][0]


def by_version(
    recorder: SealedEvents, stream: str, damaged: Callable[[Damage], None]
) -> Iterator[Sequence[SealedRow]]:
    """Iterate over pages of one stream in the order of versions; end at damage, which is told."""
    gt, limit = FIRST, PAGE
    while True:
        try:
            rows = recorder.sealed_by_version(stream, gt=gt, limit=limit)
        except (PersistenceError, MemoryError) as error:
            if limit == 1:
                damaged(Damage(gt + 1, LAST, reason(error)))
                return
            limit //= 2
            continue
        yield rows
        if len(rows) < limit or not _is_above(rows[-1][2], gt):
            return
        gt = rows[-1][2]


def reason(error: BaseException) -> str:
    """Return the database's own words, in one line."""
    if isinstance(error, ClosedLog):
        raise error
    return " ".join(str(error.__cause__ or error).split())


def _tried(read: Read, gt: int, limit: int) -> tuple[Sequence[SealedRow], str]:
    try:
        rows = read(gt, limit)
    except (PersistenceError, MemoryError) as error:
        return (), reason(error)
    positions = [gt, *(row[0] for row in rows)]
    if not all(map(lt, positions, positions[1:])):
        return (), "its rows are not in the order of their positions"
    return rows, ""


def _readable_behind(read: Read, gt: int) -> int:
    """Return the number behind which reading works again, or LAST."""
    step, number, unreadable = 1, gt, gt
    for tried in range(STEPS_MAX + 64):
        number = min(number + step, LAST)
        if number == LAST or not _tried(read, number, 1)[1]:
            break
        unreadable = number
        step = 1 if tried < STEPS_MAX else step * 2
    while number - unreadable > 1:
        middle = (number + unreadable) // 2
        if _tried(read, middle, 1)[1]:
            unreadable = middle
        else:
            number = middle
    return number


def _is_above(version: object, gt: int) -> bool:
    return type(version) is int and version > gt
