"""The values kept beside events are those that were written, unless they were removed on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventsourcing.cipher import AESCipher
from support.logs import make_scenes, scenes
from support.tampering import Tampering

import resumelog
from resumelog.application.audit_faults import Verdict
from resumelog.application.errors import NotSealed
from resumelog.domain.scene_batch import SceneBatch

BATCH = SceneBatch.named("reel", "video")


def make(path: Path, count: int = 3) -> None:
    """Write a batch whose results stand beside its events."""
    with resumelog.open(path, root=path.parent) as log:
        batch = log.scenes.open("reel", "video", scenes=scenes(*range(count)))
        make_scenes(batch, result=lambda key: key * 5000)


def remove_payloads(path: Path) -> None:
    with resumelog.open(path) as log:
        state = log.log.recover(SceneBatch.named("reel", "video"))
        now = log.clock.now()
        log.log.decide(state, lambda batch: batch.remove_payloads("disk", "小王", now))
    assert Tampering(path).execute("SELECT count(*) FROM payloads") == [(0,)]


def verdict(path: Path, *, payloads: bool = True) -> Verdict:
    with resumelog.open(path) as log:
        return log.audit.verify(payloads=payloads)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


def test_a_missing_payload_is_told(database: Path) -> None:
    make(database)
    Tampering(database).execute(
        "DELETE FROM payloads WHERE position = (SELECT min(position) FROM payloads)"
    )
    (fault,) = verdict(database).faults
    assert (fault.part, fault.kind, fault.version) == ("payload", "missing", 3)
    assert (fault.job, fault.why) == ("reel/video", "the value kept with it is gone")
    assert verdict(database, payloads=False).is_well


def test_payloads_that_were_removed_on_purpose_are_no_fault(database: Path) -> None:
    make(database)
    remove_payloads(database)
    found = verdict(database)
    assert (found.faults, found.payloads) == ((), 3)


def test_one_that_is_missing_since_the_removal_is_told(database: Path) -> None:
    make(database)
    remove_payloads(database)
    make(database, 5)
    assert verdict(database).is_well
    Tampering(database).execute("DELETE FROM payloads")
    (fault,) = verdict(database).faults
    assert (fault.part, fault.kind) == ("payload", "missing")
    assert fault.version is not None
    assert fault.version > 6, "behind the removal"


def test_an_event_that_only_claims_a_removal_is_told(database: Path) -> None:
    make(database)
    Tampering(database).execute("DELETE FROM payloads")
    Tampering(database, BATCH.id.hex).set(6, topic="resumelog.PayloadsRemoved")
    (fault,) = verdict(database).faults
    assert (fault.part, fault.kind, fault.version) == ("event", "altered", 6)


@pytest.mark.parametrize("compressor", [None, "zlib"])
def test_an_encrypted_log_is_verified_with_its_key_and_its_events_without(
    database: Path, monkeypatch: pytest.MonkeyPatch, compressor: str | None
) -> None:
    if compressor:
        monkeypatch.setenv("COMPRESSOR_TOPIC", compressor)
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(database)
    assert (verdict(database).faults, verdict(database).payloads) == ((), 3)
    monkeypatch.delenv("CIPHER_KEY")
    assert verdict(database, payloads=False).is_well
    (fault,) = verdict(database).faults
    assert (fault.part, fault.kind, fault.job) == ("payload", "unreadable", None)
    assert "can't be read" in fault.why


def test_an_altered_payload_of_an_encrypted_log_is_told(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    make(database)
    Tampering(database).execute("UPDATE payloads SET content = CAST(x'00' || content AS BLOB)")
    (fault,) = verdict(database).faults
    assert (fault.part, fault.kind) == ("payload", "altered")
    assert "can't be decrypted" in fault.why


def test_payloads_that_changed_places_are_told(database: Path) -> None:
    make(database)
    positions = [row[0] for row in Tampering(database).execute("SELECT position FROM payloads")]
    for now, then in ((positions[0], -1), (positions[1], positions[0]), (-1, positions[1])):
        Tampering(database).execute(
            "UPDATE payloads SET position = ? WHERE position = ?", then, now
        )
    (fault,) = verdict(database).faults
    assert (fault.part, fault.kind, fault.version) == ("payload", "altered", 3)


def test_a_log_in_memory_keeps_no_seals() -> None:
    with resumelog.open("memory:") as log, pytest.raises(NotSealed, match=r"eventsourcing\.popo"):
        log.audit.verify()
