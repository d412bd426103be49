"""The chain of seals, against another computation of the same definition."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest
from support.logs import make_scenes, make_units, scenes

from resumelog import ResumeLog
from resumelog.domain.seals import NO_SEAL, seal


def expected(previous: bytes, stream: str, version: int, topic: str, state: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in (previous, stream.encode(), str(version).encode(), topic.encode(), state):
        digest.update(struct.pack(">Q", len(part)))
        digest.update(part)
    return digest.digest()


Event = tuple[str, int, str, bytes]


def streams(database: Path) -> list[list[tuple[Event, bytes]]]:
    """Return every stream's events in order, each with its stored seal."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT originator_id, originator_version, topic, state, seal FROM stored_events"
            " ORDER BY originator_id, originator_version"
        ).fetchall()
    sealed = [
        ((stream, version, topic, state), mark) for stream, version, topic, state, mark in rows
    ]
    return [[*events] for _, events in groupby(sealed, key=lambda row: row[0][0])]


def require_chain(events: list[tuple[Event, bytes]]) -> None:
    previous = NO_SEAL
    for event, stored in events:
        assert stored == expected(previous, *event)
        previous = stored


@pytest.mark.parametrize(
    "parts",
    [
        (NO_SEAL, "0a1b", 1, "resumelog.ExportJob.Started", b"{}"),
        (b"\x00" * 32, "0a1b", 12, "主题", "雨夜 🌧️".encode()),
        (NO_SEAL, "", 0, "", b""),
    ],
)
def test_a_seal_is_what_its_definition_says(parts: tuple[bytes, str, int, str, bytes]) -> None:
    assert seal(*parts) == expected(*parts)


def test_a_seal_never_changes() -> None:
    sealed = seal(NO_SEAL, "0a1b", 1, "resumelog.ExportJob.Started", b"{}")
    assert sealed.hex() == "5e63249b583a16209855e97b4c60e77c9e55e82652449e4d3d4cd23973618a4d"


@pytest.mark.parametrize(
    "other",
    [
        (b"x", "ab", 1, "c", b"d"),
        (b"", "a", 1, "bc", b"d"),
        (b"", "ab", 1, "cd", b""),
        (b"", "ab", 11, "c", b"d"),
        (b"", "ab", 1, "c", b"e"),
    ],
    ids=["previous seal", "stream and topic", "topic and state", "version", "state"],
)
def test_no_other_event_has_the_same_seal(other: tuple[bytes, str, int, str, bytes]) -> None:
    assert seal(b"", "ab", 1, "c", b"d") != seal(*other)


def test_every_stream_is_a_chain_from_its_first_event_on(log: ResumeLog, tmp_path: Path) -> None:
    batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3))
    make_units(log, tmp_path / "成片.mp4", until=4)
    make_scenes(batch, fails=["2"], result=lambda key: key * 2000)
    make_units(log, tmp_path / "成片.mp4")
    found = streams(tmp_path / "jobs.db")
    assert sorted(map(len, found)) == [6, 14]
    for events in found:
        require_chain(events)


def test_two_writers_of_one_stream_make_one_chain(
    log: ResumeLog, other: ResumeLog, tmp_path: Path
) -> None:
    with log.exports.resume(tmp_path / "成片.mp4") as export:
        for unit in range(1, 6):
            export.save_progress(units_done=unit, units_total=5)
            (other if unit % 2 else log).exports.pause(str(tmp_path / "成片.mp4"))
    (events,) = streams(tmp_path / "jobs.db")
    require_chain(events)
