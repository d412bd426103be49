"""Bare fractions come by the thousand: one an interval is written, the newest of the others kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import TIMEOUT_MAX, RLock, Timer, current_thread

from resumelog.application.running import Saved
from resumelog.domain.errors import ResumelogError
from resumelog.domain.export_job import Report

logger = logging.getLogger("resumelog")


class Throttle:
    """Says which report is written now, and writes the last one that was not, once its time comes.

    Counted in monotonic seconds, so that the wall clock may step. All is done under `lock`, which
    `write` takes too.
    """

    def __init__(
        self,
        interval_s: float,
        monotonic: Callable[[], float],
        write: Callable[[Report], Saved],
        lock: RLock,
    ) -> None:
        """Let the first report through."""
        self._interval_s, self._monotonic = interval_s, monotonic
        self._write, self._lock = write, lock
        self._written_at: float | None = None
        self._timer: Timer | None = None
        self.kept: Report | None = None

    @property
    def interval_s(self) -> float:
        """Seconds between two that are written; another value counts at once."""
        return self._interval_s

    @interval_s.setter
    def interval_s(self, seconds: float) -> None:
        with self._lock:
            self._interval_s = seconds
            if self._timer:
                self._cancel()
                self._wait()

    def keeps(self, report: Report) -> bool:
        """Keep a report for later, and tell so; False for one to be written now, by `flush`.

        That is kept as well until it is on disk, so that a write that fails loses nothing.
        """
        self.kept = report
        if report.progress >= 1 or self._opens_in_s() <= 0:
            return False
        if self._timer is None:
            self._wait()
        return True

    def forget(self, now: float | None) -> None:
        """What is kept was written at `now`; None lets the next report through."""
        self._written_at = now
        self.drop()

    def drop(self) -> None:
        """Keep nothing any more: another report is written, which has all that is kept in it."""
        self.kept = None
        self._cancel()

    def flush(self) -> Saved:
        """Write what is kept, and forget it; it stays kept where that fails."""
        with self._lock:
            if not self.kept:
                return Saved((), 0)
            saved = self._write(self.kept)
            self.forget(self._monotonic())
            return saved

    def _opens_in_s(self) -> float:
        if self._written_at is None:
            return 0.0
        return self._written_at + self._interval_s - self._monotonic()

    def _wait(self) -> None:
        wait_s = min(max(self._opens_in_s(), 0.0), TIMEOUT_MAX)
        self._timer = Timer(wait_s, self._write_late)
        self._timer.daemon = True
        self._timer.start()

    def _cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _write_late(self) -> None:
        with self._lock:
            if current_thread() is not self._timer:
                return  # it was cancelled while it waited for the lock
            self._timer = None
            try:
                self.flush()
            except (
                ResumelogError,
                OSError,
            ) as error:  # the worker's next save, or its end, raises it
                logger.warning("a report waits for the next save: %s", error)
