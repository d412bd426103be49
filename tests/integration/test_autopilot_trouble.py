"""Autopilot: what goes wrong around a step. No run is held, lost or made twice by it."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from collections.abc import Mapping
from threading import Event

import pytest
from pydantic import JsonValue
from support.full import FullDisk
from support.hosts import (
    AT_ONCE,
    PATIENCE_S,
    SIM,
    SmallHost,
    automatic,
    ended,
    reached,
    state_of,
    until_asked,
)
from support.logs import Store, events_of, names_of

from resumelog import Poll, ResumeLog, StepContext
from resumelog.application import run_driver
from resumelog.application.steps import Step
from resumelog.domain.autopilot_events import PollFailed, StepFailed

COMPOSED = "sim-été"


def handed_back(log: ResumeLog) -> None:
    """Leave a run active without a worker."""
    pilot = automatic(log, SmallHost(monitoring=until_asked))
    pilot.start(SIM)
    reached(pilot)
    pilot.close()


def test_who_has_no_host_takes_no_run(log: ResumeLog, other: ResumeLog) -> None:
    handed_back(log)
    assert other.autopilot().recover() == []
    assert other.leases.holder(state_of(log).id) is None
    pilot = other.autopilot(SmallHost())
    assert pilot.recover() == [SIM]
    assert ended(pilot).status == "completed"


class LateHost(SmallHost):
    """Can't tell its steps at first."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 1

    @property
    def steps(self) -> Mapping[str, Step]:
        if self.refusals:
            self.refusals -= 1
            raise OSError("its disk is away")
        return super().steps


def test_a_host_that_can_not_tell_its_steps_holds_no_run(log: ResumeLog) -> None:
    handed_back(log)
    pilot = log.autopilot(LateHost(), AT_ONCE)
    pilot.keep_recovering(0.01)
    assert reached(pilot, lambda run: run.status == "completed")


def test_a_worker_that_can_not_begin_holds_no_run(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    pilot = automatic(log, SmallHost())

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        patch.setattr(log.leases, "_start_beating", lambda: None)
        with pytest.raises(RuntimeError):
            pilot.start(SIM)
    assert pilot.recover() == [SIM]
    assert ended(pilot).status == "completed"


def test_a_step_that_was_cancelled_has_failed(log: ResumeLog) -> None:
    async def step(_: StepContext) -> JsonValue:
        raise asyncio.CancelledError

    pilot = automatic(log, SmallHost(preparing=step))
    pilot.start(SIM)
    assert ended(pilot).status == "failed"
    assert len([each for each in events_of(log, SIM) if isinstance(each, StepFailed)]) == 3


def test_looks_that_fail_count_on_after_a_restart(store: Store) -> None:
    looked = Event()

    def look(_: StepContext) -> JsonValue:
        looked.set()
        raise OSError("no answer")

    log = store.open()
    pilot = automatic(log, SmallHost(monitoring=Poll(look, every_s=3600)))
    pilot.start(SIM)
    assert looked.wait(PATIENCE_S)
    reached(pilot, lambda run: run.error is not None)
    pilot.close()
    again = store.open()
    pilot = again.autopilot(SmallHost(monitoring=Poll(look, every_s=0.001)), AT_ONCE)
    assert pilot.recover() == [SIM]
    assert ended(pilot).status == "failed"
    failed = [each.in_a_row for each in events_of(again, SIM) if isinstance(each, PollFailed)]
    assert failed == [*range(1, 11)]


def test_an_id_has_one_form_for_all(log: ResumeLog) -> None:
    asked: list[str] = []
    decomposed = unicodedata.normalize("NFD", COMPOSED)

    class Owned(SmallHost):
        def exists(self, simulation_id: str) -> bool:
            asked.append(simulation_id)
            return True

        def owner(self, simulation_id: str) -> str | None:
            asked.append(simulation_id)
            return "ann"

    pilot = log.autopilot(Owned(preparing=until_asked), AT_ONCE)
    pilot.configure(decomposed, "auto")
    assert pilot.owner(decomposed) == "ann"
    pilot.start(decomposed)
    pilot.pause(COMPOSED)
    assert pilot.wait(decomposed, PATIENCE_S).status == "paused"
    assert {*asked} == {COMPOSED}
    assert pilot._drivers == {}


def test_a_step_that_is_done_while_the_disk_is_full_is_not_done_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run_driver, "STORE_WAIT_S", 0.01)
    disk = FullDisk(store, monkeypatch)

    def step(_: StepContext) -> JsonValue:
        disk.fill()
        return "done"

    host = SmallHost(preparing=step)
    pilot = automatic(disk.log, host)
    pilot.start(SIM)
    deadline = threading.Event()
    while "tried again in" not in caplog.text:
        assert not deadline.wait(0.01)
    disk.free()
    assert ended(pilot).status == "completed"
    assert host.begun[0:2] == [("preparing", 1), ("starting", 1)]


def test_a_step_is_not_begun_beside_the_one_that_leaves(log: ResumeLog) -> None:
    at_work, most, begun = [0], [0], Event()

    def step(context: StepContext) -> JsonValue:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        if not begun.is_set():
            context.progress(10)
            begun.wait(PATIENCE_S)
        at_work[0] -= 1
        return None

    pilot = automatic(log, SmallHost(preparing=step))
    pilot.start(SIM)
    reached(pilot)
    pilot.reset(SIM)
    pilot.start(SIM, force=True)
    begun.set()
    assert reached(pilot, lambda run: run.status == "completed")
    assert most == [1]
    assert names_of(log, SIM).count("Started") == 2
