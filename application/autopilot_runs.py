"""Autopilot: runs driven through a host's steps, going on after the last completed one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from pydantic import JsonValue

from resumelog.application.errors import AlreadyRunning, NoSuchSimulation
from resumelog.application.event_log import EventLog
from resumelog.application.ports import Clock, Leases
from resumelog.application.running import Running
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.errors import LeaseLost, NotActive
from resumelog.domain.events import Events
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.values import Payload

ATTEMPTS_MAX = 3
KEPT = {"percent", "message", "detail", "resume_data"}
END = "completed"
CLOSE_S = 10.0

logger = logging.getLogger("resumelog")


class StopAsked(Exception):
    """Raise this in a step once `should_stop()` says so; the run goes on there when it is resumed."""


class StepContext:
    """What a step is given. Its methods may be called from any thread.

    A step that was told to stop leaves by `return` or StopAsked and is begun again when the run
    goes on; one that is done all the same returns a result. `resume_data` is what it saved last.
    """

    def __init__(
        self,
        running: Running[AutoPilotRun],
        closing: threading.Event,
        waited: Callable[[float], bool],
    ) -> None:
        """Belong to the step that the run is at."""
        self._running, self._closing, self._waited = running, closing, waited
        run = running.state
        self.simulation_id = run.natural_key[0]
        self.attempt = run.attempts[run.step]
        self.resume_data = run.progress.resume_data if run.progress else None
        self.was_asked = False
        self._began = running.clock.monotonic() - run.active_s

    @property
    def active_s(self) -> float:
        """Seconds at work on this step, over all attempts and restarts; pauses do not count."""
        return self._running.clock.monotonic() - self._began

    def result(self, step: str) -> JsonValue:
        """Return what an earlier step returned."""
        run = self._running.state
        return self._running.log.value(run.id, run.completed[step].originator_version)

    def progress(
        self,
        percent: float,
        message: str = "",
        *,
        resume_data: JsonValue = None,
        **detail: JsonValue,
    ) -> None:
        """Save how far the step is (0 to 100), and what to go on from after a crash."""
        at, active_s = self._running.clock.now(), self.active_s
        self._running.do(
            lambda run, by: run.save_progress(
                percent,
                by,
                at,
                message=message,
                detail=detail,
                resume_data=resume_data,
                active_s=active_s,
            )
        )

    def should_stop(self) -> bool:
        """Tell whether the run was paused, stopped, reset or taken over, or the service closes."""
        asked = self._closing.is_set() or not _is_ours(self._running)
        self.was_asked = self.was_asked or asked
        return asked

    def keep_time(self) -> None:
        """Save how long the step was at work, when it is left before its end."""
        progress = self._running.state.progress
        at, active_s = self._running.clock.now(), self.active_s
        told = progress.model_dump(include=KEPT) if progress else {"percent": 0.0}
        self._running.do(lambda run, by: run.save_progress(by=by, at=at, active_s=active_s, **told))

    def wait(self, seconds: float) -> bool:
        """Sleep, and return at once with False when the service closes."""
        return self._waited(seconds)


Step = Callable[[StepContext], JsonValue]


class Host(Protocol):
    """What drives a simulation: whether it exists, and its steps in order."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return one function a step, in order. What it returns is kept as the step's result."""
        ...

    def exists(self, simulation_id: str) -> bool:
        """Tell whether the host knows this simulation."""
        ...


