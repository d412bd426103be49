"""72 hours of monitoring, over restarts, kills, pauses and steps of the wall clock."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from support.clocks import StillClock
from support.hosts import SIM, state_of
from support.watched import Look, Service, still_log

from resumelog.domain.autopilot_run import AutoPilotRun

HOUR_S = 3600
LIMIT_S = 72 * HOUR_S
EVERY_S = 2 * HOUR_S
"""So that 72 h are few looks; the seconds are whole, so that nothing is rounded."""
ERRORS_MAX = 10
HOURS = st.integers(0, 5 * HOUR_S)
STEPS_S = st.sampled_from((0, 0, HOUR_S, -HOUR_S, 100 * HOUR_S, -100 * HOUR_S))
OVER = f"the step took longer than {LIMIT_S:,} s"


class MonitoredRun(RuleBasedStateMachine):
    """A run, beside a count of its own of the time that it has had.

    `spent` is that time, `counted` what of it was on record at the wall clock's time `counted_at`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = StillClock()
        self.log = still_log(self.clock)
        self.services: list[Service] = []
        self.works, self.status = False, "active"
        self.spent = self.counted = self.counted_at = 0.0
        self.errors = 0

    @property
    def wall(self) -> float:
        return self.clock.seconds + self.clock.skew

    @property
    def counted_now(self) -> float:
        """What a successor finds, with the time since then by the wall clock."""
        return self.counted + max(0, self.wall - self.counted_at)

    @property
    def service(self) -> Service:
        return self.services[-1]

    def serve(self) -> None:
        self.services.append(Service(self.log, EVERY_S, LIMIT_S))

    @initialize()
    def start(self) -> None:
        self.serve()
        self.service.pilot.configure(SIM, "auto")
        self.service.pilot.start(SIM)
        self.begun(self.service.settled())

    def begun(self, works: bool) -> None:
        """A worker is at the step, unless its time was over before."""
        self.status = "active" if works else "failed"
        assert works == (self.spent < LIMIT_S), (works, self.spent)
        self.works = works
        self.count()

    def count(self) -> None:
        self.counted, self.counted_at = self.spent, self.wall

    def a_moment_passes(self) -> None:
        """Nobody leaves a step in no time at all."""
        self.clock.seconds += 1
        self.spent += 1

    # At work

    @precondition(lambda self: self.works and self.status == "active")
    @rule(look=st.sampled_from(("news", "news", "nothing", "an error", "an error")))
    def looks(self, look: Look) -> None:
        failed = look == "an error"
        if look == "news" or (not failed and self.errors):
            self.count()
        self.errors = self.errors + 1 if failed else 0
        self.works = self.service.sees(look)
        if self.errors == ERRORS_MAX:
            self.status = "failed"
        else:
            self.spent += min(EVERY_S, max(0, LIMIT_S - self.spent))
            self.status = "active" if self.spent < LIMIT_S else "failed"
        assert self.works == (self.status == "active")

    @precondition(lambda self: self.works)
    @rule(seconds=HOURS)
    def a_look_takes_long(self, seconds: int) -> None:
        self.clock.seconds += seconds
        if self.status == "active":
            self.spent += seconds

    @rule(seconds=STEPS_S)
    def the_wall_clock_is_put(self, seconds: int) -> None:
        self.clock.skew += seconds

    @precondition(lambda self: self.works and self.status == "active")
    @rule()
    def it_is_over(self) -> None:
        assert not self.service.sees("the end")
        self.works, self.status = False, "completed"

    # Paused

    @precondition(lambda self: self.works and self.status == "active")
    @rule(then=st.sampled_from(("leaves", "is killed", "goes on")), seconds=HOURS)
    def pause(self, then: str, seconds: int) -> None:
        self.service.pilot.pause(SIM)
        self.counted, self.counted_at = self.counted_now, self.wall
        if then == "goes on":
            self.service.pilot.resume(SIM)
            return
        self.status, self.works = "paused", False
        if then == "leaves":
            self.a_moment_passes()
            assert not self.service.sees("nothing")
            self.errors = 0
        else:
            self.spent = self.counted
            self.service.be_gone()
            self.serve()
        self.clock.seconds += seconds

    @precondition(lambda self: self.status == "paused")
    @rule(again=st.sampled_from(("resume", "start")))
    def resume(self, again: str) -> None:
        getattr(self.service.pilot, again)(SIM)
        self.begun(self.service.settled())

    # Ended and begun again

    @precondition(lambda self: self.works and self.status == "active")
    @rule(killed=st.booleans(), seconds=HOURS, put=STEPS_S)
    def restart(self, killed: bool, seconds: int, put: int) -> None:
        if killed:
            self.service.be_gone()
        else:
            self.a_moment_passes()
            self.service.hand_back()
            self.errors = 0  # its last look worked
            self.count()
        self.clock.seconds += seconds
        self.clock.skew += put
        self.spent = self.counted_now
        self.serve()
        assert self.service.pilot.recover() == [SIM]
        self.begun(self.service.settled())

    @precondition(lambda self: self.status in ("paused", "failed", "completed"))
    @rule()
    def restart_at_rest(self) -> None:
        self.serve()
        assert self.service.pilot.recover() == []

    @precondition(lambda self: self.status == "failed")
    @rule()
    def start_again(self) -> None:
        self.service.pilot.start(SIM)
        self.spent, self.errors = 0.0, 0
        self.begun(self.service.settled())

    # What is so at any time

    @invariant()
    def it_is_where_it_should_be(self) -> None:
        if self.services:
            run = self.service.pilot.status(SIM)
            assert run.status == self.status
            if self.status == "failed":
                assert run.error == OVER or self.errors == ERRORS_MAX

    @invariant()
    def it_has_the_time_left_that_it_should_have(self) -> None:
        if self.works and self.status == "active":
            assert self.service.left_s == LIMIT_S - self.spent

    @invariant()
    def a_replay_gives_the_state_at_work(self) -> None:
        if self.services and self.works:
            assert self.service.is_as_recorded()
        run = state_of(self.log)
        assert AutoPilotRun(run.id).fold(self.log.log.history(run.id)) == run or not run.version

    def teardown(self) -> None:
        for service in self.services:
            service.clear_away()
        self.log.close()


TestMonitoredRun = MonitoredRun.TestCase


@pytest.mark.parametrize("looks", [("news",), ("an error", "nothing"), ("an error", "news")])
def test_72_hours_of_looks_every_30_s_are_less_than_10_000_events(looks: tuple[Look, ...]) -> None:
    clock = StillClock()
    with still_log(clock) as log:
        service = Service(log, 30, LIMIT_S)
        service.pilot.configure(SIM, "auto")
        service.pilot.start(SIM)
        service.settled()
        count = 0
        while service.sees(looks[count % len(looks)]):
            count += 1
        assert (clock.seconds, count) == (LIMIT_S, LIMIT_S / 30 - 1)
        assert service.pilot.status(SIM).error == OVER
        assert state_of(log).version <= 10_000
        service.clear_away()


def test_a_run_that_is_started_again_counts_its_time_anew_though_it_tells_nothing_new() -> None:
    run = MonitoredRun()
    run.start()
    run.restart(killed=False, seconds=0, put=0)
    run.restart(killed=True, seconds=0, put=100 * HOUR_S)
    run.start_again()
    run.restart(killed=False, seconds=0, put=-HOUR_S)
    run.it_has_the_time_left_that_it_should_have()
    run.teardown()
