"""The `jobs` projection in memory, for stores that keep none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.popo import POPOTrackingRecorder

from resumelog.application.job_row import JobRow
from resumelog.application.ports import JobsView


class MemoryJobsView(POPOTrackingRecorder, JobsView):
    """Rows among the threads of one process."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._rows: dict[UUID, JobRow] = {}

    def read(self, streams: Iterable[UUID]) -> dict[UUID, JobRow]:
        """Return copies of the rows of these streams: they will be changed."""
        with self._database_lock:
            return {each: self._rows[each].copy() for each in streams if each in self._rows}

    def save(self, rows: Iterable[JobRow], tracking: Tracking, after: int) -> None:
        """Save rows and position, unless the view has moved on."""
        with self._database_lock:
            if (self.max_tracking_id(tracking.application_name) or 0) != after:
                raise IntegrityError(f"the list of jobs is not at position {after} any more")
            self.insert_tracking(tracking)
            self._rows |= {row.id: row for row in rows}

    def replace(self, rows: Iterable[JobRow], tracking: Tracking) -> None:
        """Put these rows in the place of all that is there."""
        with self._database_lock:
            if (self.max_tracking_id(tracking.application_name) or 0) > tracking.notification_id:
                raise IntegrityError("the list of jobs has moved on")
            self._insert_tracking(tracking)
            self._rows = {row.id: row for row in rows}

    def select(
        self,
        kinds: Collection[str],
        statuses: Collection[str],
        limit: int | None,
        below: int | None = None,
    ) -> list[JobRow]:
        """Return rows, the last changed first."""
        found = self._fitting(kinds, statuses)
        rows = [row for row in found if below is None or row.position < below]
        return sorted(rows, key=lambda row: row.position, reverse=True)[:limit]

    def count(self, kinds: Collection[str], statuses: Collection[str]) -> int:
        """Count rows."""
        return len(self._fitting(kinds, statuses))

    def beginning_with(self, prefix: str, limit: int) -> list[JobRow]:
        """Return rows by the beginning of their id."""
        with self._database_lock:
            found = [row for each, row in self._rows.items() if each.hex.startswith(prefix)]
        return sorted(found, key=lambda row: row.id.hex)[:limit]

    def _fitting(self, kinds: Collection[str], statuses: Collection[str]) -> list[JobRow]:
        with self._database_lock:
            return [
                row
                for row in self._rows.values()
                if (not kinds or row.kind in kinds) and (not statuses or row.status in statuses)
            ]
