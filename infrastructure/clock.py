"""The system's clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event


class SystemClock:
    """Wall clock in UTC, and the monotonic one."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def wait(self, event: Event, seconds: float) -> None:
        """Return once the event is set, or so many seconds have passed."""
        event.wait(seconds)
