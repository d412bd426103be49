"""Many threads, processes and followers on one PostgreSQL schema."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, Thread, active_count
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from support.children import child, finished
from support.logs import make_units

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import ClosedLog
from resumelog.infrastructure.storage.postgres import subscription as postgres_subscription
from resumelog.infrastructure.storage.postgres.log import SealedLog
from resumelog.infrastructure.storage.postgres.recorders import ApplicationRecorder
from resumelog.infrastructure.storage.postgres.schema import MIGRATIONS

PROCESSES, SAVES = 8, 100
READERS, TIMES = 16, 20


def recorder_of(log: ResumeLog) -> ApplicationRecorder:
    recorder = log.log.recorder
    assert isinstance(recorder, ApplicationRecorder)
    return recorder


def event(stream: UUID, version: int) -> StoredEvent:
    return StoredEvent(stream, version, "topic", b"{}")


def test_eight_processes_make_the_schema_and_save_at_once(
    postgres_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        arguments = [(f"{n}.mp4", str(SAVES)) for n in range(PROCESSES)]
        children = [
            stack.enter_context(child("export", postgres_url, *each, cwd=tmp_path))
            for each in arguments
        ]
        ends = [finished(process) for process in children]
    told = "".join(f"{unit}\n" for unit in range(SAVES))
    assert ends == [(0, told, "")] * PROCESSES
    with resumelog.open(postgres_url) as log:
        recorder = recorder_of(log)
        stored = recorder.select_notifications(None, 10_000)
        assert [*Counter(e.originator_id for e in stored).values()] == [SAVES + 2] * PROCESSES
        with recorder.datastore.get_connection() as connection:
            made = connection.execute("SELECT 1 FROM " + migrations(recorder)).fetchall()
        assert len(made) == len(MIGRATIONS)


def migrations(recorder: ApplicationRecorder) -> str:
    return recorder.tables.named("{migrations}")


def test_positions_become_visible_in_their_order(postgres_url: str) -> None:
    with resumelog.open(postgres_url) as one, resumelog.open(postgres_url) as other:
        recorder, streams = recorder_of(one), (uuid4(), uuid4())
        later = Thread(target=recorder_of(other).insert_events, args=([event(streams[1], 1)],))
        with recorder.datastore.transaction(commit=True) as cursor:
            SealedLog(recorder.tables).append(cursor.connection, [event(streams[0], 1)])
            later.start()
            later.join(0.2)
            assert recorder.max_notification_id() is None, "a later position is visible first"
        later.join()
        seen = recorder.select_notifications(None, 10)
    assert [notification.originator_id for notification in seen] == [*streams]


def test_closing_under_sixteen_readers_ends_them_all(postgres_url: str, tmp_path: Path) -> None:
    for _ in range(TIMES):
        log = resumelog.open(postgres_url, root=tmp_path)
        make_units(log, tmp_path / "成片.mp4")
        reading, ends = Barrier(READERS + 1), Counter[str]()

        def read(log: ResumeLog, reading: Barrier, ends: Counter[str]) -> None:
            reading.wait()
            try:
                while True:
                    log.queries.jobs()
            except ClosedLog:
                ends["closed"] += 1

        threads = [Thread(target=read, args=(log, reading, ends)) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        reading.wait()
        log.close()
        for thread in threads:
            thread.join()
        assert ends["closed"] == READERS


# Followers


@pytest.fixture
def recorder(postgres_url: str) -> Iterator[ApplicationRecorder]:
    """The recorder of an open log."""
    with resumelog.open(postgres_url) as log:
        yield recorder_of(log)


def test_every_event_reaches_a_follower_without_waiting_for_the_next_look(
    recorder: ApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_subscription, "WAKE_S", 20.0)
    stream = uuid4()
    for version in range(1, 21):
        start = time.monotonic()
        with recorder.subscribe(gt=recorder.max_notification_id() or 0) as subscription:
            recorder.insert_events([event(stream, version)])  # perhaps before it listens
            assert next(subscription).originator_version == version
        assert time.monotonic() - start < 10


def test_what_nobody_called_for_is_found_at_the_next_look(
    recorder: ApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_subscription, "WAKE_S", 0.2)
    stream = uuid4()
    with recorder.subscribe(gt=0) as subscription:
        recorder.insert_events([event(stream, 1)])
        assert next(subscription).originator_version == 1
        with recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                recorder.tables.named(
                    "INSERT INTO {events} (originator_id, originator_version, topic, state, seal)"
                    " VALUES (%s, 2, 'topic', '', '')"
                ),
                (stream,),
            )
        assert next(subscription).originator_version == 2


def test_a_follower_of_two_writers_sees_every_event_in_the_order_of_positions(
    postgres_url: str,
) -> None:
    with resumelog.open(postgres_url) as one, resumelog.open(postgres_url) as other:

        def write(log: ResumeLog) -> None:
            stream = uuid4()
            for version in range(1, 101):
                recorder_of(log).insert_events([event(stream, version)])

        threads = [Thread(target=write, args=(log,)) for log in (one, other) for _ in range(2)]
        with recorder_of(one).subscribe(gt=0) as subscription:
            for thread in threads:
                thread.start()
            seen = [next(subscription) for _ in range(400)]
            for thread in threads:
                thread.join()
    positions = [notification.id for notification in seen]
    assert positions == sorted(set(positions))
    assert [*Counter(n.originator_id for n in seen).values()] == [100] * 4


def test_a_subscription_that_is_left_leaves_no_thread(
    recorder: ApplicationRecorder,
) -> None:
    recorder.max_notification_id()  # the pool has its threads now
    before = active_count()
    with recorder.subscribe(gt=0):
        assert active_count() == before + 2
    assert active_count() == before
