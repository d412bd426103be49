"""From a command to a stored event and back, in every store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support import exports
from support.canonical import NOW
from support.logs import events_of, names_of

from resumelog import ResumeLog
from resumelog.application.errors import Contended
from resumelog.application.event_log import DECISIONS_MAX, PAGE
from resumelog.domain.aggregate import draft
from resumelog.domain.errors import NotRunning, ProgressFell
from resumelog.domain.events import Events
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import ExportJob, ExportStatus

KEY = "成片🎬.mp4"


def begun(log: ResumeLog) -> ExportJob:
    job = ExportJob.named(KEY)
    log.log.decide(job, exports.begin())
    return job


def loaded(log: ResumeLog) -> ExportJob:
    return log.log.recover(ExportJob.named(KEY))


def many(job: ExportJob) -> Events:
    """Return more events than one page holds."""
    saves = [draft(ProgressSaved, epoch=1, progress=n / 1000) for n in range(PAGE + 1)]
    return job.new(NOW, *saves)


def test_a_job_without_events_is_at_version_0(log: ResumeLog) -> None:
    assert loaded(log) == ExportJob.named(KEY)


def test_what_one_handle_appends_another_loads(log: ResumeLog, other: ResumeLog) -> None:
    job = begun(log)
    log.log.decide(job, exports.save(0.5, cursor={"段落": ["雨夜", 1, None]}))
    assert loaded(other).report.cursor == {"段落": ["雨夜", 1, None]}


def test_all_events_of_one_decision_are_appended(log: ResumeLog) -> None:
    job = begun(log)
    log.log.decide(job, many)
    assert (job.version, loaded(log).version) == (PAGE + 2, PAGE + 2)


def test_a_command_that_decides_nothing_appends_nothing(log: ResumeLog) -> None:
    job = begun(log)
    assert log.log.decide(job, exports.save(0.0)) == ()
    assert names_of(log, job) == ["Started"]


def test_the_loser_of_a_conflict_decides_again_on_the_newest_state(
    log: ResumeLog, other: ResumeLog
) -> None:
    winner, loser = begun(log), loaded(other)
    seen: list[float] = []

    def half_of_what_is_left(job: ExportJob) -> Events:
        seen.append(job.progress)
        return exports.save(job.progress + (1 - job.progress) / 2)(job)

    log.log.decide(winner, half_of_what_is_left)
    other.log.decide(loser, half_of_what_is_left)
    assert seen == [0.0, 0.0, 0.5]
    assert (loser.version, loser.progress) == (3, 0.75)


def test_both_sides_of_a_conflict_are_in_the_history_once(log: ResumeLog, other: ResumeLog) -> None:
    winner, loser = begun(log), loaded(other)
    log.log.decide(winner, exports.save(0.5))
    other.log.decide(loser, exports.save(0.75))
    saved = [event.progress for event in events_of(log, loser)[1:] if hasattr(event, "progress")]
    assert saved == [0.5, 0.75]


def test_a_refusal_on_a_stale_state_is_decided_again(log: ResumeLog, other: ResumeLog) -> None:
    stale = loaded(other)
    begun(log)
    other.log.decide(stale, exports.pause())
    assert loaded(log).status is ExportStatus.PAUSED


def test_nothing_to_do_on_a_stale_state_is_decided_again(log: ResumeLog, other: ResumeLog) -> None:
    stale = loaded(other)
    begun(log)
    other.log.decide(stale, exports.restart())
    assert names_of(log, stale) == ["Started", "Restarted"]


def test_a_refusal_on_the_newest_state_is_raised_and_appends_nothing(log: ResumeLog) -> None:
    job = begun(log)
    log.log.decide(job, exports.save(0.5))
    with pytest.raises(ProgressFell):
        log.log.decide(job, exports.save(0.25))
    assert names_of(log, job) == ["Started", "ProgressSaved"]


def test_a_refusal_brings_the_kept_state_up_to_date(log: ResumeLog, other: ResumeLog) -> None:
    job = begun(log)
    other.log.decide(loaded(other), exports.interrupt())
    with pytest.raises(NotRunning):
        log.log.decide(job, exports.save(0.5))
    assert job.status is ExportStatus.INTERRUPTED


def test_a_writer_that_loses_every_time_gives_up(log: ResumeLog, other: ResumeLog) -> None:
    rival = begun(other)
    job = loaded(log)

    def always_late(job: ExportJob) -> Events:
        events = exports.save(job.progress + 0.001)(job)
        other.log.decide(rival, exports.save(rival.progress + 0.01))
        return events

    with pytest.raises(Contended) as contended:
        log.log.decide(job, always_late)
    assert contended.value.attempts == DECISIONS_MAX
    assert job.version == rival.version == 1 + DECISIONS_MAX


def test_the_history_of_a_long_stream_is_complete_and_in_order(log: ResumeLog) -> None:
    job = begun(log)
    log.log.decide(job, many)
    versions = [event.originator_version for event in log.log.history(job.id)]
    assert versions == [*range(1, PAGE + 3)]


def test_the_history_may_begin_after_a_version(log: ResumeLog) -> None:
    job = begun(log)
    log.log.decide(job, many)
    versions = [event.originator_version for event in log.log.history(job.id, gt=PAGE)]
    assert versions == [PAGE + 1, PAGE + 2]


def test_a_log_of_many_events_is_read_to_its_end(log: ResumeLog) -> None:
    job = begun(log)
    log.log.decide(job, many)
    assert [view.version for view in log.queries.jobs()] == [PAGE + 2]


def test_writers_of_different_streams_wait_for_each_other(log: ResumeLog, other: ResumeLog) -> None:
    def write(handle: ResumeLog, key: str) -> int:
        job = ExportJob.named(key)
        handle.log.decide(job, exports.begin())
        for done in range(1, 101):
            handle.log.decide(job, exports.save(done=done, total=100))
        return job.version

    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(write, (log, other), ("片头", "片尾"))] == [101, 101]


def test_one_event_is_found_by_its_version(log: ResumeLog) -> None:
    job = begun(log)
    events = log.log.decide(job, exports.save(0.25))
    assert (log.log.event(job.id, 2),) == events
