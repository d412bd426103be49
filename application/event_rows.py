"""Plain rows from recorders that were not made for them: eventsourcing's own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import AggregateRecorder

from resumelog.application.errors import PayloadGone
from resumelog.application.ports import EventRow
from resumelog.domain.aggregate import ORIGIN_TOPICS

PAGE = 500


class StockRows:
    """The `EventRows` of any recorder. Values are kept inside its events, payloads there are none."""

    def __init__(self, recorder: AggregateRecorder) -> None:
        """Read from this recorder."""
        self._recorder = recorder

    def select_rows(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[EventRow]:
        """Return what `select_events` does, as plain rows."""
        found = self._recorder.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        return [(stored.originator_version, stored.topic, stored.state) for stored in found]

    def last_origin(self, originator_id: UUID) -> int | None:
        """Read back, a page at a time, to the newest origin."""
        lte = None
        while page := self.select_rows(originator_id, lte=lte, desc=True, limit=PAGE):
            for version, topic, _ in page:
                if topic in ORIGIN_TOPICS:
                    return version
            lte = page[-1][0] - 1
        return None

    def select_versions(
        self, originator_id: UUID | str, versions: Sequence[int]
    ) -> Sequence[EventRow]:
        """Return the events with these versions."""
        return [
            row
            for version in versions
            for row in self.select_rows(originator_id, gt=version - 1, lte=version)
        ]

    def select_payload(self, originator_id: UUID, version: int) -> bytes:
        """Raise PayloadGone."""
        raise PayloadGone(stream=originator_id, version=version)

    def count_payloads(self, originator_id: UUID) -> tuple[int, int]:
        """Return none."""
        del originator_id
        return 0, 0
