"""An autopilot run under any sequence of commands."""

from __future__ import annotations

import math

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from support import runs
from support.machine import NEWER, OFFSETS, Replaying
from support.stories import LONG_RESULT
from support.strategies import JSON_VALUES

from resumelog.domain.autopilot_events import Reset
from resumelog.domain.autopilot_run import IDLE, AutoPilotRun, RunStatus

CHAINS = st.sampled_from(((*runs.STEPS, "completed"), ("preparing", "monitoring", "end")))
SECONDS = st.floats(0, 1e6)
PERCENTS = st.one_of(st.floats(0, 100), st.sampled_from((-1, 100.5, float("nan"), 10**400)))


class AutoPilotRunMachine(Replaying[AutoPilotRun]):
    kind = AutoPilotRun
    leaves = (Reset,)

    @rule(mode=st.sampled_from(("auto", "auto", "manual", "semi")))
    def configure(self, mode: str) -> None:
        self.do(runs.configure(mode, at=self.now))

    @rule(ahead=NEWER, forced=st.booleans(), steps=CHAINS)
    def start(self, ahead: int, forced: bool, steps: tuple[str, ...]) -> None:
        self.do(runs.configure("auto", at=self.now))
        epoch = self.live.epoch + ahead
        self.do(runs.start(epoch, forced=forced, steps=steps, at=self.now))

    @rule(ahead=NEWER)
    def recover(self, ahead: int) -> None:
        self.do(runs.recover(self.live.epoch + ahead, at=self.now))

    @rule(offset=OFFSETS, ahead=st.integers(0, 2))
    def start_next_step(self, offset: int, ahead: int) -> None:
        step, epoch = self.live.next_step, self.live.epoch + offset
        attempt = self.live.attempts.get(step, 0) + ahead
        self.do(runs.start_step(step, attempt, epoch, at=self.now))

    @rule(step=st.sampled_from((*runs.STEPS, "completed", "unknown")))
    def start_any_step(self, step: str) -> None:
        self.do(runs.start_step(step, 1, self.live.epoch, at=self.now))

    @rule(offset=OFFSETS, percent=PERCENTS, resume_data=JSON_VALUES, active_s=SECONDS)
    def save(self, offset: int, percent: float, resume_data: object, active_s: float) -> None:
        facts = {"resume_data": resume_data, "active_s": active_s, "message": "进行中 ⏳"}
        self.do(runs.save(percent, epoch=self.live.epoch + offset, at=self.now, **facts))

    @rule(offset=OFFSETS, in_a_row=st.integers(1, 3))
    def poll_failed(self, offset: int, in_a_row: int) -> None:
        self.do(runs.poll_failed(in_a_row, epoch=self.live.epoch + offset, at=self.now))

    @rule(offset=OFFSETS, long=st.booleans(), active_s=SECONDS)
    def complete_step(self, offset: int, long: bool, active_s: float) -> None:
        epoch, result = self.live.epoch + offset, LONG_RESULT if long else None
        step = self.live.step
        self.do(runs.complete_step(step, epoch, result=result, active_s=active_s, at=self.now))

    @rule(offset=OFFSETS, attempts_max=st.integers(1, 3))
    def fail_step(self, offset: int, attempts_max: int) -> None:
        epoch = self.live.epoch + offset
        self.do(runs.fail_step(self.live.step, attempts_max, epoch=epoch, at=self.now))

    @rule()
    def pause(self) -> None:
        self.do(runs.pause(at=self.now))

    @rule()
    def resume(self) -> None:
        self.do(runs.resume(at=self.now))

    @rule()
    def stop(self) -> None:
        self.do(runs.stop(at=self.now))

    @rule()
    def reset(self) -> None:
        self.do(runs.reset(at=self.now))
        assert (self.live.status, self.live.step) == (RunStatus.INACTIVE, IDLE)
        assert self.live.progress is None
        assert not self.live.completed

    @invariant()
    def completed_steps_are_the_first_ones(self) -> None:
        done = [step for step in self.live.steps if step in self.live.completed]
        assert done == [*self.live.steps[: len(done)]]

    @invariant()
    def time_at_work_and_percent_are_in_bounds(self) -> None:
        assert math.isfinite(self.live.active_s)
        assert self.live.active_s >= 0
        assert self.live.progress is None or 0 <= self.live.progress.percent <= 100

    @invariant()
    def a_completed_run_has_done_every_step(self) -> None:
        if self.live.status is RunStatus.COMPLETED:
            assert {*self.live.steps[:-1]} <= {*self.live.completed}


TestAutoPilotRun = AutoPilotRunMachine.TestCase
