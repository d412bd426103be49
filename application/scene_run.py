"""One run over the scenes of a batch: what is handed out, and what becomes of what comes back."""

from __future__ import annotations

import heapq
import logging
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import chain, count, islice
from typing import TYPE_CHECKING, NamedTuple, Unpack

from resumelog.application.retry import ONCE
from resumelog.application.run_options import RunOptions, require
from resumelog.application.scene import Report, Scene
from resumelog.application.scene_attempt import Attempt, Ended, SceneFunction
from resumelog.application.scene_coordinator import Bell, Coordinator
from resumelog.application.scene_executors import Workshop
from resumelog.application.scene_flights import LOOKS_S, Landing, SceneFlights
from resumelog.application.scene_updates import SceneState, SceneUpdate
from resumelog.application.stop_flag import StopFlag
from resumelog.domain.errors import BadInput, NotRunning, SceneAlreadyCompleted
from resumelog.domain.scene_batch import Outcome
from resumelog.domain.values import Payload, error_text
from resumelog.domain.wording import counted

if TYPE_CHECKING:
    from resumelog.application.batch import Batch

logger = logging.getLogger("resumelog")

NOT_YET = Ended()


class _Settled(NamedTuple):
    outcome: Outcome
    state: SceneState
    scene: Scene
    ended: Ended
    wait_s: float


