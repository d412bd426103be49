"""How fast an attempt is, and how long it has yet."""

from __future__ import annotations

import pytest
from support.clocks import StillClock

from resumelog import ProgressFacts
from resumelog.application.progress_meter import SMOOTHING_S, Meter

TOTAL = 100


class Attempt:
    """An attempt at 100 units, measured on a clock that a test moves."""

    def __init__(self, begins_at: int = 0) -> None:
        self.clock = StillClock()
        self.meter = Meter(self.clock.monotonic)
        self.meter.begin(begins_at / TOTAL)
        self.done = begins_at

    def after(self, seconds: float, units: int = 1) -> Attempt:
        """Report so many more units so many seconds later."""
        self.clock.seconds += seconds
        self.done += units
        self.meter.report(self.done / TOTAL)
        return self

    @property
    def facts(self) -> ProgressFacts:
        return self.meter.facts(self.done / TOTAL, self.done, TOTAL)


def test_a_steady_speed_is_told_as_it_is() -> None:
    attempt = Attempt()
    for _ in range(20):
        attempt.after(2.0)
    assert attempt.facts == pytest.approx((0.2, 20, TOTAL, 0.5, 40.0, 160.0, 0.0))


def test_fractions_are_measured_in_fractions() -> None:
    attempt = Attempt().after(10.0, 25)
    facts = attempt.meter.facts(0.25, None, None)
    assert facts == pytest.approx((0.25, None, None, 0.025, 10.0, 30.0, 0.0))


def test_what_an_earlier_attempt_did_is_no_speed() -> None:
    attempt = Attempt(begins_at=60)
    assert attempt.facts == (0.6, 60, TOTAL, None, 0.0, None, 0.6)
    assert attempt.after(4.0).facts == pytest.approx((0.61, 61, TOTAL, 0.25, 4.0, 156.0, 0.6))


def test_nothing_is_known_before_the_first_unit() -> None:
    attempt = Attempt()
    attempt.clock.seconds = 100
    assert attempt.facts == (0.0, 0, TOTAL, None, 100.0, None, 0.0)


def test_no_time_is_no_speed_yet() -> None:
    facts = Attempt().after(0.0, 10).facts
    assert (facts.rate, facts.left_s) == (None, None)


def test_nothing_is_left_at_the_end() -> None:
    assert Attempt().after(5.0, TOTAL).facts.left_s == 0.0
    assert Attempt(begins_at=TOTAL).facts == (1.0, TOTAL, TOTAL, None, 0.0, 0.0, 1.0)


def test_a_burst_counts_for_the_time_that_it_took() -> None:
    attempt = Attempt()
    for _ in range(10):
        attempt.after(1.0)
    for _ in range(10):
        attempt.after(0.0)
    assert attempt.facts.rate == pytest.approx(2.0, rel=0.1)


def test_a_change_of_speed_is_seen_within_a_minute() -> None:
    attempt = Attempt()
    for _ in range(30):
        attempt.after(2.0)
    for _ in range(30):
        attempt.after(SMOOTHING_S / 30, 2)
    fast, slow = 1.0, 0.5
    share = 1 / (1 + 0.368)  # of what the older half counts, e^-1 is left
    assert attempt.facts.rate == pytest.approx(share * fast + (1 - share) * slow, rel=0.02)


def test_a_long_pause_is_forgotten_within_some_minutes() -> None:
    attempt = Attempt().after(2.0).after(3600.0)
    assert attempt.facts.left_s == pytest.approx(98 * 3600, rel=0.1)
    for _ in range(90):
        attempt.after(2.0)
    assert attempt.facts.left_s == pytest.approx(8 * 2.0, rel=0.2)


def test_while_a_unit_takes_as_long_as_the_others_nothing_changes() -> None:
    attempt = Attempt().after(10.0).after(10.0)
    attempt.clock.seconds += 9.9
    assert attempt.facts[3:] == pytest.approx((0.1, 29.9, 980.0, 0.0))


def test_while_nothing_happens_the_time_left_grows() -> None:
    attempt = Attempt().after(10.0).after(10.0)
    left = []
    for _ in range(5):
        attempt.clock.seconds += 60
        left.append(attempt.facts.left_s or 0)
    assert [980, *left] == sorted({980, *left})
    assert left[-1] > 980 * 10


def test_a_save_that_was_no_step_counts_for_the_next() -> None:
    attempt = Attempt().after(5.0, 0).after(5.0, 1)
    assert attempt.facts.rate == pytest.approx(0.1)


def test_an_attempt_that_begins_again_is_measured_anew() -> None:
    attempt = Attempt().after(10.0, 50)
    attempt.meter.begin(0.0)
    attempt.done = 0
    assert attempt.facts == (0.0, 0, TOTAL, None, 0.0, None, 0.0)


def test_units_beyond_all_floats_are_measured() -> None:
    attempt = Attempt().after(10.0, 50)
    facts = attempt.meter.facts(0.5, 10**400 // 2, 10**400)
    assert facts.left_s == 10.0
    assert facts.rate == pytest.approx(5e298)
