"""Replaying the log gives the live state, in every store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eventsourcing.persistence import StoredEvent
from support import exports
from support.canonical import NOW
from support.scenario import Command, nothing_yet
from support.stories import KINDS, stories

from resumelog import ResumeLog
from resumelog.application.errors import DamagedEvent
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.events import DomainEvent
from resumelog.domain.export_job import ExportJob

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.kind))


def told(log: ResumeLog, kind: type[EventSourced]) -> EventSourced:
    """Append this kind's story and return the live state."""
    *_, live = telling(log, kind)
    return live


def telling(log: ResumeLog, kind: type[EventSourced]) -> Iterator[EventSourced]:
    """Append this kind's story event by event, and yield the live state after each."""
    live = nothing_yet(kind)
    for event in stories()[kind]:
        log.log.decide(live, always(event))
        yield live


def always(event: DomainEvent) -> Command[EventSourced]:
    own = event.model_copy(deep=True)  # a log lets go of the bytes that it has written
    return lambda _: (own,)


@every_kind
def test_a_recovered_state_is_the_live_state_after_every_event(
    log: ResumeLog, kind: type[EventSourced]
) -> None:
    for live in telling(log, kind):
        assert log.log.recover(nothing_yet(kind)) == live, f"at version {live.version}"


@every_kind
def test_a_recovered_state_is_the_full_fold(
    log: ResumeLog, other: ResumeLog, kind: type[EventSourced]
) -> None:
    live = told(log, kind)
    full = nothing_yet(kind).fold(other.log.history(live.id))
    assert other.log.recover(nothing_yet(kind)) == full


@every_kind
def test_the_librarys_own_save_and_repository_work(
    log: ResumeLog, kind: type[EventSourced]
) -> None:
    story = [event.model_copy(deep=True) for event in stories()[kind]]
    for event in story:
        log.log.save(event)
    stream = story[0].originator_id
    assert log.log.repository.get(stream) == nothing_yet(kind).fold(story)
    for version in (1, len(story) - 1):
        state: EventSourced = log.log.repository.get(stream, version=version)
        assert state == nothing_yet(kind).fold(story[:version])


@every_kind
def test_a_state_kept_from_any_version_catches_up(log: ResumeLog, kind: type[EventSourced]) -> None:
    events = [*log.log.history(told(log, kind).id)]
    newest = log.log.recover(nothing_yet(kind))
    for version in range(len(events)):
        kept = nothing_yet(kind).fold(events[:version])
        assert log.log.recover(kept) == newest, f"from version {version}"


def test_recovery_decodes_nothing_before_the_last_origin(log: ResumeLog) -> None:
    job = ExportJob.named("成片.mp4")
    log.log.recorder.insert_events([StoredEvent(job.id, 1, "resumelog.Unheard", b"{}")])
    (begun,) = exports.begin()(job)
    log.log.decide(ExportJob(job.id).fold((begun,)), exports.restart())
    assert log.log.recover(job).version == 2
    with pytest.raises(DamagedEvent):
        [*log.log.history(job.id)]


def test_recovery_without_an_origin_decodes_all(log: ResumeLog) -> None:
    job = ExportJob.named("成片.mp4")
    log.log.recorder.insert_events([StoredEvent(job.id, 1, "resumelog.Unheard", b"{}")])
    with pytest.raises(DamagedEvent):
        log.log.recover(job)


def test_an_origin_keeps_what_names_the_job(log: ResumeLog) -> None:
    job = ExportJob.named("成片.mp4")
    for command in (exports.begin(), exports.save(0.5), exports.restart()):
        log.log.decide(job, command)
    recovered = log.log.recover(ExportJob(job.id))
    assert (recovered.natural_key, recovered.work, recovered.epoch, recovered.progress) == (
        ("成片.mp4",),
        exports.WORK,
        2,
        0.0,
    )
    assert recovered.created_at == NOW
