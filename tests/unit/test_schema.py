"""The database's identity, and what is never opened as ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.logs import Store, make_units

import resumelog
from resumelog.application.errors import NewerSchema, NotOurDatabase, StoreError
from resumelog.infrastructure.storage.sqlite.connections import connect
from resumelog.infrastructure.storage.sqlite.schema import (
    APPLICATION_ID,
    MIGRATIONS,
    migrate,
    require_ours,
)


def ask(database: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture
def database(store: Store, tmp_path: Path) -> Path:
    """A closed log with ten units in it."""
    make_units(store.open(), tmp_path / "成片.mp4")
    store.close()
    return tmp_path / "jobs.db"


def events(database: Path) -> int:
    with resumelog.open(database) as log:
        return sum(view.version for view in log.queries.jobs())


def test_the_file_says_that_it_is_ours(database: Path) -> None:
    assert database.read_bytes()[68:72] == b"RSLG"
    assert ask(database, "PRAGMA application_id") == [(APPLICATION_ID,)]


def test_the_schema_has_a_version(database: Path) -> None:
    assert ask(database, "PRAGMA user_version") == [(len(MIGRATIONS),)]


def test_every_migration_is_named_once(database: Path) -> None:
    events(database)
    assert ask(database, "SELECT version, name FROM migrations") == [
        (number, name) for number, (name, _) in enumerate(MIGRATIONS, 1)
    ]


def test_a_new_log_is_in_wal_mode(database: Path) -> None:
    assert ask(database, "PRAGMA journal_mode") == [("wal",)]


def test_an_empty_file_becomes_a_log(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    with resumelog.open(tmp_path / "new.db") as log:
        assert log.queries.jobs() == []


def refused(path: Path, error: type[StoreError]) -> StoreError:
    """Open the path, which must be refused, leave its bytes alone and put nothing beside it."""
    before = path.read_bytes() if path.is_file() else None
    beside = {*path.parent.iterdir()}
    with pytest.raises(error) as refusal:
        resumelog.open(path)
    if before is not None:
        assert path.read_bytes() == before
    assert {*path.parent.iterdir()} == beside
    return refusal.value


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_another_programs_database_is_refused_untouched(tmp_path: Path, journal_mode: str) -> None:
    path = tmp_path / "photos.db"
    ask(path, f"PRAGMA journal_mode={journal_mode}")
    ask(path, "CREATE TABLE photos (name TEXT)")
    assert str(path) in str(refused(path, NotOurDatabase))


def test_a_text_file_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("雨夜，他推开门。\n" * 500)
    assert str(path) in str(refused(path, NotOurDatabase))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    assert "it is a folder" in str(refused(path, StoreError))


def test_a_newer_schema_is_refused_untouched(database: Path) -> None:
    ask(database, f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    error = refused(database, NewerSchema)
    assert error.data["found"] == len(MIGRATIONS) + 1


def test_a_position_is_not_used_again_after_the_newest_event_is_deleted(database: Path) -> None:
    ((newest,),) = ask(database, "SELECT max(position) FROM stored_events")
    ask(database, f"DELETE FROM stored_events WHERE position = {newest}")
    ask(database, "VACUUM")
    with resumelog.open(database) as log, log.exports.resume("另一部.mp4"):
        pass
    positions = ask(database, f"SELECT position FROM stored_events WHERE position >= {newest}")
    assert positions == [(newest + 1,), (newest + 2,)]


def test_positions_are_not_renumbered_by_vacuum(database: Path) -> None:
    ask(database, "DELETE FROM stored_events WHERE position = 3")
    before = ask(database, "SELECT position, seal FROM stored_events")
    ask(database, "VACUUM")
    assert ask(database, "SELECT position, seal FROM stored_events") == before


def test_opening_again_changes_no_event(database: Path) -> None:
    before = ask(database, "SELECT * FROM stored_events")
    events(database)
    assert ask(database, "SELECT * FROM stored_events") == before


def test_a_database_that_another_process_makes_during_the_look_is_not_taken_for_theirs(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "new.db")

    def make_it(statement: str) -> None:
        if "sqlite_schema" in statement:
            looking.set_trace_callback(None)
            migrate(other, path)

    with closing(connect(path)) as looking, closing(connect(path)) as other:
        looking.set_trace_callback(make_it)
        assert require_ours(looking, path) == 0
        assert require_ours(looking, path) == len(MIGRATIONS)
