"""Connections on loan, and errors that say what to do."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import pytest
from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    IntegrityError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
)
from support.children import child, finished

from resumelog.application.errors import StoreUnavailable
from resumelog.infrastructure.storage.sqlite import connections as module
from resumelog.infrastructure.storage.sqlite.connections import Connections, connect
from resumelog.infrastructure.storage.sqlite.datastore import Datastore
from resumelog.infrastructure.storage.sqlite.errors import translated


@pytest.fixture
def connections(tmp_path: Path) -> Connections:
    """Connections to an empty database."""
    return Connections(lambda: connect(str(tmp_path / "jobs.db")))


def closing_thread(connections: Connections) -> Thread:
    """Return a thread that has begun to close them."""
    thread = Thread(target=connections.close)
    thread.start()
    while True:
        try:
            with connections.loan():
                pass
        except ConnectionPoolClosedError:
            return thread


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_connection_that_came_back_is_lent_again(connections: Connections) -> None:
    with connections.loan() as first:
        pass
    with connections.loan() as second:
        assert second is first
    connections.close()


def test_no_connection_is_lent_twice_at_once(connections: Connections) -> None:
    with connections.loan() as first, connections.loan() as second:
        assert first is not second
    connections.close()


def test_closing_closes_what_is_idle(connections: Connections) -> None:
    with connections.loan() as connection:
        pass
    connections.close()
    assert not is_open(connection)


def test_closing_refuses_new_loans_and_waits_for_the_old(connections: Connections) -> None:
    with connections.loan() as connection:
        thread = closing_thread(connections)
        assert thread.is_alive()
        assert is_open(connection)
    thread.join()
    assert not is_open(connection)


def test_what_nobody_closed_is_closed_with_its_last_reference(tmp_path: Path) -> None:
    forgotten = Connections(lambda: connect(str(tmp_path / "jobs.db")))
    with forgotten.loan() as connection:
        pass
    del forgotten
    assert not is_open(connection)


def test_closing_twice_does_nothing(connections: Connections) -> None:
    connections.close()
    connections.close()


def test_what_never_comes_back_is_left_open_until_it_does(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN_S", 0.01)
    with connections.loan() as connection:
        connections.close()
        assert is_open(connection)
    assert not is_open(connection)


def test_a_connection_that_could_not_be_opened_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "DRAIN_S", float("inf"))
    connections = Connections(lambda: connect(str(tmp_path / "no" / "folder.db")))
    with pytest.raises(sqlite3.OperationalError), connections.loan():
        pass
    connections.close()


def test_a_connection_is_durable_by_default(connections: Connections) -> None:
    full = 2
    with connections.loan() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
    connections.close()


def test_a_forked_child_is_refused_and_its_parent_goes_on(tmp_path: Path) -> None:
    with child("fork", tmp_path / "jobs.db", cwd=tmp_path) as process:
        code, out, _ = finished(process)
    assert (code, out.split()) == (0, ["ForkedLog", "0.75"])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "jobs.db"
    with pytest.raises(StoreUnavailable) as unavailable:
        Datastore(str(path))
    assert f"there is no folder {path.parent}" in str(unavailable.value)
    assert unavailable.value.advice.startswith("make it first")


def test_a_lock_held_by_another_program_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "jobs.db")
    datastore = Datastore(path, lock_timeout=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable) as busy, datastore.transaction(commit=True):
            pass
    assert "end that program" in busy.value.advice
    datastore.close()


def test_a_new_file_that_another_program_is_just_setting_up_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "jobs.db")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        opened = pool.submit(Datastore, path)
        with pytest.raises(TimeoutError):
            opened.result(timeout=0.2)
        other.execute("COMMIT")
        opened.result().close()


def test_a_new_file_that_another_program_keeps_locked_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "jobs.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another program holds its lock"):
            Datastore(path, lock_timeout=0)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    datastore = Datastore(str(tmp_path / "jobs.db"))
    with suppress(ZeroDivisionError), datastore.transaction(commit=True) as cursor:
        cursor.execute("INSERT INTO workers VALUES ('w', '{}', 1, 15)")
        raise ZeroDivisionError
    with datastore.transaction(commit=True) as cursor:
        assert cursor.execute("SELECT count(*) FROM workers").fetchone() == (0,)
    datastore.close()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (sqlite3.IntegrityError("twice"), IntegrityError),
        (sqlite3.ProgrammingError("bad"), ProgrammingError),
        (sqlite3.OperationalError("odd"), OperationalError),
        (sqlite3.Error("any"), PersistenceError),
    ],
)
def test_every_other_error_is_eventsourcings(
    raised: sqlite3.Error, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as error, translated("jobs.db"):
        raise raised
    assert error.value.__cause__ is raised
