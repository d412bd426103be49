"""One run over scenes: a coordinator that hands them out and appends what comes back."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Unpack

from resumelog.application.retry import ONCE
from resumelog.application.run_options import RunOptions, require
from resumelog.application.scene import Report, Scene
from resumelog.application.scene_attempt import Attempt, Ended, SceneFunction
from resumelog.application.scene_executors import Workshop
from resumelog.application.scene_updates import SceneState, SceneUpdate
from resumelog.application.stop_flag import StopFlag
from resumelog.domain.errors import BadInput, NotRunning
from resumelog.domain.scene_batch import Outcome
from resumelog.domain.values import Payload, error_text

if TYPE_CHECKING:
    from resumelog.application.batch import Batch

LOOKS_S = 0.05
"""So often a run looks in the log whether it is paused."""
WAKES_S = 0.2
"""So long a run sleeps at most: a stop flag rings no bell."""
BREAKS_MAX = 3
"""So many executors in a row may refuse a scene before the run gives up."""


NOT_YET = Ended()


class _Flight(NamedTuple):
    scene: Scene
    shop: Workshop
    executor: Executor
    deadline: float


class _Settled(NamedTuple):
    outcome: Outcome
    state: SceneState
    scene: Scene
    ended: Ended
    wait_s: float


class SceneRun:
    """Hands scenes out, at most `workers` at once, and records all that are ready in one go.

    What has been recorded is forgotten; a future that was collected is dropped. One thread appends:
    the one that calls `over`. An interrupt may come between any two steps: each can be done again.
    """

    def __init__(
        self, batch: Batch, function: SceneFunction, **options: Unpack[RunOptions]
    ) -> None:
        """Take what is to be done. Raises BadArgument."""
        require(options)
        self._batch, self._monotonic = batch, batch.monotonic
        self._retry = options.get("retry") or ONCE
        self._timeout_s = options.get("timeout_s")
        self._attempt = Attempt(function, options.get("check"), self._retry, self._timeout_s)
        self._workers = options.get("workers") or 1
        self._shop = Workshop(self._attempt, self._workers, options.get("executor"))
        self._failures_max = options.get("stop_after_failures")
        self._stop = options.get("stop") or StopFlag()
        self._ready, self._later = deque[str](), list[tuple[float, int, str]]()
        self._nth = count()
        self._ended = SimpleQueue[Future[Ended]]()
        self._in_flight: dict[Future[Ended], _Flight] = {}
        self._settled: dict[Future[Ended], _Settled] = {}
        self._hanging: set[Future[Ended]] = set()
        self._breaks = 0
        self._failures, self._durations = Counter[str](), dict[str, float]()
        self._cause, self._failed, self._look_at = "", 0, float("-inf")

    def over(self, keys: Iterable[str]) -> Report:
        """Make these scenes, and return how the batch stands. Raises NotRunning, LeaseLost."""
        began = self._monotonic()
        self._ready.extend(keys)
        if self._ready:
            self._run()
        elapsed_s = self._monotonic() - began
        self._batch.end_run(self._cause)
        ran = {"elapsed_s": elapsed_s, "durations": {**self._durations}}
        return self._batch.report(cause=self._cause, **ran)

    def _run(self) -> None:
        if self._batch.is_over:
            status = self._batch.counts().status
            raise NotRunning(self._batch.title, command="run", status=status)
        with self._batch.signals, self._shop:
            try:
                self._loop_through_interrupt()
            except BaseException as error:
                self._abandon()
                self._batch.leave_with(error)
                raise
            if self._hanging:
                self._shop.abandon()

    def _abandon(self) -> None:
        """Record what has ended all the same, and let go of the rest."""
        done = [future for future in self._in_flight if future.done()]
        with suppress(Exception):  # what ended the run is raised
            for future in done:
                if not future.cancelled() and isinstance(future.exception(), Exception | None):
                    self._take(future)
            self._record()
        for future in self._in_flight:
            future.cancel()
        self._shop.abandon()

    def _loop_through_interrupt(self) -> None:
        try:
            self._loop()
        except KeyboardInterrupt:  # a second one is not caught
            self._cause = self._cause or "KeyboardInterrupt"
            for future in [*self._in_flight]:
                if future.done():
                    self._ended.put(future)
            self._loop()
            raise

    def _loop(self) -> None:
        self._record()
        while self._fill() or self._in_flight or self._is_waiting():
            self._collect()
            self._record()

    # Begin

    def _fill(self) -> bool:
        """Begin as many as there is room for; tell whether any was begun."""
        room = self._workers - len(self._in_flight) - len(self._hanging)
        if room <= 0 or not self._goes_on():
            return False
        while self._later and self._later[0][0] <= self._monotonic():
            self._ready.append(heapq.heappop(self._later)[2])
        keys = [self._ready.popleft() for _ in range(min(room, len(self._ready)))]
        begun = self._batch.begin([self._batch.scene(key) for key in keys]) if keys else ()
        for scene in begun:
            self._submit(scene)
        return bool(begun)

    def _submit(self, scene: Scene) -> None:
        if self._cause:  # the workshop broke just now
            return self._batch.take_back(scene)
        try:
            future = self._shop.submit(scene)
        except (BrokenExecutor, RuntimeError) as error:
            self._breaks += 1
            self._broke(self._shop, self._shop.executor, error)
            self._ready.appendleft(scene.key)
            return self._batch.take_back(scene)
        self._breaks = 0
        self._in_flight[future] = _Flight(scene, self._shop, self._shop.executor, float("inf"))
        future.add_done_callback(self._ended.put)
        self._tell(scene, SceneState.BEGUN)
        return None

    def _goes_on(self) -> bool:
        """Tell whether more may be begun; else say why not."""
        if self._cause:
            return False
        if self._stop.cause:
            self._cause = self._stop.cause
        elif self._failures_max and self._failed >= self._failures_max:
            self._cause = f"stopped after {self._failed} failures"
        elif len(self._hanging) >= self._workers:
            self._cause = f"all {self._workers} workers hang in scenes that took too long"
        elif self._monotonic() >= self._look_at:
            self._look_at = self._monotonic() + LOOKS_S
            if self._batch.is_asked_to_leave():
                self._cause = self._batch.why_left()
        return not self._cause

    def _is_waiting(self) -> bool:
        """Tell whether scenes wait for their next try, or for a worker."""
        return bool(self._later or self._ready) and self._goes_on()

    def _broke(self, shop: Workshop, executor: Executor, error: BaseException) -> None:
        """Open another executor in place of one that broke, or begin no more."""
        if executor is not shop.executor:  # that was done already, for another of its scenes
            return
        if self._breaks >= BREAKS_MAX or not shop.reopen():
            self._cause = f"the executor takes no more: {error_text(error)}"

    # Collect

    def _collect(self) -> None:
        """Wait for what ends next, and settle all that has ended."""
        try:
            future = self._ended.get(timeout=self._patience_s())
            while True:
                self._take(future)
                future = self._ended.get_nowait()
        except Empty:
            if self._timeout_s:
                self._let_go()

    def _patience_s(self) -> float:
        due = self._later[0][0] if self._later else float("inf")
        deadlines = [each.deadline for each in self._in_flight.values()] if self._timeout_s else []
        longest_s = LOOKS_S if float("inf") in deadlines else WAKES_S  # it may begin meanwhile
        return max(0.0, min(min([due, *deadlines]) - self._monotonic(), longest_s))

    def _take(self, future: Future[Ended]) -> None:
        self._hanging.discard(future)
        flight = self._in_flight.get(future)
        if flight is None or future in self._settled:
            return
        if future.cancelled():  # by the executor's owner
            del self._in_flight[future]
            self._batch.take_back(flight.scene)
            return
        error = future.exception()
        if error and not isinstance(error, Exception):
            raise error  # it stays in flight until the batch is left
        if isinstance(error, BrokenExecutor):
            self._broke(flight.shop, flight.executor, error)
        failed = Ended(error=error_text(error), retries=True) if error else None
        self._settle(future, flight.scene, failed or future.result())

    def _let_go(self) -> None:
        """Fail what took too long and could not be interrupted."""
        now, timeout_s = self._monotonic(), self._timeout_s or 0.0
        for future, flight in [*self._in_flight.items()]:
            if future.done():
                continue
            if flight.deadline == float("inf"):  # its time begins when it is at work
                if flight.shop.is_at_work_on(future):
                    deadline = now + timeout_s + flight.shop.grace_s
                    self._in_flight[future] = flight._replace(deadline=deadline)
            elif now >= flight.deadline:
                if not flight.shop.replaced_worker():
                    self._hanging.add(future)
                why = TimeoutError(f"it took longer than {timeout_s:g} s")
                ended = Ended(None, error_text(why), timeout_s, self._retry.wants(why))
                self._settle(future, flight.scene, ended)

    def _settle(self, future: Future[Ended], scene: Scene, ended: Ended) -> None:
        """Decide what is recorded of an attempt, and whether there is another."""
        if not ended.error:
            try:
                result = None if ended.result is None else Payload.of(ended.result, "the result")
                done = self._batch.done(scene, result, elapsed_s=ended.elapsed_s)
            except (BadInput, OSError) as error:
                ended = ended._replace(error=error_text(error), retries=False)
            else:
                self._settled[future] = _Settled(done, SceneState.DONE, scene, ended, 0.0)
                self._durations[scene.key] = ended.elapsed_s
                return
        failed, wait_s = self._batch.not_done(scene, ended.error), 0.0
        self._failures[scene.key] += 1
        failures, state = self._failures[scene.key], SceneState.FAILED
        if ended.retries and failures < self._retry.attempts:
            state, wait_s = SceneState.RETRYING, self._retry.wait_s(failures, ended.hint_s)
            heapq.heappush(self._later, (self._monotonic() + wait_s, next(self._nth), scene.key))
        else:
            self._failed += 1
        self._settled[future] = _Settled(failed, state, scene, ended, wait_s)

    def _record(self) -> None:
        """Append all that is settled, in one transaction, and tell of it."""
        if not self._settled:
            return
        self._batch.record([each.outcome for each in self._settled.values()])
        settled, self._settled = self._settled, {}
        for future in settled:
            self._in_flight.pop(future, None)
        for _, state, scene, ended, wait_s in settled.values():
            self._tell(scene, state, ended, wait_s)

    def _tell(
        self, scene: Scene, state: SceneState, ended: Ended = NOT_YET, wait_s: float = 0.0
    ) -> None:
        if self._batch.listeners:
            counts, running = self._batch.counts(), len(self._in_flight)
            error, elapsed_s = ended.error, ended.elapsed_s
            update = SceneUpdate(scene, state, counts, running, error, elapsed_s, wait_s)
            self._batch.listeners(update)
