"""What somebody with write access to a log's file can do to it, with plain sqlite3."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from resumelog.domain.seals import NO_SEAL, seal

CONTENT = ("topic", "state")
ALL = ("topic", "state", "seal")


class Tampering:
    """Changes to one stream of a file that nobody has open."""

    def __init__(self, database: Path, stream: str = "") -> None:
        self.database, self.stream = database, stream

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def versions(self) -> list[int]:
        statement = (
            "SELECT originator_version FROM stored_events WHERE originator_id = ? ORDER BY 1"
        )
        return [version for (version,) in self.execute(statement, self.stream)]

    def positions(self) -> list[int]:
        statement = (
            "SELECT position FROM stored_events WHERE originator_id = ? ORDER BY originator_version"
        )
        return [position for (position,) in self.execute(statement, self.stream)]

    def get(self, version: int, *columns: str) -> tuple[Any, ...]:
        statement = (
            f"SELECT {', '.join(columns)} FROM stored_events"
            " WHERE originator_id = ? AND originator_version = ?"
        )
        (row,) = self.execute(statement, self.stream, version)
        return row

    def set(self, version: int, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        statement = (
            f"UPDATE stored_events SET {names} WHERE originator_id = ? AND originator_version = ?"
        )
        self.execute(statement, *columns.values(), self.stream, version)

    def delete(self, version: int, *, renumbering: bool = False) -> None:
        where = "originator_id = ? AND originator_version = ?"
        self.execute(f"DELETE FROM stored_events WHERE {where}", self.stream, version)
        if renumbering:
            self.renumber(version + 1, -1)

    def remove(self) -> None:
        self.execute("DELETE FROM stored_events WHERE originator_id = ?", self.stream)

    def swap(self, one: int, another: int, *columns: str) -> None:
        first, second = self.get(one, *columns), self.get(another, *columns)
        self.set(one, **dict(zip(columns, second, strict=True)))
        self.set(another, **dict(zip(columns, first, strict=True)))

    def swap_numbers(self, one: int, another: int) -> None:
        for now, then in ((one, -1), (another, one), (-1, another)):
            self.set(now, originator_version=then)

    def renumber(self, first: int, by: int) -> None:
        """Add to the versions from `first` on, past the unique index."""
        for change in (f"-(originator_version + {by})", "-originator_version"):
            self.execute(
                f"UPDATE stored_events SET originator_version = {change} WHERE originator_id = ?"
                " AND (originator_version >= ? OR originator_version < 0)",
                self.stream,
                first,
            )

    def insert(self, version: int, state: bytes, *, sealed: bool) -> None:
        """Put an event in; later ones that are in the way are numbered one higher."""
        if version in self.versions():
            self.renumber(version, 1)
        topic = "resumelog.ExportJob.ProgressSaved"
        there = [each for each in self.versions() if each < version]
        previous = self.get(there[-1], "seal")[0] if there else NO_SEAL
        mark = seal(previous, self.stream, version, topic, state) if sealed else bytes(32)
        self.execute(
            "INSERT INTO stored_events"
            " (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)",
            *(self.stream, version, topic, state, mark),
        )

    def seal_anew(self) -> None:
        """Make the chain whole again over what stands there now."""
        previous = NO_SEAL
        for version in self.versions():
            previous = seal(previous, self.stream, version, *self.get(version, "topic", "state"))
            self.set(version, seal=previous)
