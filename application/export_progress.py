"""Progress as people want it told: how far, how fast, how long yet, in this attempt."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from resumelog.application.progress_meter import Meter, ProgressFacts

OnProgress = Callable[[ProgressFacts], object]
Facts = TypeVar("Facts", contravariant=True)

logger = logging.getLogger("resumelog")


class Listener(Generic[Facts]):
    """A callback whose errors are told by the log: a display that fails must not spoil the work.

    The first one is a warning with its traceback, further ones are told at the level DEBUG. What is
    no Exception (Ctrl+C, an exit) goes on.
    """

    def __init__(self, callback: Callable[[Facts], object]) -> None:
        """Take what is to be called."""
        self._callback = callback
        self._failed = False

    def __call__(self, facts: Facts) -> None:
        """Call it."""
        try:
            self._callback(facts)
        except Exception:
            level = logging.DEBUG if self._failed else logging.WARNING
            self._failed = True
            logger.log(level, "a progress callback failed; the work goes on", exc_info=True)


class Watched(ABC):
    """What is measured while it reports, and tells whoever wants to know."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock to measure by."""
        self._meter = Meter(monotonic)
        self._listeners: list[Listener[ProgressFacts]] = []

    @abstractmethod
    def _reached(self) -> tuple[float, int | None, int | None]:
        """Return the fraction, the units and their total, as they were reported last."""

    def progress_facts(self) -> ProgressFacts:
        """Return how far it is, how fast, how long yet; at once, even while a save is made."""
        return self._meter.facts(*self._reached())

    def on_progress(self, callback: OnProgress) -> Callable[[], None]:
        """Call `callback` now, after each report (a throttled one too), and with 1.0, once, at the end.

        It is called in the thread that reports, after the save and under no lock, so where several
        threads report the calls may overlap. What it raises is logged and the work goes on; to stop
        the work, pause the job. Returns what ends the calls.
        """
        listener = Listener(callback)
        self._listeners.append(listener)
        listener(self.progress_facts())

        def end() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def measure(self) -> None:
        """Begin to measure here."""
        self._meter.begin(self._reached()[0])

    def _tell(self) -> None:
        if self._listeners:
            facts = self.progress_facts()
            for listener in (*self._listeners,):
                listener(facts)
