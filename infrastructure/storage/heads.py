"""Seals of events that are about to be inserted, and the heads that they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from resumelog.domain.seals import NO_SEAL, seal

HEADS_MAX = 1024

Stream = UUID | str


class Heads:
    """The heads that this recorder has committed, of the streams that it wrote last.

    The seal of a committed version never changes, so one that is kept is right for the insertion
    of the next version, or that insertion is refused because another writer was first.
    """

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[Stream, tuple[int, bytes]] = {}
        self._lock = Lock()

    def before(self, stored_events: Sequence[StoredEvent]) -> dict[Stream, bytes] | None:
        """Return what the events' streams were sealed with last; None where one is not known."""
        found: dict[Stream, bytes] = {}
        for stored in stored_events:
            stream = stored.originator_id
            if stream not in found:
                version, newest = self._known.get(stream, (None, NO_SEAL))
                if version != stored.originator_version - 1:
                    return None
                found[stream] = newest
        return found

    def remember(self, stored_events: Sequence[StoredEvent], seals: Sequence[bytes]) -> None:
        """Keep the heads of what has been committed; those of the streams that came first go."""
        with self._lock:
            for stored, own in zip(stored_events, seals, strict=True):
                self._known[stored.originator_id] = (stored.originator_version, own)
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
