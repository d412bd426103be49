"""The one thread that drives runs over scenes: of one batch, or of all stages of a project."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from resumelog.application.ports import Signals
from resumelog.application.scene_attempt import Ended

if TYPE_CHECKING:
    from resumelog.application.scene_run import SceneRun

WAKES_S = 0.2
"""So long it sleeps at most: a stop flag rings no bell, and nor does a pause."""


class Bell(SimpleQueue[tuple["SceneRun", "Future[Ended]"]]):
    """Attempts that have ended, put in by whatever thread they ended in."""


class Coordinator:
    """Records what has ended and begins what there is room for, until no run has work.

    One thread appends for all of them, so that an interrupt has one place to come to. The first
    KeyboardInterrupt lets the scenes in flight end; whatever else ends it, every batch is left with
    that cause.
    """

    def __init__(self, runs: Sequence[SceneRun], signals: Signals) -> None:
        """Give the runs one bell; a stage comes before those that take from it."""
        self._runs, self._signals, self._bell = runs, signals, Bell()
        for run in runs:
            run.bell = self._bell

    def run(self) -> None:
        """Drive them. Raises LeaseLost, BadArgument, and what interrupts it."""
        with ExitStack() as opened:
            opened.enter_context(self._signals)
            for run in self._runs:
                opened.callback(run.tidy)
                opened.enter_context(run.shop)
            try:
                self._loop_through_interrupt()
            except BaseException as error:
                for run in self._runs:
                    run.leave_with(error)
                raise
            for run in self._runs:
                run.close()

    def _loop_through_interrupt(self) -> None:
        try:
            self._loop()
        except KeyboardInterrupt:  # a second one is not caught
            for run in self._runs:
                run.end("KeyboardInterrupt")
                run.ring_again()
            self._loop()
            raise

    def _loop(self) -> None:
        self._record()
        while self._fill():
            self._collect()
            self._begin()  # while that is recorded, others are made
            self._record()

    def _fill(self) -> bool:
        return self._filled() or (self._looked_again() and self._filled())

    def _filled(self) -> bool:
        at_work = [run.fill() for run in self._runs]  # each has its turn
        return any(at_work)

    def _begin(self) -> None:
        for run in self._runs:
            run.begin()

    def _looked_again(self) -> bool:
        found = [run.looked_again() for run in self._runs]
        return any(found)

    def _record(self) -> None:
        for run in self._runs:
            run.record()

    def _collect(self) -> None:
        """Wait for what ends next, and settle all that has ended."""
        patience_s = min(WAKES_S, *(run.patience_s() for run in self._runs))
        try:
            self._take(*self._bell.get(timeout=patience_s))
        except Empty:
            for run in self._runs:
                run.ring_again()  # an interrupt may have come before an attempt got its bell
        for run in self._runs:
            run.let_go()

    def _take(self, run: SceneRun, future: Future[Ended]) -> None:
        """Settle one, and what has ended meanwhile."""
        with suppress(Empty):
            while True:
                run.take(future)
                run, future = self._bell.get_nowait()
