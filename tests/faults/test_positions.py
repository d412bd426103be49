"""Positions are never reused or renumbered, by whatever is done to the file with SQLite's own tools."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.evidence import sound
from support.logs import make_scenes, make_units, scenes

import resumelog
from resumelog.application.errors import NotOurDatabase
from resumelog.domain.scene_batch import SceneBatch
from resumelog.infrastructure.storage.sqlite import schema

pytestmark = pytest.mark.faults

NEWEST = SceneBatch.named("电影", "分镜").id.hex


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of two streams, of which the newest was deleted by hand."""
    path = tmp_path / "jobs.db"
    with resumelog.open(path) as log:
        make_units(log, tmp_path / "成片.mp4", until=4)
        make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM stored_events WHERE originator_id = ?", (NEWEST,))
    return path


def positions(path: Path) -> tuple[list[int], int]:
    """Return all positions, and the highest that was ever given."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT position FROM stored_events ORDER BY position")
        found = [position for (position,) in rows]
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'"
        (highest,) = connection.execute(query).fetchone()
    return found, highest


def append(path: Path) -> None:
    """Append one more stream."""
    with resumelog.open(path) as log:
        make_units(log, path.with_name("又一.mp4"), until=1)


def require_kept(before: tuple[list[int], int], path: Path) -> None:
    """Require the same positions, and that the next ones come after all that ever were."""
    assert positions(path) == before
    append(path)
    after, _ = positions(path)
    kept, highest = before
    assert after[: len(kept)] == kept
    assert after[len(kept)] == highest + 1 > kept[-1] + 1


def vacuum(path: Path) -> Path:
    run(path, "VACUUM")
    return path


def vacuum_into(path: Path) -> Path:
    copy = path.with_name("copy.db")
    run(path, f"VACUUM INTO '{copy}'")
    return copy


def back_up(path: Path) -> Path:
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy


def dump_and_restore(path: Path) -> Path:
    """Write it out as SQL and read that in, then say whose it is: SQL does not say that."""
    copy = restored(path)
    mark(copy)
    return copy


def mark(path: Path) -> None:
    run(path, f"PRAGMA application_id = {schema.APPLICATION_ID}")
    run(path, f"PRAGMA user_version = {len(schema.MIGRATIONS)}")


def restored(path: Path) -> Path:
    """Write it out as SQL, as `.dump` does, and read that in."""
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        new.executescript("\n".join(old.iterdump()))
    return copy


def run(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [lambda path: path, vacuum, vacuum_into, back_up, dump_and_restore],
    ids=["deletion", "VACUUM", "VACUUM INTO", "backup", "dump and restore"],
)
def test_no_position_is_reused_or_renumbered_by(path: Path, change: Callable[[Path], Path]) -> None:
    before = positions(path)
    require_kept(before, change(path))


def test_a_dump_that_was_restored_is_not_taken_for_ours_until_it_is_marked(path: Path) -> None:
    with pytest.raises(NotOurDatabase):
        resumelog.open(restored(path))
    mark(path.with_name("copy.db"))
    assert sound(path.with_name("copy.db"))
