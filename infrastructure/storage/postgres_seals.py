"""Seals of events that are about to be inserted."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from resumelog.domain.seals import NO_SEAL, seal

HEADS_MAX = 1000

Stream = UUID | str


class Head(NamedTuple):
    """The newest event of a stream."""

    version: int
    seal: bytes


class Heads:
    """The heads that this recorder has committed, of the streams that it wrote last.

    The seal of a committed version never changes, so one that is kept is right for the insertion
    of the next version, or that insertion is refused because another writer was first.
    """

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[Stream, Head] = {}
        self._lock = threading.Lock()

    def before(self, stored_events: Sequence[StoredEvent]) -> dict[Stream, bytes] | None:
        """Return what the events' streams were sealed with last; None where one is not known."""
        firsts: dict[Stream, int] = {}
        for stored in stored_events:
            firsts.setdefault(stored.originator_id, stored.originator_version)
        found = {}
        for stream, version in firsts.items():
            head = self._known.get(stream)
            if head is None or head.version != version - 1:
                return None
            found[stream] = head.seal
        return found

    def remember(self, stored_events: Sequence[StoredEvent], seals: Sequence[bytes]) -> None:
        """Keep the heads of what has been committed."""
        with self._lock:
            for stored, own in zip(stored_events, seals, strict=True):
                self._known.pop(stored.originator_id, None)
                self._known[stored.originator_id] = Head(stored.originator_version, own)
            while len(self._known) > HEADS_MAX:
                del self._known[next(iter(self._known))]


def seals(heads: Mapping[Stream, bytes], stored_events: Sequence[StoredEvent]) -> list[bytes]:
    """Return the seal of each event, after the heads of their streams."""
    newest = dict(heads)
    made = []
    for stored in stored_events:
        stream = stored.originator_id
        text = stream.hex if isinstance(stream, UUID) else stream
        previous = newest.get(stream, NO_SEAL)
        own = seal(previous, text, stored.originator_version, stored.topic, stored.state)
        newest[stream] = own
        made.append(own)
    return made
