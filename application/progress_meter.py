"""The speed of one attempt, and the facts of it that people want."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, expm1, isfinite
from threading import Lock
from typing import NamedTuple

SMOOTHING_S = 60.0
"""After so long a step counts for a third (1/e) of what it did."""
COUNTABLE_MAX = 10**300
"""A float holds no more units."""


class ProgressFacts(NamedTuple):
    """How far an attempt is.

    `fraction` is 0.0 to 1.0, and `resumed_at` the one at which this attempt began. `done` and
    `total` are None where no units are counted. `rate` is in units a second, or in fractions where
    no units are counted, and None while nothing was done in this attempt. `left_s` is None while
    that is so, and 0.0 at the end. `elapsed_s` is this attempt's, on the monotonic clock.
    """

    fraction: float
    done: int | None
    total: int | None
    rate: float | None
    elapsed_s: float
    left_s: float | None
    resumed_at: float


class Meter:
    """Measures the speed of one attempt, from its own beginning on. Safe for threads.

    Each step of `x` in `s` seconds is a speed x/s that counts for the seconds that it took, and for
    less and less as it grows old: with T = SMOOTHING_S

        speed = Σ wᵢ·xᵢ/sᵢ / Σ wᵢ,    wᵢ = ∫ e^(-age/T) over the seconds of step i

    so that bursts and pauses weigh what they lasted. Between reports the speed is at most what it
    would be if a step like the last was reported now: while nothing happens it falls.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock; `begin` comes first."""
        self._monotonic = monotonic
        self._lock = Lock()
        self.begin(0.0)

    def begin(self, fraction: float) -> None:
        """Begin an attempt: what was done before it is nobody's speed."""
        with self._lock:
            self._began_at = self._fraction = fraction
            self._start = self._last = self._monotonic()
            self._done = self._seconds = self._step = 0.0

    def report(self, fraction: float) -> None:
        """Take a step up to `fraction`; the time of a report that is none counts for the next."""
        with self._lock:
            step = fraction - self._fraction
            if step <= 0:
                return
            now = self._monotonic()
            self._done, self._seconds = self._with(step, now - self._last)
            self._fraction, self._last, self._step = fraction, now, step

    def facts(self, fraction: float, done: int | None, total: int | None) -> ProgressFacts:
        """Return the facts of now, at `fraction`."""
        with self._lock:
            now = self._monotonic()
            speed = self._speed(now - self._last)
            elapsed_s, began_at = now - self._start, self._began_at
        if total is not None:
            done = done or 0
        rate, left_s = _rate(speed, total), _left_s(fraction, speed)
        return ProgressFacts(fraction, done, total, rate, elapsed_s, left_s, began_at)

    def _speed(self, idle_s: float) -> float | None:
        """Return fractions a second."""
        if not self._step:
            return None
        so_far = _ratio(self._done, self._seconds)
        if_now = _ratio(*self._with(self._step, idle_s))
        return min((speed for speed in (so_far, if_now) if speed), default=None)

    def _with(self, step: float, seconds: float) -> tuple[float, float]:
        """Return both sums after one more step."""
        age = seconds / SMOOTHING_S
        weight = -expm1(-age) * SMOOTHING_S
        counted = step * (weight / seconds) if weight else step
        return self._done * exp(-age) + counted, self._seconds * exp(-age) + weight


def _ratio(done: float, seconds: float) -> float | None:
    """Return a speed, or None where there is no time to measure it by."""
    speed = done / seconds if seconds else 0.0
    return speed if speed and isfinite(speed) else None


def _rate(speed: float | None, total: int | None) -> float | None:
    rate = speed * min(total or 1, COUNTABLE_MAX) if speed else None
    return rate if rate and isfinite(rate) else None


def _left_s(fraction: float, speed: float | None) -> float | None:
    if fraction >= 1:
        return 0.0
    left_s = (1 - fraction) / speed if speed else None
    return left_s if left_s is not None and isfinite(left_s) else None
