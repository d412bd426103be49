"""Autopilot: runs driven through a host's steps, going on after the last completed one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from resumelog.application.errors import AlreadyRunning, NoSuchSimulation
from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.application.ports import Clock, Leases
from resumelog.application.running import Running
from resumelog.application.steps import Host, StepContext, StopAsked, is_ours
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.errors import LeaseLost, NotActive
from resumelog.domain.events import Events
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.values import Payload

ATTEMPTS_MAX = 3
END = "completed"
CLOSE_S = 10.0

logger = logging.getLogger("resumelog")


class AutoPilot:
    """All runs of one log under one host. Steps run in a thread for each run."""

    def __init__(
        self, log: EventLog, listed: JobList, leases: Leases, clock: Clock, host: Host
    ) -> None:
        """Start nothing; `start`, `resume` and `recover` do."""
        self._log, self._listed = log, listed
        self._leases, self._clock, self._host = leases, clock, host
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
        return [*self._recovered()]

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

    def _recovered(self) -> Iterator[str]:
        for row in self._listed.select([AutoPilotRun.kind], [RunStatus.ACTIVE]):
            if self._launch(row.name, lambda run, by, at: run.recover(by, at)):
                yield row.name

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
            while is_ours(running) and not self._closing.is_set():
                self._one_step(running)
            running.end()
            self._take_up_again(running)
        except LeaseLost as lost:
            logger.info("the worker leaves: %s", lost)
        except Exception:
            logger.exception("%s: the worker ended", running.state.title)
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
