"""Seals of events that are about to be inserted, and the heads that they follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from resumelog.domain.seals import NO_SEAL, seal

HEADS_MAX = 1024

UNKNOWN = (None, NO_SEAL)

Unsealed = tuple[str, int, str, bytes]
"""Stream as seals name it, version, topic, stored state."""


def unsealed(stored_events: Sequence[StoredEvent]) -> list[Unsealed]:
    """Return events as they go into a table, and into their seals."""
    return [
        (as_text(each.originator_id), each.originator_version, each.topic, each.state)
        for each in stored_events
    ]


@lru_cache(HEADS_MAX)
def as_text(stream: UUID | str) -> str:
    """Return a stream as seals name it."""
    return stream.hex if isinstance(stream, UUID) else stream


class Heads:
    """The heads that this recorder has committed, of the streams that it wrote last.

    The seal of a committed version never changes, so one that is kept is right for the insertion
    of the next version, or that insertion is refused because another writer was first. Safe for
    threads, by steps of a dict that are one for the interpreter.
    """

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[str, tuple[int, bytes]] = {}

    def followed(self, rows: Sequence[Unsealed]) -> list[tuple[str, int, bytes]]:
        """Return the known heads that rows follow: stream, version, seal."""
        known = ((row, self._known.get(row[0], UNKNOWN)) for row in rows)
        return [(row[0], row[1] - 1, own) for row, (at, own) in known if at == row[1] - 1]

    def forget(self, rows: Sequence[Unsealed]) -> None:
        """Know nothing of these rows' streams any more."""
        for stream, *_ in rows:
            self._known.pop(stream, None)

    def seals(self, rows: Sequence[Unsealed], read: Callable[[str, int], bytes]) -> list[bytes]:
        """Return the seal of each row; `read` finds the newest before a version of a stream."""
        newest: dict[str, bytes] = {}
        made = []
        for stream, version, topic, state in rows:
            previous = newest.get(stream)
            if previous is None:
                known, previous = self._known.get(stream, UNKNOWN)
                if known != version - 1:
                    previous = read(stream, version)
            newest[stream] = own = seal(previous, stream, version, topic, state)
            made.append(own)
        return made

    def remember(self, rows: Sequence[Unsealed], seals: Sequence[bytes]) -> None:
        """Keep the heads of what has been committed; those of the streams that came first go."""
        known = self._known
        for (stream, version, _, _), own in zip(rows, seals, strict=True):
            known[stream] = (version, own)
        if len(known) > HEADS_MAX:
            for stream in [*known][:-HEADS_MAX]:
                known.pop(stream, None)
