"""What a cleaning does to the file of a log, and what an audit says of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from eventsourcing.cipher import AESCipher
from eventsourcing.persistence import IntegrityError
from support.batches_done import ALL, BATCH, finish
from support.listed_logs import begun, lengthen
from support.tampering import Tampering

import resumelog
from resumelog.application.jobs_projection import SAVED_FROM

FILLER = "终" * 200_000


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_cleaned_log_is_verified_and_its_seals_are_as_before(
    database: Path, monkeypatch: pytest.MonkeyPatch, is_encrypted: bool
) -> None:
    if is_encrypted:
        monkeypatch.setenv("CIPHER_KEY", AESCipher.create_key(32))
    with resumelog.open(database) as log:
        finish(log, 5)
        before = Tampering(database).execute("SELECT * FROM stored_events ORDER BY position")
        log.clean(ALL)
        verdict = log.audit.verify()
    assert (verdict.faults, verdict.payloads) == ((), 5)
    after = Tampering(database).execute("SELECT * FROM stored_events ORDER BY position")
    assert after[:-1] == before
    assert Tampering(database).execute("SELECT * FROM payloads") == []


def test_a_value_that_went_without_that_event_is_still_told(database: Path) -> None:
    with resumelog.open(database) as log:
        finish(log, 2)
        log.clean(ALL)
        finish(log, 3)
        finish(log, 2, stage="配音")
    Tampering(database).execute("DELETE FROM payloads")
    with resumelog.open(database) as log:
        faults = {fault.job: fault for fault in log.audit.verify().faults}
    assert {(each.part, each.kind) for each in faults.values()} == {("payload", "missing")}
    assert faults.keys() == {"电影/分镜", "电影/配音"}
    removal = log_version_of_the_removal(database)
    assert (faults["电影/分镜"].version or 0) > removal


def test_a_job_of_which_an_event_was_damaged_is_told_and_the_others_are_cleaned(
    database: Path,
) -> None:
    with resumelog.open(database) as log:
        finish(log, SAVED_FROM)
        finish(log, 2, stage="配音")
        log.queries.jobs()
        Tampering(database, BATCH.id.hex).set(9, state=b"{}")
        report = log.clean(ALL)
    assert [each.job for each in report.finished] == ["电影/配音"]
    (left,) = report.left_alone
    assert (left.job, left.is_damaged, report.is_well) == ("电影/分镜", True, False)
    assert left.why.startswith("event 9 of ")


def log_version_of_the_removal(database: Path) -> int:
    ((version,),) = Tampering(database).execute(
        "SELECT originator_version FROM stored_events"
        " WHERE topic = 'resumelog.PayloadsRemoved' AND originator_id = ?",
        BATCH.id.hex,
    )
    assert isinstance(version, int)
    return version


def test_an_event_that_is_refused_takes_no_value_with_it(database: Path) -> None:
    with resumelog.open(database) as log, resumelog.open(database) as other:
        finish(log)
        state = log.log.recover(type(BATCH)(BATCH.id))
        stale = state.remove_payloads("磁盘满了", "小王", log.clock.now())
        finish(other, 3)
        with pytest.raises(IntegrityError):
            log.log.recorder.insert_events([*map(log.log.mapper.to_stored_event, stale)])
        assert log.log.count_payloads(BATCH.id)[0] == 3


def test_a_dry_run_leaves_every_byte_of_the_log_even_a_long_list_that_is_behind(
    database: Path,
) -> None:
    with resumelog.open(database) as log:
        finish(log, 3)
        lengthen(log, begun(log, "成片"), SAVED_FROM * 2)
    before = digests(database.parent)
    with resumelog.open(database) as log:
        assert log.clean(ALL, dry_run=True).payloads == 3
    assert digests(database.parent) == before


def test_the_file_keeps_its_size_and_uses_the_room_again(database: Path) -> None:
    with resumelog.open(database) as log:
        finish(log, 5, result=FILLER)
    full = database.stat().st_size
    with resumelog.open(database) as log:
        report = log.clean(ALL)
    assert report.payload_bytes > 1000
    cleaned = database.stat().st_size
    assert cleaned - full <= 16 * 1024, "one more event, and the list"
    with resumelog.open(database) as log:
        finish(log, 5, stage="视频", result=FILLER)
    assert database.stat().st_size - cleaned <= 16 * 1024
    Tampering(database).execute("VACUUM")
