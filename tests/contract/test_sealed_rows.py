"""A recorder shows its sealed rows, and every store seals alike."""

from __future__ import annotations

from uuid import UUID

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from support import exports
from support.logs import Store

from resumelog import ResumeLog
from resumelog.application.ports import SealedEvents, SealedRow
from resumelog.domain.export_job import ExportJob
from resumelog.domain.seals import NO_SEAL, seal

STREAM = UUID("8f1d3c52-7a6e-4d0b-9c58-2b7e1f40a963")
OTHER = UUID("00000000-0000-0000-0000-00000000000a")


@pytest.fixture
def sealed(store: Store, log: ResumeLog) -> SealedEvents:
    """The recorder of a store that seals."""
    if store.url == "memory:":
        pytest.skip("a store in memory seals nothing")
    recorder = log.log.recorder
    assert isinstance(recorder, SealedEvents)
    return recorder


def stored(version: int, stream: UUID = STREAM) -> StoredEvent:
    return StoredEvent(stream, version, "题.Saved", b'{"version":%d}' % version)


def chain(*events: StoredEvent) -> list[bytes]:
    made = [NO_SEAL]
    for e in events:
        made.append(
            seal(made[-1], e.originator_id.hex, e.originator_version, e.topic, e.state)  # type: ignore[union-attr]  # ids are UUIDs here
        )
    return made[1:]


def seals_of(rows: list[SealedRow]) -> list[bytes]:
    return [bytes(row[5]) for row in rows]


def test_a_stream_is_sealed_as_one_chain_however_it_was_written(
    sealed: SealedEvents, log: ResumeLog, other: ResumeLog
) -> None:
    events = [stored(version) for version in range(1, 7)]
    log.log.recorder.insert_events(events[:2])
    log.log.recorder.insert_events(events[2:3])
    other.log.recorder.insert_events(events[3:4])
    log.log.recorder.insert_events(events[4:])
    rows = [*sealed.sealed_by_version(STREAM, gt=0, limit=10)]
    assert seals_of(rows) == chain(*events)
    assert [row[1:5] for row in rows] == [
        (STREAM.hex, e.originator_version, e.topic, e.state) for e in events
    ]


def test_streams_in_one_transaction_are_sealed_each_by_itself(
    sealed: SealedEvents, log: ResumeLog
) -> None:
    log.log.recorder.insert_events([stored(1), stored(1, OTHER), stored(2), stored(2, OTHER)])
    for stream in (STREAM, OTHER):
        rows = [*sealed.sealed_by_version(stream, gt=0, limit=10)]
        assert seals_of(rows) == chain(stored(1, stream), stored(2, stream))


def test_a_conflict_changes_no_seal(sealed: SealedEvents, log: ResumeLog, other: ResumeLog) -> None:
    log.log.recorder.insert_events([stored(1)])
    other.log.recorder.insert_events([stored(2)])
    with pytest.raises(IntegrityError):
        log.log.recorder.insert_events([StoredEvent(STREAM, 2, "题.Saved", b"late")])
    log.log.recorder.insert_events([stored(3)])
    rows = [*sealed.sealed_by_version(STREAM, gt=0, limit=10)]
    assert seals_of(rows) == chain(stored(1), stored(2), stored(3))


def test_rows_are_shown_a_page_at_a_time_in_the_order_of_positions(
    sealed: SealedEvents, log: ResumeLog
) -> None:
    job = ExportJob.named("成片")
    for command in (exports.begin(), exports.save(0.25), exports.save(0.5)):
        log.log.decide(job, command)
    first = sealed.sealed_by_position(gt=0, limit=2)
    rest = sealed.sealed_by_position(gt=first[-1][0], limit=2)
    assert [row[2] for row in (*first, *rest)] == [1, 2, 3]
    assert [row[2] for row in sealed.sealed_by_version(job.id, gt=1, limit=1)] == [2]
