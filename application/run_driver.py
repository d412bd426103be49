"""One worker on one run: step after step, each until it is done, failed or told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from resumelog.application.errors import ClosedLog, StoreError
from resumelog.application.pilot_options import PilotOptions
from resumelog.application.running import Command, Running
from resumelog.application.step_calls import StepCalls
from resumelog.application.step_context import StepContext, is_ours, waited
from resumelog.application.steps import GaveUp, Step, StopAsked
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.errors import LeaseLost, NotActive
from resumelog.domain.values import Payload

LOOKS_LEFT, LOOK_MAX_S = 10, 1.0
"""So many looks, so long at most, a worker has to leave before the next one begins beside it."""
STORE_WAIT_S, STORE_WAIT_MAX_S = 0.5, 30.0
LOOKS_MISSED = 3
"""A worker that has missed so many looks may be one that was left behind."""

Used = TypeVar("Used")

logger = logging.getLogger("resumelog")


class RunDriver:
    """Drives a run in a thread of its own, in manual mode for one step.

    `asked` wakes a step that waits, so that it looks whether it should stop. `ended` is called in
    that thread once the lease is given back; `left` tells whether it left because it should.
    """

    def __init__(
        self,
        running: Running[AutoPilotRun],
        steps: Mapping[str, Step],
        options: PilotOptions,
        closing: threading.Event,
        ended: Callable[[RunDriver], object],
    ) -> None:
        """Prepare; `start` begins."""
        self.simulation_id = running.state.natural_key[0]
        self.asked, self.left = threading.Event(), False
        self._running, self._steps, self._options = running, steps, options
        self._closing, self._ended = closing, ended
        self._before: RunDriver | None = None
        title = running.state.title
        self.thread = threading.Thread(target=self._drive, name=title, daemon=True)

    def start(self, before: RunDriver | None = None) -> None:
        """Begin, once the worker before has left, or heard nothing for a while."""
        self._before = before
        self.thread.start()

    def give_back(self) -> None:
        """Let another worker take the run: this one can't begin."""
        self._running.end()

    @property
    def is_at_it(self) -> bool:
        """Tell whether the run is still its own, under its epoch; one that has just looked would know."""
        running, looks_s = self._running, LOOKS_MISSED * self._options.look_s
        has_looked = running.clock.monotonic() - running.watched_at < looks_s
        return running.claim is not None and (has_looked or is_ours(running))

    def _drive(self) -> None:
        running = self._running
        try:
            self._let_leave()
            while self._goes_on():
                self._one_step()
                self._pause_if_by_hand()
            self.left = True
        except LeaseLost as lost:
            logger.info("the worker leaves: %s", lost)
        except Exception:
            logger.exception("%s: the worker ended; recover goes on", running.state.title)
        finally:
            running.end()
            self._ended(self)

    def _let_leave(self) -> None:
        """Don't work beside a step that is about to leave; one that hears nothing is not waited for."""
        before, self._before = self._before, None
        if before is None:
            return
        before.asked.set()  # its epoch is over
        for _ in range(LOOKS_LEFT):
            if self._closing.is_set() or not before.thread.is_alive():
                return
            before.thread.join(min(self._options.look_s, LOOK_MAX_S))

    def _goes_on(self) -> bool:
        return not self._closing.is_set() and self._patiently(lambda: is_ours(self._running))

    def _record(self, command: Command[AutoPilotRun]) -> None:
        self._patiently(lambda: self._running.do(command))

    def _patiently(self, use: Callable[[], Used]) -> Used:
        """Read or write the log, again and again where it can't be: its disk may be full, its server down."""
        wait_s = STORE_WAIT_S
        while True:
            try:
                return use()
            except ClosedLog:
                raise
            except StoreError as error:
                if self._closing.is_set():
                    raise
                logger.warning("%s: tried again in %g s: %s", self.thread.name, wait_s, error)
                self._closing.wait(wait_s)
                wait_s = min(2 * wait_s, STORE_WAIT_MAX_S)

    def _one_step(self) -> None:
        running, clock, run = self._running, self._running.clock, self._running.state
        step, attempt, at = run.next_step, run.attempts.get(run.next_step, 0) + 1, clock.now()
        try:
            self._record(lambda run, by: run.start_step(step, attempt, by, at))
        except NotActive:
            return  # it was paused just now
        context = StepContext(
            running,
            options=self._options,
            asked=self.asked,
            closing=self._closing,
            limit_s=getattr(self._steps.get(step), "limit_s", None),
            counts_downtime=getattr(self._steps.get(step), "counts_downtime", False),
        )
        try:
            payload = self._result(step, context)
        except BaseException as error:  # noqa: BLE001 - whatever a step raises is its failure
            leaves = isinstance(error, StopAsked)
            self._patiently(context.leave if leaves else context.keep_time)  # raises LeaseLost
            if not (leaves and context.was_asked):
                self._failed(step, _late(context) if leaves else error)
            return
        at, active_s = clock.now(), context.active_s
        self._record(
            lambda run, by: run.complete_step(step, by, at, result=payload, active_s=active_s)
        )

    def _result(self, step: str, context: StepContext) -> Payload | None:
        if step not in self._steps:
            raise GaveUp(f"the host has no step {step!r}; it has {', '.join(self._steps)}")
        with StepCalls() as calls:
            result = calls.result(self._steps[step], context)
        if result is None and (context.was_asked or context.was_late):
            raise StopAsked
        return None if result is None else Payload.of(result, "the step's result")

    def _failed(self, step: str, error: BaseException) -> None:
        running, options, at = self._running, self._options, self._running.clock.now()
        is_final = isinstance(error, GaveUp)
        why = (str(error) or error) if is_final else error
        attempts_max = 1 if is_final else options.attempts_max
        self._record(lambda run, by: run.fail_step(step, why, attempts_max, by, at))
        run = running.state
        logger.warning("%s: step %s failed: %s", run.title, step, run.error)
        if run.status is RunStatus.ACTIVE and run.mode == "auto":
            waited(
                running.clock,
                options.wait_s(run.failures),
                look_s=options.look_s,
                asked=self.asked,
                is_over=lambda: not self._goes_on(),
            )

    def _pause_if_by_hand(self) -> None:
        run, clock = self._running.state, self._running.clock
        if run.mode == "manual" and run.status is RunStatus.ACTIVE and not self._closing.is_set():
            why = "one step at a time"
            self._record(lambda run, by: run.pause(why, str(by.worker), clock.now()))


def _late(context: StepContext) -> Exception:
    """Return why a step failed that left without being asked to."""
    if context.was_late:
        return GaveUp(f"the step took longer than {context.limit_s:,.0f} s")
    return StopAsked("the step stopped, and nobody had asked it to")