class AutoPilot:
    """All runs of one log under one host. Steps run in a thread for each run."""

    def __init__(self, log: EventLog, leases: Leases, clock: Clock, host: Host) -> None:
        """Start nothing; `start`, `resume` and `recover` do."""
        self._log, self._leases, self._clock, self._host = log, leases, clock, host
        self._closing = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def configure(self, simulation_id: str, mode: str, actor: str = "") -> AutoPilotRun:
        """Choose "auto" or "manual". Raises NoSuchSimulation, BadMode, BadKey."""
        run = AutoPilotRun.named(simulation_id)
        if not self._host.exists(simulation_id):
            raise NoSuchSimulation(run.title)
        chosen: Any = mode.lower() if isinstance(mode, str) else mode
        return self._control(simulation_id, lambda run, at: run.configure(chosen, actor, at))

    def start(self, simulation_id: str, *, force: bool = False, actor: str = "") -> AutoPilotRun:
        """Drive the run in a thread; on an active run with a living worker, start nothing.

        Raises ModeNotAuto.
        """
        steps = (*self._host.steps, END)
        self._launch(
            simulation_id,
            lambda run, by, at: run.start(by, at, forced=force, steps=steps, actor=actor),
            force=force,
        )
        return self.status(simulation_id)

    def pause(self, simulation_id: str, reason: str = "", actor: str = "") -> AutoPilotRun:
        """Stop at the step's next safe point. Raises NotActive."""
        return self._control(simulation_id, lambda run, at: run.pause(reason, actor, at))

    def resume(self, simulation_id: str, actor: str = "") -> AutoPilotRun:
        """Go on with a paused run. Raises NotPaused."""
        self._control(simulation_id, lambda run, at: run.resume(actor, at))
        self._launch(simulation_id, lambda run, by, at: run.recover(by, at))
        return self.status(simulation_id)

    def stop(self, simulation_id: str, actor: str = "") -> AutoPilotRun:
        """Give the run up; what is completed stays completed."""
        return self._control(simulation_id, lambda run, at: run.stop(actor, at))

    def reset(self, simulation_id: str, actor: str = "") -> AutoPilotRun:
        """Forget all but the mode; harmless for an unknown run."""
        return self._control(simulation_id, lambda run, at: run.reset(actor, at))

    def status(self, simulation_id: str) -> AutoPilotRun:
        """Return the run's state as the log has it now."""
        return self._log.recover(AutoPilotRun.named(simulation_id))

    def resume_point(self, simulation_id: str) -> ResumePoint:
        """Return what is done and what is next, and why."""
        return resume_point(self.status(simulation_id))

    def recover(self) -> list[str]:
        """Go on with every active run that nobody works on; return their simulation ids."""
        return [*self._recovered(self._log.states())]

    def wait(self, simulation_id: str, timeout_s: float | None = None) -> AutoPilotRun:
        """Wait until this process no longer drives the run, and return its state."""
        thread = self._threads.get(simulation_id)
        while thread and thread.is_alive():
            thread.join(timeout_s)
            if thread is self._threads[simulation_id]:
                break
            thread = self._threads[simulation_id]  # it was taken up again
        return self.status(simulation_id)

    def close(self) -> None:
        """Ask every step to stop, and hand the runs back as they are."""
        self._closing.set()
        for thread in [*self._threads.values()]:
            thread.join(CLOSE_S)

    def _recovered(self, states: Iterable[object]) -> Iterable[str]:
        for run in states:
            if isinstance(run, AutoPilotRun) and run.status is RunStatus.ACTIVE:
                simulation_id = run.natural_key[0]
                if self._launch(simulation_id, lambda run, by, at: run.recover(by, at)):
                    yield simulation_id

    def _control(
        self, simulation_id: str, command: Callable[[AutoPilotRun, Any], Events]
    ) -> AutoPilotRun:
        run = self._log.recover(AutoPilotRun.named(simulation_id))
        at = self._clock.now()
        self._log.decide(run, lambda run: command(run, at))
        return run

    def _launch(
        self,
        simulation_id: str,
        command: Callable[[AutoPilotRun, Any, Any], Events],
        *,
        force: bool = False,
    ) -> bool:
        run = AutoPilotRun.named(simulation_id)
        running = Running(self._log, self._leases, self._clock, run)
        at = self._clock.now()
        try:
            running.begin(lambda run, by: command(run, by, at), force=force)
        except AlreadyRunning as busy:
            logger.info("%s", busy)
            return False
        if running.claim is None:
            return False
        thread = threading.Thread(target=self._drive, args=(running,), name=run.title, daemon=True)
        with self._lock:
            self._threads[simulation_id] = thread
        thread.start()
        return True

    def _drive(self, running: Running[AutoPilotRun]) -> None:
        try:
            while _is_ours(running) and not self._closing.is_set():
                self._one_step(running)
        except LeaseLost as lost:
            logger.info("the worker leaves: %s", lost)
        except Exception:
            logger.exception("%s: the worker ended", running.state.title)
        else:
            running.end()
            self._take_up_again(running)
        finally:
            running.end()

    def _take_up_again(self, running: Running[AutoPilotRun]) -> None:
        """Go on with a run that was resumed while its worker was leaving."""
        run = running.watch()
        if run.status is RunStatus.ACTIVE and not self._closing.is_set():
            self._launch(run.natural_key[0], lambda run, by, at: run.recover(by, at))

    def _one_step(self, running: Running[AutoPilotRun]) -> None:
        run, clock = running.state, running.clock
        step, attempt, at = run.next_step, run.attempts.get(run.next_step, 0) + 1, clock.now()
        try:
            running.do(lambda run, by: run.start_step(step, attempt, by, at))
        except NotActive:
            return  # it was paused just now
        context = StepContext(running, self._closing, lambda s: not self._closing.wait(s))
        try:
            payload = self._result(step, context)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a step raises is its failure
            context.keep_time()  # raises LeaseLost where the run is no longer ours
            if not (isinstance(error, StopAsked) and context.was_asked):
                self._step_failed(running, step, error)
            return
        at, active_s = clock.now(), context.active_s
        running.do(
            lambda run, by: run.complete_step(step, by, at, result=payload, active_s=active_s)
        )

    def _result(self, step: str, context: StepContext) -> Payload | None:
        result = self._host.steps[step](context)
        if result is None and context.was_asked:
            raise StopAsked
        return None if result is None else Payload.of(result, "the step's result")

    def _step_failed(self, running: Running[AutoPilotRun], step: str, error: BaseException) -> None:
        at = running.clock.now()
        running.do(lambda run, by: run.fail_step(step, error, ATTEMPTS_MAX, by, at))


def _is_ours(running: Running[AutoPilotRun]) -> bool:
    """Tell whether the run is active under the epoch of this worker."""
    try:
        return running.watch().status is RunStatus.ACTIVE
    except LeaseLost:
        return False
