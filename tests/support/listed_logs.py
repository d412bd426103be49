"""Logs that are long enough for their list of jobs to be kept, and what that list must say."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from support import exports
from support.canonical import NOW, claim
from support.listed import job_view

from resumelog import ResumeLog
from resumelog.application.job_row import JobView
from resumelog.application.jobs_projection import SAVED_FROM, tracked
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.events import kinds
from resumelog.domain.export_job import ExportJob, Report

LONG = SAVED_FROM + 20


def begun(log: ResumeLog, key: str, at: datetime = NOW) -> ExportJob:
    """Start an export."""
    job = ExportJob.named(key)
    log.log.decide(job, exports.begin(at=at))
    return job


def lengthen(log: ResumeLog, job: ExportJob, events: int = LONG) -> None:
    """Append so many events to a running export, in one transaction."""
    done = job.report.units_done or 0
    reports = [Report(0.0, done + unit, 10**6) for unit in range(1, events + 1)]
    copy = log.log.recover(ExportJob.named(*job.natural_key))
    new = []
    for report in reports:
        (event,) = copy.save_progress(report, claim(copy.epoch), NOW)
        copy.fold([event])
        new.append(event)
    log.log.events.put(new)
    log.log.recover(job)


def position(log: ResumeLog) -> int:
    """Return how far the view of a log is folded."""
    return tracked(log.view, log.log.name)


def from_the_log(log: ResumeLog) -> dict[UUID, JobView]:
    """Return what the list must say: every job, each recovered by itself."""
    streams: dict[UUID, EventSourced] = {}
    start = 0
    while page := log.log.recorder.select_notifications(start, 1000, inclusive_of_start=False):
        start = page[-1].id
        for each in page:
            assert isinstance(each.originator_id, UUID)
            if each.originator_id not in streams:
                kind = kinds()[log.log.decode(each).kind]
                streams[each.originator_id] = log.log.recover(kind(each.originator_id))
    return {stream: job_view(state) for stream, state in streams.items()}


def listed(log: ResumeLog) -> dict[UUID, JobView]:
    """Return what the list says."""
    views = log.queries.jobs()
    assert len({view.id for view in views}) == len(views)
    return {view.id: view for view in views}


def damage(log: ResumeLog, job: EventSourced) -> None:
    """Append an event that nobody can read."""
    unheard = StoredEvent(job.id, job.version + 1, f"resumelog.{job.kind}.Unheard", b"{}")
    log.log.recorder.insert_events([unheard])
