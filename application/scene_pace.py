"""How fast the scenes of a batch are done, and how long the rest takes at that pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import accumulate
from threading import Lock
from typing import NamedTuple

MARKS_MAX = 32
"""So many of the newest scenes make the pace,"""
MARK_EVERY_S = 0.5
"""or those of so many half seconds, where they come faster."""


class _Mark(NamedTuple):
    at: float
    made: int


class Pace:
    """Scenes done a second: n scenes in the time that the last n took, with n up to MARKS_MAX.

    Failed attempts and the waits before the next ones are a part of that time and add no scene, so
    retries make the pace slower, as they do the work. Before there are enough scenes of this run the
    recorded durations of earlier ones stand in for them, as if this run's workers had made them
    right before it. While a scene takes longer than the pace lets expect, the pace falls. Safe for threads.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock; `begin` comes first."""
        self._monotonic, self._lock = monotonic, Lock()
        self.begin((), 1)

    def begin(self, past_s: Iterable[float], workers: int) -> None:
        """Begin a run of so many workers, after scenes that took these seconds, oldest first."""
        with self._lock:
            self._start = self._last = self._monotonic()
            before = [*accumulate(seconds / workers for seconds in reversed([*past_s]))]
            past = [_Mark(self._start - ago, -n) for n, ago in enumerate(before, 1)]
            self._own = _Mark(self._start, 0)
            self._marks = deque((*reversed(past), self._own), MARKS_MAX + 1)
            self._made = 0

    def reached(self, made: int) -> None:
        """Note how many scenes this run has made by now; fewer where some are to be made again."""
        with self._lock:
            if made <= self._made:
                self._made = made
                return
            self._made, self._last = made, self._monotonic()
            if self._last - self._marks[-1].at >= MARK_EVERY_S or len(self._marks) < MARKS_MAX:
                self._marks.append(_Mark(self._last, made))

    def now(self, to_do: int) -> tuple[float | None, float | None, float]:
        """Return the scenes a second of this run, the seconds that `to_do` take, and those it took.

        The first is None while it has made none, the second while no duration is known. It runs
        down while a scene is made, to what the ones after it take.
        """
        with self._lock:
            now = self._monotonic()
            own = _per_s(self._made, max(self._marks[0], self._own), now)
            left_s = self._left_s(to_do, now) if to_do > 0 else 0.0
            return own, left_s, now - self._start

    def _left_s(self, to_do: int, now: float) -> float | None:
        at_last = _per_s(self._made, self._marks[0], self._last)
        if at_last is None:
            return None
        if_now = _per_s(self._made + 1, self._marks[0], now) or at_last
        pace = min(at_last, if_now)
        return max(to_do / pace - (now - self._last), (to_do - 1) / pace)


def _per_s(made: int, since: _Mark, until: float) -> float | None:
    made, seconds = made - since.made, until - since.at
    return made / seconds if made > 0 and seconds > 0 else None
