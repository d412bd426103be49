"""Compression and encryption, as the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventsourcing.cipher import AESCipher
from support.listed_logs import position
from support.logs import make_scenes, scenes

import resumelog
from resumelog.application.errors import DamagedEvent, DamagedView


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
