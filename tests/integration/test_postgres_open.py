"""What a postgresql:// URL opens, what it refuses, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.utils import Environment
from support import exports
from support.children import child, finished
from support.cli import Cli
from support.logs import make_units, names_of

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import (
    BadSetting,
    ClosedLog,
    NewerSchema,
    NoLog,
    NotOurDatabase,
    PayloadGone,
    StoreUnavailable,
    UnknownStore,
)
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.storage.mapper import StoredEventWithPayload
from resumelog.infrastructure.storage.postgres import Factory
from resumelog.infrastructure.storage.postgres.recorders import ApplicationRecorder
from resumelog.infrastructure.storage.postgres.schema import MIGRATIONS
from resumelog.infrastructure.storage.postgres.url import environment

NO_POSTGRES = "import sys; sys.modules['psycopg'] = None\n"


def ask(url: str, statement: str) -> list[Any]:
    """Run a statement in the URL's schema."""
    address, _, schema = url.rpartition("schema=")
    with psycopg.connect(address.rstrip("?&"), autocommit=True) as connection:
        connection.execute(f'SET search_path = "{schema}"')
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def tables(url: str) -> list[Any]:
    schema = url.rpartition("schema=")[2]
    return ask(url, f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' ORDER BY 1")


def factory_of(log: ResumeLog) -> Factory:
    factory = log.log.factory
    assert isinstance(factory, Factory)
    return factory


def asked(log: ResumeLog, setting: str) -> str:
    """Return a setting of the log's own connections."""
    with factory_of(log).datastore.get_connection() as connection:
        row = connection.execute("SELECT current_setting(%s) AS value", (setting,)).fetchone()
    assert row
    return str(row["value"])


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_missing_schema_is_made_with_all_tables(postgres_url: str) -> None:
    with resumelog.open(postgres_url):
        pass
    assert [name for (name,) in tables(postgres_url)] == [
        f"resumelog_{name}"
        for name in (
            "events",
            "jobs",
            "jobs_position",
            "leases",
            "migrations",
            "payloads",
            "workers",
        )
    ]
    assert ask(postgres_url, "SELECT version, name FROM resumelog_migrations") == [
        (number, name) for number, (name, _) in enumerate(MIGRATIONS, 1)
    ]


def test_postgres_is_a_short_name(postgres_url: str, tmp_path: Path) -> None:
    with resumelog.open(postgres_url.replace("postgresql://", "postgres://")) as log:
        make_units(log, tmp_path / "成片.mp4", until=1)
    with resumelog.open(postgres_url) as log:
        assert len(log.queries.jobs()) == 1


def test_parameters_of_libpq_reach_the_connections(postgres_url: str) -> None:
    with resumelog.open(
        f"{postgres_url}&application_name=clapper&options=-c%20work_mem%3D7MB"
    ) as log:
        assert asked(log, "application_name") == "clapper"
        assert asked(log, "work_mem") == "7MB"


def test_a_parameter_that_libpq_does_not_know_is_refused(postgres_url: str) -> None:
    with pytest.raises(UnknownStore):
        resumelog.open(f"{postgres_url}&sslmod=require")


@pytest.mark.parametrize(
    "url",
    [
        "postgres://小王:geheim@host/x?nonsense=1",
        "postgres://小王:geheim@host/x?schema=" + "s" * 64,
    ],
)
def test_a_url_that_names_nothing_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(UnknownStore) as unknown:
        resumelog.open(url)
    assert "小王" in str(unknown.value)
    assert "geheim" not in str(unknown.value)


def test_a_server_that_is_not_there_is_told_at_once_without_the_password() -> None:
    with pytest.raises(StoreUnavailable) as lost:
        resumelog.open("postgresql://小王:geheim@127.0.0.1:1/x?schema=项目")
    assert "Connection refused" in str(lost.value)
    assert "geheim" not in str(lost.value)
    assert lost.value.store.startswith("postgresql://%E5%B0%8F%E7%8E%8B@127.0.0.1:1/x")


@pytest.mark.parametrize("makes_schema", [False, True])
def test_a_log_that_must_exist_is_not_made(postgres_url: str, makes_schema: bool) -> None:
    schema = postgres_url.rpartition("schema=")[2]
    if makes_schema:
        ask(postgres_url, f'CREATE SCHEMA "{schema}"')
    with pytest.raises(NoLog):
        resumelog.open(postgres_url, must_exist=True)
    found = ask(postgres_url, f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'")
    assert bool(found) == makes_schema
    assert tables(postgres_url) == []


def test_the_command_line_takes_the_url(postgres_url: str, cli: Cli, tmp_path: Path) -> None:
    with resumelog.open(postgres_url) as log:
        make_units(log, tmp_path / "成片.mp4", until=1)
    assert "成片.mp4" in cli("jobs", "--db", postgres_url).out
    assert "there is no log at postgresql://" in cli("jobs", "--db", f"{postgres_url}_2").err


def test_a_stock_applications_tables_are_refused_unchanged(postgres_url: str) -> None:
    stock = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        **environment(postgres_url, ""),
    }
    schema = postgres_url.rpartition("schema=")[2]
    ask(postgres_url, f'CREATE SCHEMA "{schema}"')
    with Application[Any](env=stock) as app:
        app.save(Aggregate())
    ask(postgres_url, "ALTER TABLE application_events RENAME TO resumelog_events")
    before = tables(postgres_url)
    with pytest.raises(NotOurDatabase) as refused:
        resumelog.open(postgres_url)
    assert "resumelog_events has no seals" in str(refused.value)
    assert tables(postgres_url) == before
    assert len(ask(postgres_url, "SELECT * FROM resumelog_events")) == 1


def test_a_log_may_stand_on_the_stock_store(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ask(postgres_url, f'CREATE SCHEMA "{postgres_url.rpartition("schema=")[2]}"')
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.postgres")
    for name, value in environment(postgres_url, "").items():
        monkeypatch.setenv(name, value)
    for until, made in ((4, [0, 1, 2, 3]), (6, [4, 5])):
        with resumelog.open() as log:
            assert make_units(log, tmp_path / "成片.mp4", until=until) == made


def test_a_newer_schema_is_refused(postgres_url: str) -> None:
    with resumelog.open(postgres_url):
        pass
    newer = len(MIGRATIONS) + 1
    ask(postgres_url, f"INSERT INTO resumelog_migrations VALUES ({newer}, 'later')")
    with pytest.raises(NewerSchema) as refused:
        resumelog.open(postgres_url)
    assert refused.value.data["found"] == newer


def test_a_migration_that_fails_leaves_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = "resumelog.infrastructure.storage.postgres.schema.MIGRATIONS"
    monkeypatch.setattr(schema, (*MIGRATIONS, ("broken", ("SELECT nothing",))))
    with pytest.raises(Exception, match="nothing"):
        resumelog.open(postgres_url)
    assert tables(postgres_url) == []


def test_a_lock_held_by_another_program_is_named(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_LOCK_TIMEOUT", "1")
    with resumelog.open(postgres_url) as log:
        with factory_of(log).datastore.own_connection() as other, other.transaction():
            schema = postgres_url.rpartition("schema=")[2]
            other.execute(f"LOCK TABLE {schema}.resumelog_events IN EXCLUSIVE MODE")
            with pytest.raises(StoreUnavailable) as busy:
                log.log.decide(ExportJob.named("成片"), exports.begin())
        assert "end that program" in busy.value.advice
        log.log.decide(ExportJob.named("成片"), exports.begin())
        assert len(log.queries.jobs()) == 1


def test_positions_are_not_used_again(postgres_url: str, tmp_path: Path) -> None:
    with resumelog.open(postgres_url) as log:
        make_units(log, tmp_path / "成片.mp4")
    ((newest,),) = ask(postgres_url, "SELECT max(notification_id) FROM resumelog_events")
    ask(postgres_url, f"DELETE FROM resumelog_events WHERE notification_id = {newest}")
    ask(postgres_url, "VACUUM FULL resumelog_events")
    with resumelog.open(postgres_url) as log, log.exports.resume("另一部.mp4"):
        pass
    later = ask(postgres_url, f"SELECT 1 FROM resumelog_events WHERE notification_id = {newest}")
    assert later == []


def test_a_payload_is_read_by_its_version_and_a_missing_one_is_told(postgres_url: str) -> None:
    stream = uuid4()
    with resumelog.open(postgres_url) as log:
        recorder = log.log.recorder
        assert isinstance(recorder, ApplicationRecorder)
        recorder.insert_events(
            [
                StoredEventWithPayload(stream, version, "topic", b"{}", payload=b"%d" % version)
                for version in range(1, 4)
            ]
        )
        recorder.insert_events([StoredEvent(stream, 4, "topic", b"{}")])
        assert recorder.select_payload(stream, 2) == b"2"
        with pytest.raises(PayloadGone) as gone:
            recorder.select_payload(stream, 4)
    assert gone.value.data == {"stream": stream, "version": 4}


def test_a_payload_goes_with_its_event_or_not_at_all(postgres_url: str) -> None:
    event = StoredEventWithPayload(uuid4(), 1, "topic", b"{}", payload=b"first")
    with resumelog.open(postgres_url) as log:
        log.log.recorder.insert_events([event])
        with pytest.raises(IntegrityError):
            log.log.recorder.insert_events([replace(event, payload=b"second")])
    assert ask(postgres_url, "SELECT content FROM resumelog_payloads") == [(b"first",)]


# Settings


def test_what_is_saved_is_synced_by_default(postgres_url: str) -> None:
    with resumelog.open(f"{postgres_url}&options=-c%20synchronous_commit%3Doff") as log:
        assert asked(log, "synchronous_commit") == "on"


def test_a_servers_own_stronger_durability_stays(postgres_url: str) -> None:
    url = f"{postgres_url}&options=-c%20synchronous_commit%3Dremote_apply"
    with resumelog.open(url) as log:
        assert asked(log, "synchronous_commit") == "remote_apply"


def test_the_last_moments_may_be_given_up_for_speed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_DURABILITY", "normal")
    with resumelog.open(postgres_url) as log:
        assert asked(log, "synchronous_commit") == "off"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("POSTGRES_DURABILITY", "some", "neither full nor normal"),
        ("POSTGRES_ENABLE_DB_FUNCTIONS", "y", "followers miss events"),
    ],
)
def test_a_setting_that_would_do_harm_is_refused_with_the_reason(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=reason) as bad:
        resumelog.open(postgres_url)
    assert bad.value.data["name"] == name
    assert tables(postgres_url) == []


def test_tables_that_are_there_need_not_be_made(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with resumelog.open(postgres_url):
        pass
    monkeypatch.setenv("CREATE_TABLE", "n")
    with resumelog.open(postgres_url) as log:
        make_units(log, tmp_path / "成片.mp4", until=1)
        assert names_of(log, str(tmp_path / "成片.mp4"))[0] == "Started"


def test_text_ids_work_in_the_librarys_own_applications(postgres_url: str) -> None:
    variables = {**environment(postgres_url, ""), "ORIGINATOR_ID_TYPE": "text"}
    factory = Factory(Environment("Tags", variables))
    recorder = factory.application_recorder()
    events = [StoredEvent("片-1", version, "topic", b"{}") for version in (1, 2)]
    recorder.insert_events(events)
    assert [*recorder.select_events("片-1")] == events
    factory.close()


# Beside it


def test_a_closed_log_says_so(postgres_url: str) -> None:
    log = resumelog.open(postgres_url)
    log.close()
    with pytest.raises(ClosedLog):
        log.queries.jobs()


def test_a_forked_child_is_refused_and_its_parent_goes_on(
    postgres_url: str, tmp_path: Path
) -> None:
    with child("fork", postgres_url, cwd=tmp_path) as process:
        code, out, _ = finished(process)
    assert (code, out.split()) == (0, ["ForkedLog", "0.75"])


def test_a_log_that_a_child_closes_stays_connected_in_its_parent(
    postgres_url: str, tmp_path: Path
) -> None:
    one = {"POSTGRES_POOL_SIZE": "1", "POSTGRES_MAX_OVERFLOW": "0"}
    with child("close_in_a_fork", postgres_url, cwd=tmp_path, **one) as process:
        code, out, err = finished(process)
    before, after = out.split()
    assert (code, after) == (0, before), err


def test_nothing_of_it_is_imported_for_other_stores(tmp_path: Path) -> None:
    program = (
        "import sys, resumelog\n"
        "with resumelog.open(sys.argv[1]) as log:\n"
        "    log.queries.jobs()\n"
        "print([name for name in sys.modules if 'psycopg' in name or 'postgres' in name])"
    )
    done = run(program, str(tmp_path / "jobs.db"))
    assert (done.stdout, done.stderr) == ("[]\n", "")


VARIABLES = (
    "import os; os.environ['PERSISTENCE_MODULE'] = 'resumelog.infrastructure.storage.postgres'"
)


@pytest.mark.parametrize(
    "program",
    [
        "import resumelog; resumelog.open('postgresql://localhost/x')",
        f"import resumelog; {VARIABLES}; resumelog.open()",
    ],
)
def test_without_the_extra_it_says_what_to_install(program: str) -> None:
    assert "pip install 'resumelog[postgres]'" in run(NO_POSTGRES + program).stderr
