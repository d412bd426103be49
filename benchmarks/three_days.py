"""How many events a run comes to that is watched for 72 hours, under a clock whose time is skipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import resumelog
from benchmarks.served_runs import Villages

THREE_DAYS_S, EVERY_S, EVENTS_BUDGET = 72 * 3600, 30.0, 10_000


def measure(path: Path) -> None:
    """Print how many events a simulation makes that is at a new round with every poll."""
    clock = _SkippedClock()
    with resumelog.open(path, clock=clock) as log:
        pilot = log.autopilot(Villages(EVERY_S, rounds=int(THREE_DAYS_S // EVERY_S)))
        pilot.configure("sim", "auto")
        pilot.start("sim")
        assert pilot.wait("sim").status == "completed"
        events, hours = log.audit.verify().events, clock.monotonic() / 3600
    print(
        f"\n{hours:.1f} h of polls every {EVERY_S:g} s: {events:,} events (budget: {EVENTS_BUDGET:,})"
    )
    assert events < EVENTS_BUDGET


class _SkippedClock:
    """Whoever waits finds the time gone."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def wait(self, event: Event, seconds: float) -> None:
        if not event.is_set():
            self._seconds += seconds
