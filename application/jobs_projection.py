"""The `jobs` projection: folded by eventsourcing's runner, or by whoever reads the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Notification, Tracking
from eventsourcing.projection import Projection

from resumelog.application.errors import DamagedEvent, StoreUnavailable
from resumelog.application.event_log import EventLog
from resumelog.application.job_changes import evolve
from resumelog.application.job_row import JobRow, begun, damaged
from resumelog.application.ports import JobsView
from resumelog.domain.events import DomainEvent

PAGE = 2000
SAVED_FROM = 500
"""Fewer events are folded for one answer only: to save them costs a sync and the write lock."""

Rows = dict[UUID, JobRow]


class JobsProjection(Projection[JobsView]):
    """What eventsourcing's ProjectionRunner drives; it reads the variables of the log itself.

    It may run beside readers that catch up, and beside other runners: each event counts once.
    """

    name = "resumelog"
    topics = ()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Save the job's row with one more event, unless somebody else did."""
        assert isinstance(domain_event, DomainEvent)
        stream, view = domain_event.originator_id, self.view
        while (after := tracked(view, tracking.application_name)) < tracking.notification_id:
            row = view.read([stream]).get(stream)
            row = evolve(row, domain_event, tracking.notification_id)
            if _saved(view, {stream: row}, tracking, after):
                return


def catch_up(log: EventLog, view: JobsView, *, saves: bool = True) -> Rows:
    """Bring the view to the end of the log; return the rows that it does not hold yet.

    A log that can't be written is folded in memory from where the view stands. So is a page of
    which nothing can be read: that is a missing key, and no view to keep.
    """
    ahead: Rows = {}
    base = position = tracked(view, log.name)
    end = log.recorder.max_notification_id() or 0
    while position < end and (page := _page(log, position, end)):
        ahead |= view.read(_streams(page) - ahead.keys())
        position = page[-1].id
        saves = fold(log, page, ahead) > 0 and saves
        if not saves or position - base < SAVED_FROM:
            continue
        try:
            _saved(view, ahead, Tracking(log.name, position), base)
        except StoreUnavailable:
            saves = False
        else:
            ahead = {}
            base = position = tracked(view, log.name)
    return ahead


def folded(log: EventLog, rows: Rows, position: int) -> int:
    """Fold what follows a position into rows, up to the end of the log; return that position.

    Raises DamagedEvent where nothing on the first page of the log can be read.
    """
    end = log.recorder.max_notification_id() or 0
    while position < end and (page := _page(log, position, end)):
        if not fold(log, page, rows) and not position:
            log.decode(page[0])
        position = page[-1].id
    return position


def fold(log: EventLog, page: Sequence[Notification], rows: Rows) -> int:
    """Fold a page into rows; return how many of its events could be read."""
    damages = 0
    for stored in page:
        stream, version = cast("UUID", stored.originator_id), stored.originator_version
        row = rows.get(stream)
        if row and version <= row.version:
            continue
        try:
            rows[stream] = evolve(row, log.decode(stored), stored.id)
        except DamagedEvent as error:
            damages += 1
            row = row or begun(_kind(stored.topic), stream)
            rows[stream] = damaged(row, version, stored.id, str(error))
    return len(page) - damages


def tracked(view: JobsView, application: str) -> int:
    """Return the position that the view is folded to, 0 at first."""
    return view.max_tracking_id(application) or 0


def _page(log: EventLog, position: int, end: int) -> Sequence[Notification]:
    return log.recorder.select_notifications(position, PAGE, end, inclusive_of_start=False)


def _streams(page: Sequence[Notification]) -> set[UUID]:
    return {each.originator_id for each in page if isinstance(each.originator_id, UUID)}


def _saved(view: JobsView, rows: Rows, tracking: Tracking, after: int) -> bool:
    """Save, and tell whether nobody else was faster."""
    try:
        view.save(rows.values(), tracking, after)
    except IntegrityError:
        return False
    return True


def _kind(topic: str) -> str:
    """Return the kind that a topic names; the events of every kind name none."""
    return topic.split(".")[1] if topic.count(".") > 1 else "unknown"
