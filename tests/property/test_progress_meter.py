"""Speed and time left under any sequence of reports and pauses."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from support.clocks import StillClock

from resumelog import ProgressFacts
from resumelog.application.progress_meter import Meter

SECONDS = st.one_of(st.just(0.0), st.floats(0, 5e-324), st.floats(0, 10), st.floats(0, 1e9))
TOTALS = st.one_of(st.none(), st.integers(1, 10**6), st.just(10**400))
REPORTS = st.lists(st.tuples(SECONDS, st.floats(0, 1)), max_size=40)


def measured(begins_at: float, reports: list[tuple[float, float]]) -> tuple[Meter, StillClock]:
    """Return a meter after reports that rise, each so many seconds after the one before."""
    clock = StillClock()
    meter = Meter(clock.monotonic)
    meter.begin(begins_at)
    fraction = begins_at
    for seconds, share in reports:
        clock.seconds += seconds
        fraction = min(1.0, fraction + (1 - fraction) * share)
        meter.report(fraction)
    return meter, clock


def require_sane(facts: ProgressFacts) -> None:
    for value in (facts.rate, facts.left_s, facts.elapsed_s):
        assert value is None or (math.isfinite(value) and value >= 0)
    assert facts.rate is None or facts.rate > 0
    assert facts.fraction < 1 or facts.left_s == 0.0


@given(st.floats(0, 1), REPORTS, TOTALS, SECONDS, st.floats(0, 1))
def test_they_are_never_negative_infinite_or_no_number(
    begins_at: float,
    reports: list[tuple[float, float]],
    total: int | None,
    idle_s: float,
    fraction: float,
) -> None:
    meter, clock = measured(begins_at, reports)
    require_sane(meter.facts(fraction, None, total))
    clock.seconds += idle_s
    require_sane(meter.facts(fraction, None, total))


@given(st.floats(0, 0.9), REPORTS, st.lists(st.floats(1e-3, 1e6), max_size=8))
def test_while_nothing_is_reported_the_time_left_never_falls(
    begins_at: float, reports: list[tuple[float, float]], pauses: list[float]
) -> None:
    meter, clock = measured(begins_at, reports)
    left = []
    for pause in pauses:
        clock.seconds += pause
        left.append(meter.facts(0.95, None, None).left_s)
    known = [each for each in left if each is not None]
    assert all(after >= before * (1 - 1e-9) for before, after in pairwise(known))


@given(
    st.integers(0, 500),
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(1, 9)), min_size=1, max_size=30),
)
def test_the_speed_is_between_that_of_the_slowest_and_of_the_fastest_step(
    begins_at: int, steps: list[tuple[float, int]]
) -> None:
    total, clock, done = 1000, StillClock(), begins_at
    meter = Meter(clock.monotonic)
    meter.begin(done / total)
    for seconds, units in steps:
        clock.seconds += seconds
        done += units
        meter.report(done / total)
    speeds = [units / seconds for seconds, units in steps]
    rate = meter.facts(done / total, done, total).rate
    assert rate is not None
    assert min(speeds) * 0.999 <= rate <= max(speeds) * 1.001
