"""Old jobs give up what only they needed: payloads of the finished, temporary files of the dead."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

from resumelog.application.clean_report import (
    CleanedJob,
    CleanedUp,
    CleanReport,
    LeftAlone,
    TemporaryFile,
)
from resumelog.application.errors import AlreadyRunning, BadArgument, Contended, DamagedEvent
from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.application.job_row import JobRow
from resumelog.application.later_stages import UNFINISHED, Unfinished
from resumelog.application.ports import Clock, Leases, LeftBehind, Remains
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.errors import BrokenStream, NotFinished
from resumelog.domain.events import Events, kinds
from resumelog.domain.scene_batch import SceneBatch

FAULTS = (DamagedEvent, BrokenStream)


class Cleaning:
    """One pass over a log. Each job is a transaction of its own: a kill leaves the rest as it was."""

    def __init__(
        self,
        log: EventLog,
        listed: JobList,
        leases: Leases,
        remains: Remains,
        clock: Clock,
        older_than: timedelta,
        *,
        dry_run: bool,
    ) -> None:
        """Prepare. Raises BadArgument for a time that is to come."""
        if older_than < timedelta(0):
            advice = "name how long a job must not have changed, as timedelta(days=30)"
            raise BadArgument(option="older_than", given=older_than, advice=advice)
        self._log, self._listed, self._leases, self._remains = log, listed, leases, remains
        self._clock, self._older_than, self._dry_run = clock, older_than, dry_run
        self._left_alone: list[LeftAlone] = []

    def run(self, of_kinds: Collection[str] = ()) -> CleanReport:
        """Clean the jobs of some kinds (empty: all)."""
        return CleanReport(
            dry_run=self._dry_run,
            older_than_s=self._older_than.total_seconds(),
            finished=(*self._finished(of_kinds),),
            dead=(*self._dead(of_kinds),),
            left_alone=(*self._left_alone,),
        )

    # Finished jobs

    def _finished(self, of_kinds: Collection[str]) -> Iterator[CleanedJob]:
        aggregates = kinds()
        statuses = {status.value for each in aggregates.values() for status in each.finished}
        unfinished = Unfinished(self._log, self._listed.select([SceneBatch.kind], UNFINISHED))
        for row in self._listed.select(of_kinds, statuses):
            state = aggregates[row.kind](row.id)
            if row.status in state.finished and self._is_old(row):
                yield from self._cleaned(row, state, unfinished)

    def _cleaned(
        self, row: JobRow, state: EventSourced, unfinished: Unfinished
    ) -> Iterator[CleanedJob]:
        """Remove the payloads of a job; a worker that takes it up meanwhile comes first."""
        count, size = self._log.count_payloads(row.id)
        if not count:
            return
        try:
            self._log.recover(state)
            self._leases.require_free(row.id, state.title, state.epoch)
            if isinstance(state, SceneBatch) and (later := unfinished.taking_from(state)):
                why = (
                    f"{later.title} takes from it, and is {later.status}; finish or stop that first"
                )
                self._leave(row, why)
                return
            removed = self._removed(state)
        except AlreadyRunning as busy:
            self._leave(row, f"is being worked on by {busy.holder}")
        except (NotFinished, Contended):
            self._leave(row, "was taken up again meanwhile")
        except FAULTS as fault:
            self._leave(row, str(fault), is_damaged=True)
        else:
            if removed:
                named = {"job": row.name, "kind": row.kind, "id": row.id}
                yield CleanedJob(**named, payloads=count, bytes=size)

    def _removed(self, state: EventSourced) -> Events:
        """Decide it, and append that unless this is a dry run."""
        at, by = self._clock.now(), str(self._leases.worker)
        unchanged = f", and unchanged for {self._older_than} or longer" if self._older_than else ""
        reason = f"finished{unchanged}"

        def remove(state: EventSourced) -> Events:
            changed = state.modified_at
            if changed and at - changed < self._older_than:
                return ()  # it was taken up and finished again since it was listed
            return state.remove_payloads(reason, by, at)

        return (self._log.decided if self._dry_run else self._log.decide)(state, remove)

    # Dead workers

    def _dead(self, of_kinds: Collection[str]) -> Iterator[CleanedUp]:
        for left in self._remains.found():
            for row in self._listed.beginning_with(left.stream.hex, 1):
                fits = not of_kinds or row.kind in of_kinds
                if fits and self._is_old(row) and self._is_cleaned_up(row):
                    yield _cleaned_up(row, left)

    def _is_cleaned_up(self, row: JobRow) -> bool:
        try:
            if not self._dry_run:
                self._remains.remove(row.id, row.name)
        except AlreadyRunning:
            self._leave(row, "was taken up again meanwhile")
            return False
        return True

    def _is_old(self, row: JobRow) -> bool:
        changed = row.modified_at
        return changed is not None and self._clock.now() - changed >= self._older_than

    def _leave(self, row: JobRow, why: str, *, is_damaged: bool = False) -> None:
        left = LeftAlone(job=row.name, kind=row.kind, id=row.id, why=why, is_damaged=is_damaged)
        self._left_alone.append(left)


def _cleaned_up(row: JobRow, left: LeftBehind) -> CleanedUp:
    files = tuple(TemporaryFile(path=path, bytes=size) for path, size in left.files)
    return CleanedUp(job=row.name, kind=row.kind, id=row.id, files=files, groups=left.groups)
