"""The list of jobs as the log has it now: from the view, and from the log where that is ahead."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from eventsourcing.persistence import IntegrityError, Tracking

from resumelog.application.errors import Contended
from resumelog.application.event_log import DECISIONS_MAX, EventLog
from resumelog.application.job_row import JobRow
from resumelog.application.jobs_projection import Rows, catch_up, folded
from resumelog.application.ports import JobsView


class JobList:
    """Rows of jobs, caught up by whoever reads them."""

    def __init__(self, log: EventLog, view: JobsView, *, saves: bool = True) -> None:
        """Fold nothing yet; without `saves` the view is left where it is."""
        self._log, self._view, self._saves = log, view, saves

    def select(
        self,
        kinds: Collection[str] = (),
        statuses: Collection[str] = (),
        limit: int | None = None,
        below: int | None = None,
    ) -> list[JobRow]:
        """Return the rows of some kinds and statuses (empty: any), the last changed first.

        `below`: only those that changed before this position of the log.
        """
        ahead = catch_up(self._log, self._view, saves=self._saves)
        more = None if limit is None else limit + len(ahead)
        kept = self._view.select(kinds, statuses, more, below)
        if not ahead:
            return kept
        newest = (row for row in _merged(kept, ahead) if below is None or row.position < below)
        rows = [row for row in newest if _fits(row, kinds, statuses)]
        return sorted(rows, key=lambda row: row.position, reverse=True)[:limit]

    def count(self, kinds: Collection[str] = (), statuses: Collection[str] = ()) -> int:
        """Count the jobs of some kinds and statuses (empty: any)."""
        ahead = catch_up(self._log, self._view, saves=self._saves)
        kept = self._view.count(kinds, statuses)
        outdated = _count(self._view.read(ahead).values(), kinds, statuses)
        return kept - outdated + _count(ahead.values(), kinds, statuses)

    def beginning_with(self, prefix: str, limit: int) -> list[JobRow]:
        """Return at most `limit` rows of streams whose id in hex begins so."""
        ahead = catch_up(self._log, self._view, saves=self._saves)
        kept = self._view.beginning_with(prefix, limit)
        fits = {stream: row for stream, row in ahead.items() if stream.hex.startswith(prefix)}
        return _merged(kept, fits)[:limit]

    def rebuild(self) -> None:
        """Fold the whole log anew, and put that in the place of the view.

        The rows are kept in memory until the end; readers have the old ones until then. Raises
        StoreUnavailable, DamagedEvent where nothing on the first page of the log can be read (a
        key is missing), and Contended where others kept bringing the old view further.
        """
        rows: Rows = {}
        position = 0
        for _ in range(DECISIONS_MAX):
            position = folded(self._log, rows, position)
            try:
                return self._view.replace(rows.values(), Tracking(self._log.name, position))
            except IntegrityError:
                continue
        raise Contended("the list of jobs", attempts=DECISIONS_MAX)


def _merged(kept: Iterable[JobRow], ahead: Rows) -> list[JobRow]:
    """Return one row a job, the newer one."""
    newest = {row.id: row for row in kept}
    for stream, row in ahead.items():
        if stream not in newest or newest[stream].version < row.version:
            newest[stream] = row
    return [*newest.values()]


def _count(rows: Iterable[JobRow], kinds: Collection[str], statuses: Collection[str]) -> int:
    return sum(_fits(row, kinds, statuses) for row in rows)


def _fits(row: JobRow, kinds: Collection[str], statuses: Collection[str]) -> bool:
    return (not kinds or row.kind in kinds) and (not statuses or row.status in statuses)
