"""eventsourcing's stored events, made of the plain rows that a replay reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from resumelog.application.ports import EventRow


class EventsFromRows:
    """The `select_events` of a recorder that has the `EventRows` port's `select_rows`."""

    select_rows: Callable[..., Sequence[EventRow]]

    def select_events(self, originator_id: UUID | str, **bounds: Any) -> Sequence[StoredEvent]:
        """Read a stream's events, in the order of their versions; `bounds` are the library's."""
        return [
            StoredEvent(originator_id, *row) for row in self.select_rows(originator_id, **bounds)
        ]
