"""What a step of a run is given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import EllipsisType
from typing import Any

from pydantic import JsonValue

from resumelog.application.pilot_options import PilotOptions
from resumelog.application.ports import Clock, InFlight
from resumelog.application.running import Running
from resumelog.application.steps import StopAsked
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.errors import LeaseLost, StepOutOfOrder, WrongState
from resumelog.domain.events import Events
from resumelog.domain.values import Claim

NOTHING_YET: dict[str, Any] = {"percent": 0.0, "message": "", "detail": {}, "resume_data": None}


class StepContext:
    """What a step is given. Its methods may be called from any thread.

    A step that was told to stop leaves by `return` or StopAsked and is begun again when the run
    goes on; one that is done all the same returns a result. `resume_data` is what it saved last.
    """

    def __init__(
        self,
        running: Running[AutoPilotRun],
        *,
        options: PilotOptions,
        asked: threading.Event,
        closing: threading.Event,
        limit_s: float | None = None,
        counts_downtime: bool = False,
    ) -> None:
        """Belong to the step that the run is at; `asked` wakes it where somebody may have asked."""
        self._running, self._options = running, options
        self._asked, self._closing = asked, closing
        run, self._clock = running.state, running.clock
        self.simulation_id, self.step = run.natural_key[0], run.step
        self.attempt = run.attempts[run.step]
        self.limit_s = limit_s
        self.was_asked = self.was_late = False
        self._began = self._clock.monotonic() - run.active_s
        self._down_s = run.down_s if counts_downtime else 0.0
        self._told = (
            run.progress.model_dump(include={*NOTHING_YET}) if run.progress else NOTHING_YET
        )
        self._written_at, self._is_unwritten = float("-inf"), False
        self._lock = threading.RLock()

    @property
    def resume_data(self) -> JsonValue:
        """What the step goes on from: what it saved last, in this attempt or before a crash."""
        data: JsonValue = self._told["resume_data"]
        return data

    @property
    def active_s(self) -> float:
        """Seconds at work on this step, over all attempts and restarts; pauses do not count."""
        return self._clock.monotonic() - self._began

    @property
    def left_s(self) -> float:
        """Seconds until the step's deadline; infinite without one."""
        limit_s = float("inf") if self.limit_s is None else self.limit_s
        return limit_s - self._down_s - self.active_s

    @property
    def is_late(self) -> bool:
        """Tell whether the step's time is over."""
        return self.left_s <= 0

    def result(self, step: str) -> JsonValue:
        """Return what an earlier step returned. Raises KeyError for one that isn't completed."""
        run = self._running.state
        return self._running.log.value(run.id, run.completed[step].originator_version)

    def progress(
        self,
        percent: float,
        message: str = "",
        *,
        resume_data: JsonValue | EllipsisType = ...,
        **detail: JsonValue,
    ) -> None:
        """Save how far the step is (0 to 100).

        `resume_data`, what to go on from after a crash, is on disk when this returns; without it
        the last stays. The rest is written every `progress_interval_s` at most: what comes sooner,
        at the step's first look after that (`should_stop` and `wait` look), and when it is left.
        Raises PercentOutOfRange, NotJson, TooLarge, LeaseLost.
        """
        with self._lock:
            data = self.resume_data if resume_data is ... else resume_data
            told = {"percent": percent, "message": message, "detail": detail, "resume_data": data}
            if told == self._told:
                return
            if self._is_due() or data != self.resume_data:
                self._write(told)
            else:
                self._require_good(told)
                self._is_unwritten = True
            self._told = told

    @property
    def polls_failed(self) -> int:
        """How many looks in a row have failed, also before a restart or a pause."""
        return self._running.state.polls_failed

    def poll_failed(self, error: BaseException, in_a_row: int) -> None:
        """Record that the nth look in a row failed."""
        at = self._clock.now()

        def failed(run: AutoPilotRun, by: Claim) -> Events:
            self._require_own_step(run, by)
            return run.poll_failed(error, in_a_row, by, at)

        self._running.do(failed)

    def poll_worked(self) -> None:
        """Record that a look worked after one that had failed, unless the progress that it told did."""
        if self._running.state.polls_failed:
            self.keep_time()

    def began(self, group: int, started: int) -> None:
        """Note a process group that works on the step, by its number and its leader's start time.

        Whoever takes the run over on this machine ends it first. Raises LeaseLost.
        """
        self._running.begun(InFlight(self.step, self.attempt, group, started))

    def ended(self) -> None:
        """Note that this group has ended."""
        self._running.ended(self.step)

    def should_stop(self) -> bool:
        """Tell whether the run was paused, stopped, reset or taken over, its time is over, or the service closes."""
        if self._closing.is_set() or not is_ours(self._running):
            self.was_asked = True
        elif self.is_late:
            self.was_late = True
        else:
            self._write_what_is_due()
        return self.was_asked or self.was_late

    def require_going_on(self) -> None:
        """Raise StopAsked where the step should stop."""
        if self.should_stop():
            raise StopAsked

    def wait(self, seconds: float) -> bool:
        """Sleep; return False, at once, where the step should stop."""
        return waited(
            self._clock,
            min(seconds, max(0.0, self.left_s)),
            look_s=self._options.look_s,
            asked=self._asked,
            is_over=self.should_stop,
        )

    async def wait_async(self, seconds: float) -> bool:
        """Sleep as `wait` does, for a step that is a coroutine function."""
        return await asyncio.to_thread(self.wait, seconds)

    def keep_time(self) -> None:
        """Save how long the step was at work, and what it told last, when it is left before its end."""
        with self._lock:
            self._write(self._told)

    def leave(self) -> None:
        """Save that time where the step goes on later. Raises LeaseLost.

        Not while looks fail: saved progress says that one worked, so their count would begin anew.
        A poll's time since its last event counts as downtime then.
        """
        if self.polls_failed:
            self._running.do(self._nothing_new)
        else:
            self.keep_time()

    def _nothing_new(self, run: AutoPilotRun, by: Claim) -> Events:
        self._require_own_step(run, by)
        return ()

    def _write_what_is_due(self) -> None:
        """Write progress that had come too soon after the last."""
        with self._lock, suppress(LeaseLost, WrongState):  # it was asked to stop just now
            if self._is_unwritten and self._is_due():
                self._write(self._told)

    def _write(self, told: dict[str, Any]) -> None:
        self._written_at = self._clock.monotonic()
        self._running.do(lambda run, by: self._saved(run, by, told))
        self._is_unwritten = False

    def _is_due(self) -> bool:
        return self._clock.monotonic() - self._written_at >= self._options.progress_interval_s

    def _require_good(self, told: dict[str, Any]) -> None:
        """Refuse at once what could not be written later."""
        with self._running.lock:
            if self._running.claim:
                self._saved(self._running.state, self._running.claim, told)

    def _saved(self, run: AutoPilotRun, by: Claim, told: dict[str, Any]) -> Events:
        self._require_own_step(run, by)
        return run.save_progress(by=by, at=self._clock.now(), active_s=self.active_s, **told)

    def _require_own_step(self, run: AutoPilotRun, by: Claim) -> None:
        """A thread that a step left behind writes into no later one."""
        run.require_claim(by)
        if (run.step, run.attempts.get(run.step)) != (self.step, self.attempt):
            raise StepOutOfOrder(run.title, step=self.step, expected=run.step)


def waited(
    clock: Clock,
    seconds: float,
    *,
    look_s: float,
    asked: threading.Event,
    is_over: Callable[[], bool],
) -> bool:
    """Sleep, and look now and then whether it is over: then return False; `asked` wakes it to look."""
    until = clock.monotonic() + seconds
    while True:
        asked.clear()  # before the look: what is asked from here on wakes the wait
        if is_over():
            return False
        left_s = until - clock.monotonic()
        if left_s <= 0:
            return True
        clock.wait(asked, min(left_s, look_s))


def is_ours(running: Running[AutoPilotRun]) -> bool:
    """Tell whether the run is active under the epoch of this worker."""
    try:
        return running.watch().status is RunStatus.ACTIVE
    except LeaseLost:
        return False