class SceneRun:
    """Hands scenes out, at most `workers` at once, and records all that are ready in one go.

    What has been recorded is forgotten; a future that was collected is dropped. A coordinator calls
    its steps in one thread. An interrupt may come between any two: each can be done again.
    `followers` are told of each scene that is recorded as done; with `is_fed`, scenes that were
    done and are not any more are taken up as well.
    """

    def __init__(
        self, batch: Batch, function: SceneFunction, **options: Unpack[RunOptions]
    ) -> None:
        """Take what is to be done. Raises BadArgument."""
        require(options)
        self._batch, self._monotonic = batch, batch.monotonic
        self._retry = options.get("retry") or ONCE
        self._timeout_s = options.get("timeout_s")
        self._attempt = attempt = Attempt(
            function, options.get("check"), self._retry, self._timeout_s
        )
        self._workers = options.get("workers") or 1
        self.shop = Workshop(attempt, self._workers, options.get("executor"))
        self._flights = SceneFlights(self.shop, self._workers, self._timeout_s, self._monotonic)
        self._failures_max = options.get("stop_after_failures")
        self.stops = [options.get("stop") or StopFlag()]
        self.followers, self.is_fed, self._seen = list[SceneRun](), False, 0
        self._offered, self._waiting = set[str](), dict[str, None]()
        self._made, self._again = deque[str](), set[str]()
        self._ready, self._due = deque[str](), deque[str]()
        self._later = list[tuple[float, int, str]]()
        self._nth = count()
        self.bell = Bell()
        self._settled: dict[Landing, _Settled] = {}
        self._failures, self._durations = Counter[str](), dict[str, float]()
        self._cause, self._failed, self._look_at = "", 0, float("-inf")
        self._began = self._ended_at = self._monotonic()

    def over(self, keys: Iterable[str]) -> Report:
        """Make these scenes, and return how it stands. Raises NotRunning, LeaseLost, ClosedLog."""
        self._batch.require_log()
        self.offer(keys)
        if self._offered and self._batch.is_over:
            status = self._batch.counts().status
            raise NotRunning(self._batch.title, command="run", status=status)
        if self._ready:
            Coordinator([self], self._batch.signals).run()
        self.end_batch()
        return self.report()

    @property
    def is_over(self) -> bool:
        """Tell whether there was nothing to do from the beginning on."""
        return self._batch.is_over

    def offer(self, keys: Iterable[str]) -> None:
        """Queue scenes, each once until it is recorded; what is not done in the stage before waits."""
        new = [key for key in keys if key in self._waiting or key not in self._offered]
        waiting = self._batch.waiting(new)
        self._offered.update(new)
        for key in new:
            if key in waiting:
                self._waiting[key] = None
            else:
                self._waiting.pop(key, None)
                self._ready.append(key)

    def offer_all(self) -> None:
        """Queue all that is left."""
        self._began = self._ended_at = self._monotonic()
        self._seen = self._batch.version
        left = self._batch.left()
        self._batch.expect(len(left), self._workers)
        self.offer(left)

    def follow(self, keys: Collection[str]) -> None:
        """Take up what was just completed in the stage before; what took another result is stale."""
        if self._batch.is_over:
            return
        if stale := self._batch.outdated(keys):
            self._batch.invalidate(stale)
            for run in self.followers:
                run.follow(stale)
        in_flight = self._flights.keys
        self._again.update(key for key in keys if key in in_flight or self._batch.is_held(key))
        self.offer(key for key in keys if self._batch.is_left(key))

    def end(self, cause: str) -> None:
        """Begin no more."""
        self._cause = self._cause or cause

    def end_batch(self) -> None:
        """Complete the batch if all is done and on disk; leave it if it was paused or stopped."""
        self._batch.end_run(self._cause)

    def finish(self) -> None:
        """Complete the batch if all is done, else leave it open. Raises NotSaved."""
        self._batch.finish()

    def leave_with(self, error: BaseException) -> None:
        """Leave the batch, for an exception that goes on; what has ended is recorded all the same."""
        with suppress(Exception):  # what ended the run is raised
            for future in self._flights.done():
                if not future.cancelled() and isinstance(future.exception(), Exception | None):
                    self.take(future)
            self.record()
        self._flights.abandon()
        self._batch.leave_with(error)

    def leave(self, error: BaseException) -> None:
        """Leave the batch, for an exception that came while nothing was in flight any more."""
        self._batch.leave_with(error)

    def close(self) -> None:
        """Let go of workers that hang."""
        self._flights.close()

    def tidy(self) -> None:
        """See to the files of what is still in flight, once its executor has ended what it can."""
        for scene, future in self._flights.left():
            self._batch.let_go(scene, future)

    def report(self) -> Report:
        """Return how the batch stands after this run."""
        cause = self._cause or self._batch.waits(len(self._waiting))
        ran = {"elapsed_s": self._ended_at - self._began, "durations": {**self._durations}}
        return self._batch.report(cause=cause, **ran)

    # Begin

    def fill(self) -> bool:
        """Begin as many as there is room for; tell whether any is in flight, or waits for its time."""
        while self._later and self._later[0][0] <= self._monotonic():  # its failure is recorded
            self._due.append(heapq.heappop(self._later)[2])
        self.begin()
        return bool(self._flights) or self._is_waiting()

    def begin(self) -> None:
        """Begin as many as there is room for.

        Among several workers what has ended leaves room before it is recorded, so that none waits
        for the disk. One scene after the other is recorded first: the next may end the process.
        """
        room = self._flights.room + (len(self._settled) if self._workers > 1 else 0)
        if room <= 0:
            return
        keys = self._to_begin(room) if self._goes_on() else []
        if not keys:
            self._batch.take_back_coming()
            return
        for scene in self._batch.begin(map(self._batch.scene, keys), self._has_no_place):
            self._submit(scene)

    def _next(self, queue: deque[str], room: int) -> list[str]:
        """Take as many scenes as there is room for; what is to be made again before them waits."""
        keys = list[str]()
        while queue and len(keys) < room:
            some = [queue.popleft() for _ in range(min(room - len(keys), len(queue)))]
            waiting = self._batch.waiting(some)
            self._waiting.update((key, None) for key in some if key in waiting)
            keys += [key for key in some if key not in waiting]
        return keys

    def _to_begin(self, room: int) -> list[str]:
        """Take as many as there is room for, first those whose next try is due."""
        keys = self._next(self._due, room)
        if not self._may_all_fail():
            keys += self._next(self._ready, room - len(keys))
        return keys

    def _coming(self) -> list[str]:
        """Return what is begun next, as far as it can be told before that is recorded."""
        room = 0 if self._cause else self._flights.room + len(self._settled)
        queue = self._due if self._may_all_fail() else chain(self._due, self._ready)
        return [*islice(queue, max(0, room))]

    def _may_all_fail(self) -> bool:
        """Tell whether the failures that end the run are reached if no scene's next try succeeds.

        Until one has ended no other scene is begun: a service that is down would fail them all.
        """
        if not self._failures_max:
            return False
        settled = {each.scene.key for each in self._settled.values()}
        again = sum(self._failures[key] > 0 for key in self._flights.keys - settled)
        pending = len(self._due) + len(self._later) + again
        return self._failed + pending >= self._failures_max

    def _submit(self, scene: Scene) -> None:
        if self._flights.begin(scene, self._ring):
            self._tell(scene, SceneState.BEGUN)
        else:
            (self._due if self._failures[scene.key] else self._ready).appendleft(scene.key)
            self._batch.take_back(scene)

    def _has_no_place(self, scene: Scene, error: Exception) -> None:
        """Let a scene fail, as any other does, whose file can't be written anywhere."""
        self._flights.begin_ended(scene, self._attempt.failed(error), self._ring)
        self._tell(scene, SceneState.BEGUN)

    def _ring(self, future: Landing) -> None:
        self.bell.put((self, future))

    def _goes_on(self) -> bool:
        """Tell whether more may be begun; else say why not."""
        if self._cause:
            return False
        if stopped := next((stop.cause for stop in self.stops if stop.cause), ""):
            self._cause = stopped
        elif self._failures_max and self._failed >= self._failures_max:
            self._cause = f"stopped after {counted(self._failed, 'failure')}"
        elif self._flights.broken:
            self._cause = self._flights.broken
        elif self._flights.all_hang:
            self._cause = f"all {self._workers} workers hang in scenes that took too long"
        elif self._monotonic() >= self._look_at:
            self._look_at = self._monotonic() + LOOKS_S
            if self._batch.is_asked_to_leave():
                self._cause = self._batch.why_left()
            else:
                self._look_again()
        return not self._cause

    def looked_again(self) -> bool:
        """Look in the log at once, and try what waits for the disk; tell whether there is more to do."""
        handed_on = self._handed_on_late()
        if self._cause or not self.is_fed or self._batch.is_asked_to_leave():
            return handed_on
        self._look_again()
        return handed_on or bool(self._ready)

    def _handed_on_late(self) -> bool:
        """Write what waits for the disk, if there is room now, and hand on what that was."""
        waiting = len(self._made)
        if self.is_fed and waiting:
            self._batch.flush()
            self._hand_on()
        return len(self._made) < waiting

    def _look_again(self) -> None:
        """Take up what was done and is not any more, once there is nothing else to do."""
        if not self.is_fed:
            return
        if self._batch.version != self._seen and not (self._is_queued() or self._flights):
            self._seen = self._batch.version
            self.offer(self._batch.left())

    def _is_waiting(self) -> bool:
        """Tell whether scenes wait for their next try, or for a worker."""
        return self._is_queued() and self._goes_on()

    def _is_queued(self) -> bool:
        return bool(self._ready or self._due or self._later)

    # Collect

    def patience_s(self) -> float:
        """Return the seconds until something is to be begun or let go."""
        may_begin = self._later and self._flights.room > 0 and not self._cause
        due = self._later[0][0] if may_begin else float("inf")
        return max(0.0, min(due - self._monotonic(), self._flights.patience_s()))

    def ring_again(self) -> None:
        """Ring for all that has ended: an interrupt may have come when it was heard."""
        for future in self._flights.done():
            self._ring(future)

    def take(self, future: Landing) -> None:
        """Settle an attempt that has ended."""
        if future in self._settled or not (landed := self._flights.end(future)):
            return
        scene, ended = landed
        if ended:
            self._settle(future, scene, ended)
        else:
            self._batch.take_back(scene)

    def let_go(self) -> None:
        """Fail what took too long and could not be interrupted."""
        for future, scene in self._flights.overdue():
            self._batch.let_go(scene, future)
            timeout_s = self._timeout_s or 0.0
            why = TimeoutError(f"it took longer than {timeout_s:g} s")
            ended = self._attempt.failed(why)
            self._settle(future, scene, ended._replace(elapsed_s=timeout_s))

    def _settle(self, future: Landing, scene: Scene, ended: Ended) -> None:
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

    def record(self) -> None:
        """Append all that is settled, in one transaction, and tell of it."""
        if not self._settled:
            return
        self._recorded([each.outcome for each in self._settled.values()], self._coming())
        settled, self._settled = self._settled, {}
        for future in settled:
            self._flights.forget(future)
        self._ended_at = self._monotonic()
        for _, state, scene, ended, wait_s in settled.values():
            self._tell(scene, state, ended, wait_s)
        self._made += [each.scene.key for each in settled.values() if not each.ended.error]
        self._hand_on()

    def _recorded(self, outcomes: Sequence[Outcome], coming: Sequence[str] = ()) -> None:
        """Record all in one go; where somebody else made one of them, the others all the same."""
        try:
            self._batch.record(outcomes, coming)
        except SceneAlreadyCompleted as refused:
            if len(outcomes) == 1:
                logger.warning("%s", refused)
                return
            for outcome in outcomes:
                self._recorded([outcome])

    def _hand_on(self) -> None:
        """Let the stages after take up what is on disk; what took an old result is made again."""
        made = list[str]()
        while self._made and not self._batch.is_held(self._made[0]):  # saves keep their order
            made.append(self._made.popleft())
        if not made:
            return
        self._offered.difference_update(made)
        if again := self._again.intersection(made):
            self._again -= again
            self.follow(again)
        for run in self.followers:
            run.follow(made)

    def _tell(
        self, scene: Scene, state: SceneState, ended: Ended = NOT_YET, wait_s: float = 0.0
    ) -> None:
        if self._batch.listeners:
            counts, running = self._batch.counts(), len(self._flights) - len(self._settled)
            error, elapsed_s = ended.error, ended.elapsed_s
            update = SceneUpdate(scene, state, counts, running, error, elapsed_s, wait_s)
            self._batch.listeners(update)
