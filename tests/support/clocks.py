"""A clock that stands still unless a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event

from support.canonical import later


class StillClock:
    """Counts the seconds that a test lets pass; `skew` steps the wall clock; `meanwhile` happens at the next looks at it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.skew = 0.0
        self.meanwhile: list[Callable[[], object]] = []

    def now(self) -> datetime:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return later(self.seconds + self.skew)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: Event, seconds: float) -> None:
        """Let that time pass, unless something has happened."""
        if not event.is_set():
            self.seconds += seconds
