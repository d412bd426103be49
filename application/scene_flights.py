"""The attempts of one run that are in flight: begun, ended, cut off, or let go."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import NamedTuple

from resumelog.application.scene import Scene
from resumelog.application.scene_attempt import Ended
from resumelog.application.scene_executors import Coroutines, Workshop
from resumelog.domain.values import error_text

BREAKS_MAX = 3
"""So many executors in a row may refuse a scene before the run gives up."""
LOOKS_S = 0.05
"""So often a run looks whether a scene has left the queue of its executor, or its batch is paused."""

NOT_AT_WORK = float("inf")

Landing = Future[Ended]


class _Flight(NamedTuple):
    scene: Scene
    executor: Executor
    deadline: float = NOT_AT_WORK


class SceneFlights:
    """Futures by scene, and what becomes of them. `broken` says why no more can be begun."""

    def __init__(
        self,
        shop: Workshop,
        workers: int,
        timeout_s: float | None,
        monotonic: Callable[[], float],
    ) -> None:
        """Begin with none."""
        self.shop, self._workers = shop, workers
        self._timeout_s, self._monotonic = timeout_s, monotonic
        self._flights: dict[Landing, _Flight] = {}
        self._hanging: set[Landing] = set()
        self._breaks, self.broken = 0, ""

    def __len__(self) -> int:
        """Count what is in flight."""
        return len(self._flights)

    @property
    def room(self) -> int:
        """How many more may be begun."""
        return self._workers - len(self._flights) - len(self._hanging)

    @property
    def all_hang(self) -> bool:
        """Tell whether no worker is left that could do anything."""
        return len(self._hanging) >= self._workers

    @property
    def keys(self) -> set[str]:
        """The scenes that are in flight."""
        return {flight.scene.key for flight in self._flights.values()}

    def begin(self, scene: Scene, landed: Callable[[Landing], object]) -> bool:
        """Hand a scene to the executor, unless that takes none; `landed` is called in any thread."""
        if self.broken:
            return False
        try:
            future = self.shop.submit(scene)
        except (BrokenExecutor, RuntimeError) as error:
            self._breaks += 1
            self._broke(self.shop.executor, error)
            return False
        self._breaks = 0
        self._flights[future] = _Flight(scene, self.shop.executor)
        future.add_done_callback(landed)
        return True

    def begin_ended(self, scene: Scene, ended: Ended, landed: Callable[[Landing], object]) -> None:
        """Take up a scene whose attempt has ended before it reached the executor."""
        future = Landing()
        future.set_result(ended)
        self._flights[future] = _Flight(scene, self.shop.executor)
        future.add_done_callback(landed)

    def end(self, future: Landing, *, is_ending: bool) -> tuple[Scene, Ended | None] | None:
        """Return a scene and how it ended; None for an attempt that was let go or is forgotten.

        Without an end it was taken back by the executor's owner. A coroutine that is cancelled has
        failed, unless the run `is_ending`: then it stays in flight until the batch is left. Raises what is no Exception: then
        the scene stays in flight until the batch is left.
        """
        self._hanging.discard(future)
        flight = self._flights.get(future)
        if flight is None:
            return None
        if future.cancelled():
            if isinstance(flight.executor, Coroutines) and not is_ending:
                return flight.scene, Ended(error=error_text(CancelledError()), retries=True)
            self.forget(future)
            return None if isinstance(flight.executor, Coroutines) else (flight.scene, None)
        error = future.exception()
        if error and not isinstance(error, Exception):
            raise error
        if isinstance(error, BrokenExecutor):
            self._broke(flight.executor, error)
        failed = Ended(error=error_text(error), retries=True) if error else None
        return flight.scene, failed or future.result()

    def overdue(self) -> Iterator[tuple[Landing, Scene]]:
        """Iterate over what took too long and could not be interrupted; its worker is replaced."""
        if not self._timeout_s:
            return
        now = self._monotonic()
        for future, flight in [*self._flights.items()]:
            if future.done():
                continue
            if flight.deadline == NOT_AT_WORK:  # its time begins when it is at work
                if self.shop.is_at_work_on(future):
                    deadline = now + self._timeout_s + self.shop.grace_s
                    self._flights[future] = flight._replace(deadline=deadline)
            elif now >= flight.deadline:
                if not self.shop.replaced_worker():
                    self._hanging.add(future)
                yield future, flight.scene

    def patience_s(self) -> float:
        """Return the seconds until one may be overdue."""
        if not self._timeout_s or not self._flights:
            return float("inf")
        first = min(flight.deadline for flight in self._flights.values())
        if any(flight.deadline == NOT_AT_WORK for flight in self._flights.values()):
            first = min(first, self._monotonic() + LOOKS_S)
        return first - self._monotonic()

    def forget(self, future: Landing) -> None:
        """Let go of an attempt that is recorded."""
        self._flights.pop(future, None)

    def done(self) -> list[Landing]:
        """Return what has ended and is not recorded yet."""
        return [future for future in self._flights if future.done()]

    def abandon(self) -> None:
        """Let go of all that is in flight."""
        for future in self._flights:
            future.cancel()
        self.shop.abandon()

    def left(self) -> Iterator[tuple[Scene, Landing]]:
        """Iterate over what is still in flight."""
        return ((flight.scene, future) for future, flight in self._flights.items())

    def close(self) -> None:
        """Let go of workers that hang."""
        if self._hanging:
            self.shop.abandon()

    def _broke(self, executor: Executor, error: BaseException) -> None:
        """Open another executor in place of one that broke, once for all of its scenes."""
        if executor is not self.shop.executor:
            return
        if self._breaks >= BREAKS_MAX or not self.shop.reopen():
            self.broken = f"the executor takes no more: {error_text(error)}"
