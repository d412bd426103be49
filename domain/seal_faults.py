"""What was done to a stream whose chain of seals does not hold: a diagnosis from its rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal, NamedTuple

from resumelog.domain.seals import NO_SEAL, SealedRow, seal

FaultKind = Literal["altered", "missing", "reordered", "inserted", "unreadable", "cut", "removed"]

RENUMBERED_MAX = 16
"""So many events taken out together, with the later ones renumbered, are told from an alteration."""


class Row(NamedTuple):
    """A SealedRow by its names."""

    position: int
    stream: str
    version: int
    topic: str
    state: bytes
    seal: bytes


class Finding(NamedTuple):
    """The first fault of a stream: which version is affected, where it stands, and why."""

    kind: FaultKind
    version: int | None
    position: int | None
    why: str


def follows(previous: bytes, row: Row, version: int | None = None) -> bool:
    """Tell whether a row, taken as that version (its own), has the seal that follows `previous`."""
    return _sealed(previous, row, row.version if version is None else version) == row.seal


def diagnose(rows: Iterable[SealedRow]) -> Finding | None:
    """Return the first fault of a stream from all its rows in the order of versions; None if none.

    Where two readings fit the same rows the plainer one is told: an event that was altered and
    sealed anew shows as an alteration of the event behind it.
    """
    rest = map(Row._make, rows)
    before: Row | None = None
    good: Row | None = None
    for row in rest:
        if not _is_next(good, row):
            return _explained(before, good, row, rest)
        if good and row.position <= good.position:
            why = f"it stands at position {row.position}, version {good.version} at {good.position}"
            return Finding("reordered", row.version, row.position, why)
        before, good = good, row
    return None


def _is_next(good: Row | None, row: Row) -> bool:
    numbered = type(row.version) is int and (good is None or row.version == good.version + 1)
    return numbered and follows(_seal(good), row)


def _seal(row: Row | None) -> bytes:
    return row.seal if row else NO_SEAL


def _sealed(previous: bytes, row: Row, version: int) -> bytes | None:
    """Return the seal of a row's content; None where the columns hold what no event can."""
    try:
        return seal(previous, row.stream, version, row.topic, row.state)
    except (AttributeError, TypeError):
        return None


def _explained(before: Row | None, good: Row | None, row: Row, rest: Iterator[Row]) -> Finding:
    """Say what happened where `row` should follow `good`, which followed `before`."""
    expected = good.version + 1 if good else 1
    gap = row.version != expected and (good is not None or not _is_number(row, below=2))
    if good and _was_put_in(before, good, row):
        why = "the event behind it follows from the one before it"
        return Finding("inserted", good.version, good.position, why)
    if gap and good and follows(good.seal, row):
        return Finding("inserted", row.version, row.position, "its number does not follow")
    places = _Places(good, row, expected if gap or good else row.version, gap=gap)
    later = iter(rest)
    behind = next(later, None)
    for each in chain(() if behind is None else (behind,), later):
        places.look_at(each)
    return places.finding or _by_the_next(row, behind, expected, gap=gap)


def _is_number(row: Row, *, below: int) -> bool:
    return type(row.version) is int and row.version < below


def _was_put_in(before: Row | None, good: Row, row: Row) -> bool:
    """The event before was sealed well, but the true chain goes on without it."""
    return any(follows(_seal(before), row, each) for each in (good.version, row.version))


class _Places:
    """Looks among the later rows for the event that was expected, and for the place of `row`."""

    def __init__(self, good: Row | None, row: Row, expected: int, *, gap: bool) -> None:
        self._good, self._row, self._expected, self._gap = good, row, expected, gap
        self._wanted: Row | None = row if gap and self._is_expected(row) else None
        self._has_a_place = self._swapped = False

    def look_at(self, each: Row) -> None:
        row, last = self._row, _seal(self._good)
        if self._wanted is None and self._is_expected(each):
            self._wanted = each
        if not self._swapped and _sealed(last, each, self._expected) == row.seal:
            self._swapped = True
        if not self._has_a_place:
            numbers = {each.version, _plus(each.version, 1), row.version, _plus(row.version, 1)}
            self._has_a_place = any(follows(each.seal, row, number) for number in numbers)

    @property
    def finding(self) -> Finding | None:
        row, wanted = self._row, self._wanted
        if self._swapped:
            why = "its content stands at another version"
            return Finding("reordered", self._expected, row.position, why)
        if wanted is None:
            return None
        if self._gap or self._has_a_place:
            why = f"the event that belongs here stands at version {wanted.version}"
            return Finding("reordered", self._expected, row.position, why)
        why = f"the event that follows here stands behind it, at version {wanted.version}"
        return Finding("inserted", row.version, row.position, why)

    def _is_expected(self, each: Row) -> bool:
        last = _seal(self._good)
        own = self._good is None and follows(last, each)
        return own or follows(last, each, self._expected)


def _plus(number: int, more: int) -> int:
    return number + more if type(number) is int else more


def _by_the_next(row: Row, behind: Row | None, expected: int, *, gap: bool) -> Finding:
    if gap:
        why = f"the next event there is has version {row.version}"
        return Finding("missing", expected, None, why)
    for taken_out in range(1, RENUMBERED_MAX + 1):
        if behind and follows(row.seal, behind, _plus(behind.version, taken_out)):
            why = f"{taken_out} taken out, and the later ones renumbered"
            return Finding("missing", row.version, row.position, why)
    why = "its content, its seal or the seal before it was changed"
    return Finding("altered", row.version, row.position, why)
