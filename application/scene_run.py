"""One run over the scenes of a batch: what is handed out, and what becomes of what comes back."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Container, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Unpack

from resumelog.application.errors import StoreError
from resumelog.application.retry import ONCE
from resumelog.application.run_options import RunOptions, require
from resumelog.application.scene import Report, Scene
from resumelog.application.scene_attempt import Attempt, Ended, SceneFunction
from resumelog.application.scene_coordinator import Bell, Coordinator
from resumelog.application.scene_executors import Workshop
from resumelog.application.scene_flights import LOOKS_S, Landing, SceneFlights
from resumelog.application.scene_queue import NEVER, SceneQueue
from resumelog.application.scene_settling import Settling
from resumelog.application.scene_updates import SceneState, SceneUpdate
from resumelog.application.stop_flag import StopFlag
from resumelog.domain.errors import NotRunning, SceneAlreadyCompleted
from resumelog.domain.scene_batch import Outcome
from resumelog.domain.wording import counted

if TYPE_CHECKING:
    from resumelog.application.batch import Batch

logger = logging.getLogger("resumelog")

NOT_YET = Ended()


class SceneRun:
    """Hands scenes out, at most `workers` at once, and records all that are ready in one go.

    What has been recorded is forgotten; a future that was collected is dropped. A coordinator calls
    its steps in one thread. An interrupt may come between any two: each can be done again.
    Scenes that were done and are not any more are taken up before it ends. `followers` are told of
    each scene that is recorded as done; a run that has none before or after it is not `is_fed`.
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
        self._queue = SceneQueue(self._monotonic, batch.waiting, batch.is_left)
        self._made, self._again = deque[str](), set[str]()
        self.bell, self._has_begun = Bell(), False
        self._settling = Settling(batch, self._retry)
        self._only: Container[str] | None = None
        self._cause, self._look_at = "", float("-inf")
        self._began = self._ended_at = self._monotonic()

    def over(self, keys: Iterable[str], only: Container[str] | None = None) -> Report:
        """Make these scenes, and return how it stands. Raises NotRunning, LeaseLost, ClosedLog.

        What is to be made again meanwhile is made again, of `only` some scenes where they are given.
        """
        self._batch.require_log()
        self._only, self._seen, self._has_begun = only, self._batch.version, True
        self._queue.offer(keys)
        if self._queue.was_offered and self._batch.is_over:
            status = self._batch.counts().status
            raise NotRunning(self._batch.title, command="run", status=status)
        if self._queue.is_ready:
            Coordinator([self], self._batch.signals).run()
        self.end_batch()
        return self.report()

    @property
    def is_over(self) -> bool:
        """Tell whether there was nothing to do from the beginning on."""
        return self._batch.is_over

    def offer_all(self) -> None:
        """Queue all that is left, unless that was done; what is handed on later comes by itself."""
        if self._has_begun:
            return
        self._has_begun = True
        self._began = self._ended_at = self._monotonic()
        self._seen = self._batch.version
        left = self._batch.left()
        self._batch.expect(len(left), self._workers)
        self._queue.offer(left)

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
        self._make_anew(self._settling.given_up.intersection(keys).difference(in_flight))
        if self._has_begun:  # else they are offered in their order, with all others
            self._queue.offer(key for key in keys if self._batch.is_left(key))

    def end(self, cause: str) -> None:
        """Begin no more."""
        self._cause = self._cause or cause

    def end_batch(self) -> None:
        """Complete the batch if all is done and on disk; leave it if it was paused or stopped."""
        self._batch.end_run(self._cause)

    def finish(self) -> None:
        """Complete the batch if all is done, else leave it open. Raises NotSaved."""
        self._batch.finish()

    def look(self) -> None:
        """See what has become of the batch since this run left it, for the report."""
        with suppress(StoreError):  # else it tells what was known last
            self._batch.is_asked_to_leave()

    def leave_with(self, error: BaseException) -> None:
        """Leave the batch, for an exception that goes on; what has ended is recorded all the same."""
        self.end(type(error).__name__)  # none is noted as coming next
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
        cause = self._cause or self._batch.waits(self._queue.waiting)
        ran = {"elapsed_s": self._ended_at - self._began, "durations": {**self._settling.durations}}
        return self._batch.report(cause=cause, **ran)

    # Begin

    def fill(self) -> bool:
        """Begin as many as there is room for; tell whether any is in flight, or waits for its time."""
        self._queue.wake()
        self.begin()
        return bool(self._flights) or self._is_waiting()

    def begin(self) -> None:
        """Begin as many as there is room for.

        Among several workers what has ended leaves room before it is recorded, so that none waits
        for the disk. One scene after the other is recorded first: the next may end the process.
        """
        room = self._flights.room + (len(self._settling) if self._workers > 1 else 0)
        if room <= 0:
            return
        keys = self._queue.take(room, only_due=self._may_all_fail()) if self._goes_on() else []
        if not keys:
            self._batch.take_back_coming()
            return
        ready = [*self._batch.ready(keys)]
        if len(ready) < len(keys):
            self._queue.wait({*keys}.difference(scene.key for scene in ready))
        for scene in self._batch.begin(ready, self._has_no_place):
            self._submit(scene)

    def _coming(self) -> list[str]:
        """Return what is begun next, as far as it can be told before that is recorded."""
        ends = self._cause or self._stopped
        room = 0 if ends else self._flights.room + len(self._settling)
        return self._queue.coming(room, only_due=self._may_all_fail())

    def _may_all_fail(self) -> bool:
        """Tell whether the failures that end the run are reached if no scene's next try succeeds.

        Until one has ended no other scene is begun: a service that is down would fail them all.
        """
        if not self._failures_max:
            return False
        at_work = self._flights.keys - self._settling.keys
        again = sum(self._settling.failures(key) > 0 for key in at_work)
        return self._settling.failed + self._queue.to_try_again + again >= self._failures_max

    def _submit(self, scene: Scene) -> None:
        if self._flights.begin(scene, self._ring):
            self._tell(scene, SceneState.BEGUN)
        else:
            self._queue.give_back(scene.key, has_failed=self._settling.failures(scene.key) > 0)
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
        if stopped := self._stopped:
            self._cause = stopped
        elif self._failures_max and self._settling.failed >= self._failures_max:
            self._cause = f"stopped after {counted(self._settling.failed, 'failure')}"
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

    @property
    def _stopped(self) -> str:
        """The cause of the first flag that is set; empty for none."""
        return next((stop.cause for stop in self.stops if stop.cause), "")

    def looked_again(self) -> bool:
        """Look in the log at once, and try what waits for the disk; tell whether there is more to do."""
        handed_on = self._handed_on_late()
        if self._cause or self._batch.is_over or self._batch.is_asked_to_leave():
            return handed_on
        self._look_again()
        return handed_on or self._queue.is_ready

    def _handed_on_late(self) -> bool:
        """Write what waits for the disk, if there is room now, and hand on what that was."""
        waiting = len(self._made)
        if self.is_fed and waiting:
            self._batch.flush()
            self._hand_on()
        return len(self._made) < waiting

    def _look_again(self) -> None:
        """Take up what was done and is not any more, once there is nothing else to do."""
        if self._batch.version != self._seen and not (self._queue or self._flights):
            self._seen = self._batch.version
            only, left = self._only, self._batch.left()
            self._queue.offer(left if only is None else filter(only.__contains__, left))

    def _is_waiting(self) -> bool:
        """Tell whether scenes wait for their next try, or for a worker."""
        return bool(self._queue) and self._goes_on()

    # Collect

    def patience_s(self) -> float:
        """Return the seconds until something is to be begun or let go."""
        may_begin = self._flights.room > 0 and not self._cause
        due_at = self._queue.due_at if may_begin else NEVER
        return max(0.0, min(due_at - self._monotonic(), self._flights.patience_s()))

    def ring_again(self) -> None:
        """Ring for all that has ended: an interrupt may have come when it was heard."""
        for future in self._flights.done():
            self._ring(future)

    def take(self, future: Landing) -> None:
        """Settle an attempt that has ended."""
        if future in self._settling:
            return
        landed = self._flights.end(future, is_ending=bool(self._cause or self._stopped))
        if landed is None:
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
        settled = self._settling.settle(future, scene, ended)
        if settled.state is SceneState.RETRYING:
            self._queue.again(scene.key, settled.wait_s)

    def record(self) -> None:
        """Append all that is settled, in one transaction, and tell of it."""
        if not self._settling:
            return
        self._recorded([each.outcome for each in self._settling.all()], self._coming())
        for future in self._settling.futures:  # first: an interrupt leaves none that settles again
            self._flights.forget(future)
        settled = self._settling.recorded()
        self._ended_at = self._monotonic()
        for _, state, scene, ended, wait_s in settled.values():
            self._tell(scene, state, ended, wait_s)
        self._made += [each.scene.key for each in settled.values() if not each.ended.error]
        failed = [each.scene.key for each in settled.values() if each.state is SceneState.FAILED]
        self._make_anew(self._again.intersection(failed))
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
        self._queue.recorded(made)
        if again := self._again.intersection(made):
            self._again -= again
            self.follow(again)
        for run in self.followers:
            run.follow(made)

    def _make_anew(self, keys: Collection[str]) -> None:
        """Take up scenes again that failed on what was made again meanwhile in the stage before."""
        if keys:
            self._again.difference_update(keys)
            self._settling.forgive(keys)
            self._queue.recorded(keys)
            self._queue.offer(keys)

    def _tell(
        self, scene: Scene, state: SceneState, ended: Ended = NOT_YET, wait_s: float = 0.0
    ) -> None:
        if self._batch.listeners:
            counts, running = self._batch.counts(), len(self._flights) - len(self._settling)
            error, elapsed_s = ended.error, ended.elapsed_s
            update = SceneUpdate(scene, state, counts, running, error, elapsed_s, wait_s)
            self._batch.listeners(update)
