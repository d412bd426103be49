"""Reads: what jobs there are, and which one a name means."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from resumelog.application.errors import AmbiguousJob, JobNotFound, PayloadRemoved
from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.application.job_row import JobView
from resumelog.application.later_stages import planned_keys
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.errors import BadKey
from resumelog.domain.events import DomainEvent, kinds
from resumelog.domain.plan import Plan
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import SceneFailed

ID_CHARS_MIN = 4
FAILURES_MAX = 20
CANDIDATES_MAX = 20


class JobsPage(NamedTuple):
    """Some jobs, and the position that the next page is below; None on the last one."""

    jobs: list[JobView]
    next: int | None


class Queries:
    """Questions to one log. They change no event."""

    def __init__(self, log: EventLog, listed: JobList) -> None:
        """Read from this log and its list of jobs."""
        self._log, self._listed = log, listed

    def jobs(
        self,
        *,
        kinds: Collection[str] = (),
        statuses: Collection[str] = (),
        limit: int | None = None,
    ) -> list[JobView]:
        """Return the jobs of some kinds and statuses (empty: any), the one that changed last first.

        A job of which an event can't be read has the status "damaged", and the error says which.
        Raises DamagedView.
        """
        return [row.view() for row in self._listed.select(kinds, statuses, limit)]

    def page(
        self,
        limit: int,
        *,
        kinds: Collection[str] = (),
        statuses: Collection[str] = (),
        below: int | None = None,
    ) -> JobsPage:
        """Return what `jobs` does, `limit` at a time; the next page is `below` this one's `next`.

        A job that changes meanwhile moves to the first page. Raises DamagedView.
        """
        rows = self._listed.select(kinds, statuses, limit + 1, below)
        shown = rows[:limit]
        following = shown[-1].position if len(rows) > limit else None
        return JobsPage([row.view() for row in shown], following)

    def job(self, stream: UUID) -> tuple[JobView, EventSourced]:
        """Return how the job with this id stands in the list, and its state.

        Raises JobNotFound, DamagedEvent.
        """
        rows = self._listed.beginning_with(stream.hex, 1)
        kind = kinds().get(rows[0].kind) if rows else None
        if kind is None:
            raise JobNotFound(name=str(stream))
        return rows[0].view(), self._log.recover(kind(stream))

    def position(self) -> int:
        """Return the position of the newest event, 0 before the first. Raises StoreUnavailable."""
        return self._log.recorder.max_notification_id() or 0

    def count(self, *, kinds: Collection[str] = (), statuses: Collection[str] = ()) -> int:
        """Count what `jobs` would return without a limit."""
        return self._listed.count(kinds, statuses)

    def rebuild(self) -> None:
        """Fold the list of jobs anew from the log. Raises StoreUnavailable, DamagedEvent."""
        self._listed.rebuild()

    def find(self, name: str) -> EventSourced:
        """Return the state of the job that a name means.

        A name is an export's key or output path, PROJECT/STAGE, a simulation id, or the beginning
        (4 hex digits or more) of a job's id. Raises JobNotFound and AmbiguousJob.
        """
        found = {state.id: state for state in self._candidates(name)}
        if not found:
            found = {state.id: state for state in self._by_id(name)}
        if not found:
            raise JobNotFound(name=name)
        if len(found) > 1:
            candidates = ", ".join(f"{state.title} ({state.id})" for state in found.values())
            raise AmbiguousJob(name=name, candidates=candidates)
        return next(iter(found.values()))

    def resume_point(self, state: EventSourced) -> ResumePoint:
        """Return where the job goes on; a batch's plan is read from the log."""
        plan = self._plan(state) if isinstance(state, SceneBatch) else None
        return resume_point(state, plan)

    def failures(self, state: EventSourced, limit: int = FAILURES_MAX) -> list[tuple[str, str]]:
        """Return the scenes of a batch that failed, with their errors; at most `limit`."""
        if not isinstance(state, SceneBatch):
            return []
        failed = [each for each in state.scenes.items() if each[1].state == "failed"][:limit]
        events = ((key, self._log.event(state.id, record.version)) for key, record in failed)
        return [(key, event.error) for key, event in events if isinstance(event, SceneFailed)]

    def history(self, state: EventSourced, *, after: int = 0) -> Iterator[DomainEvent]:
        """Iterate over every event of a job, oldest first, what an origin left behind included.

        `after`: only over those beyond this version.
        """
        return self._log.history(state.id, gt=after)

    def _plan(self, batch: SceneBatch) -> Plan | None:
        if "plan" not in batch.decided_by:
            return None
        try:
            keys = planned_keys(self._log, batch)
        except PayloadRemoved:
            return None  # what is done is told without it
        return Plan([{"id": key} for key in keys])

    def _candidates(self, name: str) -> Iterator[EventSourced]:
        states = map(self._log.recover, keyed(name))
        yield from (state for state in states if state.version)

    def _by_id(self, name: str) -> Iterator[EventSourced]:
        if prefix := id_prefix(name):
            for row in self._listed.beginning_with(prefix, CANDIDATES_MAX):
                kind = kinds().get(row.kind)
                if kind:
                    yield self._log.recover(kind(row.id))


def keyed(name: str) -> Iterator[EventSourced]:
    """Return every job that `name` could be the key of, as states of which nothing is read."""
    keys: list[tuple[str, ...]] = [(name,), (os.path.abspath(name),)]  # noqa: PTH100 - resolve() would follow links
    keys += [(name[:at], name[at + 1 :]) for at, char in enumerate(name) if char == "/"]
    for kind in kinds().values():
        for key in keys:
            if len(key) == len(kind.key_fields):
                with suppress(BadKey):
                    yield kind.named(*key)


def id_prefix(name: str) -> str:
    """Return the beginning of an id that a name may be, as hex; empty if it is none."""
    prefix = name.replace("-", "").lower()
    is_one = len(prefix) >= ID_CHARS_MIN and all(char in "0123456789abcdef" for char in prefix)
    return prefix if is_one else ""
