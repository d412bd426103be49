"""One worker at a time on a stream, in every store."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from support import exports
from support.canonical import WORKER
from support.logs import Store

from resumelog import ResumeLog
from resumelog.application.errors import AlreadyRunning, ClosedLog
from resumelog.application.ports import InFlight
from resumelog.domain.errors import LeaseLost
from resumelog.domain.export_job import ExportJob
from resumelog.domain.values import Attempt, Claim, Worker
from resumelog.infrastructure.processes import this_worker
from resumelog.infrastructure.storage import leases
from resumelog.infrastructure.storage.lease_table import LeaseRow
from resumelog.infrastructure.storage.leases import LOOKS_PER_LEASE, TableLeases

STREAM = uuid4()
JOB = "export 成片.mp4"
A_DAY = 86_400.0
ME = this_worker()
DEAD = ME.model_copy(update={"started": ME.started - 1})


def held_by(log: ResumeLog, worker: Worker, lease_s: float = 0.05, beat: float = 1.0) -> None:
    """Let another worker hold the lease under epoch 7, with one unit in flight."""
    table = log.leases.table
    table.beat("another", worker.model_dump_json(), beat, lease_s)
    table.take(STREAM, None, 7, "another")


def acquired(log: ResumeLog, floor: int = 0, *, force: bool = False) -> Claim:
    return log.leases.acquire(STREAM, JOB, floor, force=force)


def test_the_first_claim_has_an_epoch_above_the_floor(log: ResumeLog) -> None:
    assert acquired(log, 41) == Claim(ME, 42)


def test_a_second_worker_is_told_who_holds_the_lease(log: ResumeLog, other: ResumeLog) -> None:
    acquired(log)
    with pytest.raises(AlreadyRunning) as busy:
        acquired(other)
    assert (busy.value.holder, busy.value.job) == (str(ME), JOB)


def test_a_worker_is_not_given_its_own_lease_twice(log: ResumeLog) -> None:
    acquired(log)
    with pytest.raises(AlreadyRunning):
        acquired(log)


def test_a_released_lease_is_free_with_nothing_in_flight(log: ResumeLog, other: ResumeLog) -> None:
    claim = acquired(log)
    log.leases.begun(STREAM, claim, (InFlight("场景1", 1),))
    log.leases.release(STREAM, claim)
    assert acquired(other) == Claim(ME, claim.epoch + 1)


def test_the_holder_is_named_until_the_lease_is_released(log: ResumeLog, other: ResumeLog) -> None:
    assert other.leases.holder(STREAM) is None
    claim = acquired(log)
    assert other.leases.holder(STREAM) == str(ME)
    log.leases.release(STREAM, claim)
    assert other.leases.holder(STREAM) is None


@pytest.mark.parametrize(("floor", "expected"), [(0, [1, 2, 3]), (5, [6, 7, 8])])
def test_the_epoch_rises_with_every_claim(
    log: ResumeLog, other: ResumeLog, floor: int, expected: list[int]
) -> None:
    epochs = []
    for handle in (log, other, log):
        claim = acquired(handle, floor)
        epochs.append(claim.epoch)
        handle.leases.release(STREAM, claim)
    assert epochs == expected


def test_a_forced_claim_ends_the_one_before(log: ResumeLog, other: ResumeLog) -> None:
    old = acquired(log)
    new = acquired(other, force=True)
    log.leases.release(STREAM, old)
    assert new.epoch == old.epoch + 1
    assert log.leases.holder(STREAM) == str(ME), "an old claim gave the new one back"


def test_who_lost_a_lease_to_force_is_known_by_the_next_that_it_takes(
    log: ResumeLog, other: ResumeLog
) -> None:
    acquired(log)
    acquired(other, force=True)
    next_one = uuid4()
    log.leases.acquire(next_one, JOB, 0)
    assert other.leases.holder(next_one) == str(ME)


def test_a_dead_holder_that_lost_its_lease_to_force_is_forgotten(log: ResumeLog) -> None:
    held_by(log, DEAD)
    acquired(log, force=True)
    assert log.leases.table.take(STREAM, log.leases.table.read(STREAM), 9, "another")
    row = log.leases.table.read(STREAM)
    assert row is not None
    assert row.identity is None


def test_what_a_thread_begins_while_its_log_closes_is_held_by_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, other = store.open(), store.open()
    acquired(log)
    next_one, leave, late = uuid4(), log.leases.table.leave, list[BaseException]()

    def leaves_and_is_too_late(holder: str) -> None:
        leave(holder)
        try:
            log.leases.acquire(next_one, JOB, 0)
        except ClosedLog as error:
            late.append(error)

    monkeypatch.setattr(log.leases.table, "leave", leaves_and_is_too_late)
    log.close()
    assert len(late) == 1
    assert other.leases.table.read(next_one) is None


def test_an_old_claim_is_refused_though_it_reloads_and_decides_again(
    log: ResumeLog, other: ResumeLog
) -> None:
    job = ExportJob.named("成片.mp4")
    old, new = acquired(log), acquired(other, force=True)
    for claim in (old, new):
        log.log.decide(job, exports.begin(claim.epoch))
    fresh = other.log.recover(ExportJob.named("成片.mp4"))
    for state in (job, fresh):
        with pytest.raises(LeaseLost) as lost:
            log.log.decide(state, exports.save(0.5, epoch=old.epoch))
        assert (lost.value.epoch, lost.value.current) == (old.epoch, new.epoch)


def test_a_neighbour_that_is_gone_is_succeeded_at_once(store: Store) -> None:
    log = store.open(lease_s=86_400)
    held_by(log, DEAD)
    assert acquired(log) == Claim(ME, 8, in_flight=())


def test_the_successor_is_told_what_was_in_flight(log: ResumeLog) -> None:
    held_by(log, DEAD)
    log.leases.begun(STREAM, Claim(DEAD, 7), (InFlight("场景3", 2), InFlight("场景4", 1)))
    assert acquired(log).in_flight == (("场景3", 2), ("场景4", 1))


def test_what_was_in_flight_stays_known_until_a_successor_recorded_it(log: ResumeLog) -> None:
    held_by(log, DEAD)
    log.leases.begun(STREAM, Claim(DEAD, 7), (InFlight("场景3", 2),))
    acquired(log)
    assert acquired(log, force=True).in_flight == (("场景3", 2),)


@pytest.mark.parametrize(("worker", "removed"), [(DEAD, True), (WORKER, False)])
def test_the_partial_file_of_a_gone_neighbour_is_removed(
    log: ResumeLog, tmp_path: Path, worker: Worker, removed: bool
) -> None:
    partial = tmp_path / ".成片.partial-0a0b0c0d.mp4"
    partial.write_bytes(b"half")
    held_by(log, worker)
    log.leases.begun(STREAM, Claim(worker, 7), (InFlight("场景3", 1, partial=str(partial)),))
    acquired(log, force=True)
    assert partial.exists() != removed


def test_a_partial_file_that_was_noted_by_a_relative_path_is_found_from_anywhere(
    log: ResumeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "a.partial-1").touch()
    held_by(log, DEAD)
    monkeypatch.chdir(here)
    log.leases.begun(STREAM, Claim(DEAD, 7), (InFlight("场景3", 1, partial="a.partial-1"),))
    monkeypatch.chdir(there)
    acquired(log)
    assert [*here.iterdir()] == []
    assert [*there.iterdir()] != []


def test_no_other_file_is_removed_whatever_the_lease_says(log: ResumeLog, tmp_path: Path) -> None:
    finished = tmp_path / "成片.mp4"
    finished.write_bytes(b"whole")
    held_by(log, DEAD)
    log.leases.begun(STREAM, Claim(DEAD, 7), (InFlight("场景3", 1, partial=str(finished)),))
    acquired(log)
    assert finished.exists()


def test_a_neighbour_that_hangs_is_succeeded_once_its_heartbeat_has_stood_still(
    log: ResumeLog,
) -> None:
    held_by(log, ME, lease_s=60, beat=time.monotonic() - 61)
    assert acquired(log).epoch == 8


def test_a_neighbour_that_beat_within_its_lease_keeps_it(log: ResumeLog) -> None:
    held_by(log, ME, lease_s=60, beat=time.monotonic() - 50)
    with pytest.raises(AlreadyRunning):
        acquired(log)


def test_a_far_worker_whose_heartbeat_stands_still_is_succeeded(store: Store) -> None:
    log = store.open(lease_s=0.05)
    held_by(log, WORKER)
    assert acquired(log).epoch == 8


def test_one_wait_tells_of_all_that_a_far_worker_held(store: Store) -> None:
    log, waits = store.open(), list[float]()
    held_by(log, WORKER, 1e-6)
    leases, second = TableLeases(log.leases.table, 1e-6, waits.append), uuid4()
    log.leases.table.take(second, None, 7, "another")
    leases.acquire(STREAM, JOB, 0)
    waits.clear()
    started = time.monotonic()
    held_by_more = log.leases.table.read(second)
    assert held_by_more is not None
    leases.acquire(second, JOB, 0)
    assert waits == [], time.monotonic() - started
    leases.close()


def test_a_far_worker_whose_heartbeat_moves_keeps_its_lease(log: ResumeLog) -> None:
    held_by(log, WORKER, A_DAY)
    table = log.leases.table
    leases = TableLeases(
        table, 0.01, lambda _: table.beat("another", WORKER.model_dump_json(), 2, A_DAY)
    )
    with pytest.raises(AlreadyRunning) as busy:
        leases.acquire(STREAM, JOB, 0)
    assert busy.value.holder == str(WORKER)
    leases.close()


def test_a_lease_lasts_as_long_as_its_holder_said(log: ResumeLog) -> None:
    held_by(log, WORKER, A_DAY)
    looks = []

    def beats(seconds: float) -> None:
        looks.append(seconds)
        log.leases.table.beat("another", WORKER.model_dump_json(), 2, A_DAY)

    leases = TableLeases(log.leases.table, 0.01, beats)
    with pytest.raises(AlreadyRunning):
        leases.acquire(STREAM, JOB, 0)
    assert looks == [A_DAY / LOOKS_PER_LEASE]
    leases.close()


def test_a_heartbeat_after_the_last_look_keeps_the_lease(log: ResumeLog) -> None:
    held_by(log, WORKER, A_DAY)
    seen = log.leases.table.read(STREAM)
    log.leases.table.beat("another", WORKER.model_dump_json(), 2, A_DAY)
    assert not log.leases.table.take(STREAM, seen, 8, "mine")


def test_a_lease_is_taken_only_as_it_was_seen(log: ResumeLog) -> None:
    table = log.leases.table
    assert table.take(STREAM, None, 1, "first")
    seen = table.read(STREAM)
    assert table.take(STREAM, seen, 2, "second")
    assert not table.take(STREAM, seen, 3, "third")
    assert not table.take(STREAM, None, 3, "third")
    held = table.read(STREAM)
    assert held is not None
    assert (held.epoch, held.holder) == (2, "second")


def test_of_many_that_ask_at_once_one_gets_the_lease(store: Store) -> None:
    handles = [store.open() for _ in range(4)]
    together = Barrier(len(handles))

    def ask(handle: ResumeLog, stream: UUID) -> int:
        together.wait()
        try:
            return handle.leases.acquire(stream, JOB, 0).epoch
        except AlreadyRunning:
            return 0

    with ThreadPoolExecutor(len(handles)) as pool:
        for stream in (uuid4() for _ in range(60)):
            epochs = [*pool.map(ask, handles, [stream] * len(handles))]
            assert sorted(epochs) == [0, 0, 0, 1]


@pytest.mark.parametrize("succeeds", [False, True])
def test_of_many_threads_of_one_log_that_ask_at_once_one_gets_the_lease(
    log: ResumeLog, succeeds: bool
) -> None:
    together = Barrier(4)

    def ask(stream: UUID) -> int | str:
        together.wait()
        try:
            return log.leases.acquire(stream, JOB, 0).epoch
        except AlreadyRunning as busy:
            return busy.holder

    with ThreadPoolExecutor(together.parties) as pool:
        for stream in (uuid4() for _ in range(40)):
            if succeeds:
                log.leases.release(stream, log.leases.acquire(stream, JOB, 0))
            told = [*pool.map(ask, [stream] * together.parties)]
            assert sorted(told, key=str) == sorted([1 + succeeds, *[str(ME)] * 3], key=str)
            assert log.leases.holder(stream) == str(ME)


def test_a_thread_that_looked_before_another_of_its_log_took_the_lease_has_none(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = log.leases.table
    read, faster = table.read, list[Claim]()

    def reads_then_waits(stream: UUID) -> LeaseRow | None:
        monkeypatch.undo()
        seen = read(stream)
        with ThreadPoolExecutor(1) as pool:
            faster.append(pool.submit(acquired, log).result())
        return seen

    monkeypatch.setattr(table, "read", reads_then_waits)
    with pytest.raises(AlreadyRunning) as busy:
        acquired(log)
    assert busy.value.holder == str(ME)
    log.leases.begun(STREAM, faster[0], ())
    assert log.leases.holder(STREAM) == str(ME)


def test_a_holder_beats_while_it_lives(store: Store) -> None:
    log = store.open(lease_s=0.03)
    acquired(log)
    beats = set[float | None]()
    while len(beats) < 3:
        row = log.leases.table.read(STREAM)
        assert row is not None
        beats.add(row.beat)


def test_a_lease_that_was_taken_though_the_answer_was_lost_is_held(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = log.leases.table
    take = type(table).take

    def answers_twice(stream: UUID, before: LeaseRow | None, epoch: int, holder: str) -> bool:
        take(table, stream, before, epoch, holder)
        return take(table, stream, before, epoch, holder)

    monkeypatch.setattr(table, "take", answers_twice)
    assert acquired(log) == Claim(ME, 1)


def test_an_interrupt_in_a_takeover_leaves_no_lease_and_nothing_of_the_dead_holder(
    log: ResumeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "a.partial-1.mp4"
    partial.touch()
    held_by(log, DEAD)
    in_flight = json.dumps([InFlight("output", 0, partial=str(partial))])
    log.leases.table.write_in_flight(STREAM, 7, in_flight)

    def interrupted(_: str) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(leases, "discard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        acquired(log)
    assert not partial.exists()
    assert log.leases.holder(STREAM) is None
    assert acquired(log).in_flight == (Attempt("output", 0),)


def test_an_interrupt_right_after_the_table_was_written_leaves_no_lease(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = log.leases.table.take

    def interrupted(*arguments: Any) -> bool:
        monkeypatch.undo()
        take(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(log.leases.table, "take", interrupted)
    with pytest.raises(KeyboardInterrupt):
        acquired(log)
    assert acquired(log).epoch == 2
