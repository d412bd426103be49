"""A PostgreSQL server that goes away in the middle of the work: nothing is lost, nothing is twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg.sql import SQL, Identifier
from support import exports
from support.children import child, finished
from support.logs import events_of, names_of
from support.postgres import OwnServer, end_connections, killed, new_folder

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import InDoubt, LostEvents, PayloadGone, StoreUnavailable
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_events import SceneCompleted
from resumelog.infrastructure.storage.mapper import StoredEventWithPayload
from resumelog.infrastructure.storage.postgres import Factory
from resumelog.infrastructure.storage.postgres.recorders import ApplicationRecorder
from resumelog.infrastructure.storage.postgres.url import parsed

pytestmark = pytest.mark.kills  # a server of its own, killed again and again

SCENES = 300
RESTARTS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server that may be killed."""
    with new_folder() as name:
        folder = Path(name)
        try:
            yield OwnServer(folder)
        finally:
            killed(folder)


@pytest.fixture
def url(server: OwnServer) -> str:
    """A schema of its own on it."""
    return f"{server.url}_{uuid4().hex[:8]}"


@pytest.fixture
def log(url: str, tmp_path: Path) -> Iterator[ResumeLog]:
    """A log on it."""
    with resumelog.open(url, root=tmp_path) as log:
        yield log


def recorder_of(log: ResumeLog) -> ApplicationRecorder:
    recorder = log.log.recorder
    assert isinstance(recorder, ApplicationRecorder)
    return recorder


def test_a_batch_outlives_servers_that_are_killed(
    server: OwnServer, url: str, tmp_path: Path
) -> None:
    with child("stage", url, str(SCENES), cwd=tmp_path) as process:
        assert process.stdout
        told = []
        for line in process.stdout:
            told.append(line.strip())
            if len(told) % (SCENES // (RESTARTS + 1)) == 0 and len(told) < SCENES:
                server.restart_after(0.5)
        code, _, err = finished(process)
    assert code == 0, err
    assert told == [str(key) for key in range(SCENES)]
    with resumelog.open(url) as log:
        done = [e.scene for e in events_of(log, "电影/分镜") if isinstance(e, SceneCompleted)]
        assert Counter(done) == Counter(told)


def test_reading_goes_on_after_a_restart(server: OwnServer, log: ResumeLog) -> None:
    job = ExportJob.named("成片")
    log.log.decide(job, exports.begin())
    server.restart_after(0)
    assert log.log.recover(ExportJob.named("成片")) == job


def test_connections_that_the_server_has_ended_are_thrown_away(log: ResumeLog, url: str) -> None:
    job = ExportJob.named("成片")
    log.log.decide(job, exports.begin())
    with ThreadPoolExecutor(8) as threads:
        [*threads.map(lambda _: log.queries.jobs(), range(50))]
    end_connections(url)
    log.log.decide(job, exports.save(0.5))
    assert names_of(log, job) == ["Started", "ProgressSaved"]


def test_an_outage_that_does_not_end_is_told_with_its_reason(
    server: OwnServer, log: ResumeLog
) -> None:
    factory = log.log.factory
    assert isinstance(factory, Factory)
    log.queries.jobs()
    factory.datastore.patience_s = 0.5
    server.kill()
    try:
        with pytest.raises(StoreUnavailable) as lost:
            log.queries.jobs()
    finally:
        server.start()
    assert "is the server running" in str(lost.value).lower()
    assert log.queries.jobs() == []


# A commit whose answer is lost


@pytest.fixture
def lossy(server: OwnServer) -> Iterator[str]:
    """Commits here wait, already committed, for a standby that there is not."""
    address = server.url.partition("&schema")[0]
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        admin.execute("SELECT pg_reload_conf()")
        yield address
        admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
        admin.execute("SELECT pg_reload_conf()")


def lose_the_answer(address: str) -> None:
    """End the connection whose commit waits; let the following ones not wait."""
    with psycopg.connect(address, autocommit=True) as admin:
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while not (found := admin.execute(waiting).fetchone()):
            time.sleep(0.01)
        admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
        admin.execute("SELECT pg_terminate_backend(%s)", found)
        admin.execute("SELECT pg_reload_conf()")


def test_a_save_whose_answer_is_lost_is_there_once_and_counts(log: ResumeLog, lossy: str) -> None:
    job = ExportJob.named("成片")
    with ThreadPoolExecutor(1) as thread:
        begun = thread.submit(log.log.decide, job, exports.begin())
        lose_the_answer(lossy)
        assert len(begun.result()) == 1
    assert job.version == 1
    log.log.decide(job, exports.save(0.5))
    assert names_of(log, job) == ["Started", "ProgressSaved"]


def test_the_recorder_says_that_it_is_in_doubt(log: ResumeLog, lossy: str) -> None:
    event = StoredEvent(uuid4(), 1, "resumelog.Unheard", b"{}")
    with ThreadPoolExecutor(1) as thread:
        inserted = thread.submit(recorder_of(log).insert_events, [event])
        lose_the_answer(lossy)
        with pytest.raises(InDoubt):
            inserted.result()
    with pytest.raises(IntegrityError) as conflict:
        recorder_of(log).insert_events([event])
    assert not isinstance(conflict.value, InDoubt)


# Followers


def test_a_subscription_outlives_a_restart(server: OwnServer, log: ResumeLog) -> None:
    recorder = recorder_of(log)
    stream = uuid4()
    with recorder.subscribe(gt=0) as subscription:
        for version in range(1, 4):
            recorder.insert_events([StoredEvent(stream, version, "topic", b"{}")])
            assert next(subscription).originator_version == version
            server.restart_after(0.2)
        recorder.insert_events([StoredEvent(stream, 4, "topic", b"{}")])
        assert next(subscription).originator_version == 4


def test_events_that_a_crash_took_back_leave_no_hole(url: str, tmp_path: Path) -> None:
    with resumelog.open(url, root=tmp_path) as log, resumelog.open(url, root=tmp_path) as other:
        recorder, stream = recorder_of(log), uuid4()
        for version in range(1, 6):
            recorder.insert_events([StoredEvent(stream, version, "topic", b"{}")])
        take_back(url, stream, after=2)
        sixth = StoredEventWithPayload(stream, 6, "topic", b"{}", payload=b"of the sixth")
        for _ in range(2):  # as it is known, and as it is read
            with pytest.raises(LostEvents):
                recorder.insert_events([sixth])
        third = StoredEventWithPayload(stream, 3, "topic", b"{}", payload=b"of the third")
        recorder_of(other).insert_events([third])
        found = [event.originator_version for event in recorder.select_events(stream)]
        assert found == [1, 2, 3]
        with pytest.raises(PayloadGone):
            recorder.select_payload(stream, 6)


def take_back(url: str, stream: UUID, after: int) -> None:
    """Do what a crash under durability=normal, or a failover, does to a stream."""
    parameters = parsed(url)
    schema = str(parameters.pop("schema"))
    with psycopg.connect(**parameters, autocommit=True) as connection:  # type: ignore[arg-type]  # libpq's parameters
        table = Identifier(schema, "resumelog_events")
        delete = SQL("DELETE FROM {} WHERE originator_id = %s AND originator_version > %s")
        connection.execute(delete.format(table), (stream, after))
