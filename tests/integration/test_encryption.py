"""Compression and encryption, as the environment says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from eventsourcing.cipher import AESCipher
from support.listed_logs import position
from support.logs import make_scenes, scenes

import resumelog
from resumelog.application.errors import DamagedEvent, DamagedView
from resumelog.domain.scene_batch import SceneBatch


def whole(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("jobs.db*")))


def results(path: Path) -> list[object]:
    with resumelog.open(path) as log:
        batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2))
        return [result for _, result in batch.results()]


def make(path: Path) -> None:
    with resumelog.open(path) as log:
        texts = {"1": "SHORT", "2": "LONG" * 1000 + "END"}
        make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2)), result=texts.__getitem__)


@pytest.mark.parametrize("compressor", [None, "zlib", "eventsourcing.compressor:ZlibCompressor"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_compressed_or_encrypted_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compressor: str | None, encrypted: bool
) -> None:
    if compressor:
        monkeypatch.setenv("COMPRESSOR_TOPIC", compressor)
    if encrypted:
        monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(tmp_path / "jobs.db")
    assert results(tmp_path / "jobs.db") == ["SHORT", "LONG" * 1000 + "END"]
    assert (b"SHORT" in whole(tmp_path)) == (not compressor and not encrypted)


def test_nothing_of_a_result_is_in_an_encrypted_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(tmp_path / "jobs.db")
    assert not any(word in whole(tmp_path) for word in (b"SHORT", b"LONGLONG", b"END", b"scene"))


def swap(path: Path, table: str, column: str, one: int, other: int) -> None:
    """Let two rows of a closed log exchange what stands in one of their columns."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        found = {
            position: database.execute(
                f"SELECT {column} FROM {table} WHERE position = ?", (position,)
            ).fetchone()[0]
            for position in (one, other)
        }
        for position, content in zip((one, other), reversed(found.values()), strict=True):
            database.execute(
                f"UPDATE {table} SET {column} = ? WHERE position = ?", (content, position)
            )


@pytest.mark.parametrize(("table", "column"), [("stored_events", "state"), ("payloads", "content")])
def test_a_ciphertext_that_was_moved_to_another_row_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, column: str
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    with resumelog.open(tmp_path / "jobs.db") as log:
        long = {"1": "一" * 1000, "2": "二" * 1000}
        make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2)), result=long.__getitem__)
    swap(tmp_path / "jobs.db", table, column, 3, 4)
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        pytest.raises(DamagedEvent, match="encrypted for another place"),
    ):
        log.log.value(SceneBatch.named("电影", "分镜").id, 3)


def test_an_encrypted_event_under_another_topic_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(tmp_path / "jobs.db")
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as database:
        database.execute(
            "UPDATE stored_events SET topic = 'resumelog.SceneBatch.Stopped'"
            " WHERE topic = 'resumelog.SceneBatch.Completed'"
        )
    batch = SceneBatch.named("电影", "分镜")
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        pytest.raises(DamagedEvent, match="encrypted for another place"),
    ):
        log.log.recover(batch)


@pytest.mark.parametrize("key", [None, AESCipher.create_key(32)], ids=["none", "another"])
def test_without_the_right_key_every_event_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(tmp_path / "jobs.db")
    monkeypatch.delenv("CIPHER_KEY")
    if key:
        monkeypatch.setenv("CIPHER_KEY", key)
    with resumelog.open(tmp_path / "jobs.db") as log:
        (view,) = log.queries.jobs()
        assert view.status == "damaged"
        with pytest.raises(DamagedEvent):
            log.queries.find("电影/分镜")


def test_the_list_of_an_encrypted_log_is_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(tmp_path / "jobs.db")
    with resumelog.open(tmp_path / "jobs.db") as log:
        log.queries.rebuild()
        (view,) = log.queries.jobs()
        assert (view.name, view.status) == ("电影/分镜", "completed")
        assert position(log) > 0
    assert "电影".encode() not in whole(tmp_path)


def test_without_the_right_key_the_list_can_neither_be_read_nor_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(tmp_path / "jobs.db")
    with resumelog.open(tmp_path / "jobs.db") as log:
        log.queries.rebuild()
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    with resumelog.open(tmp_path / "jobs.db") as log:
        with pytest.raises(DamagedView):
            log.queries.jobs()
        with pytest.raises(DamagedEvent):
            log.queries.rebuild()
