"""Autopilot: runs driven through a host's steps, going on after the last completed one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from resumelog.application.errors import AlreadyRunning, ClosedLog, NoHost, NoSuchSimulation
from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.application.kept_runs import KeptRuns
from resumelog.application.pilot_options import PilotOptions
from resumelog.application.ports import Clock, Leases
from resumelog.application.queries import Queries
from resumelog.application.run_driver import RunDriver
from resumelog.application.run_view import RunView
from resumelog.application.running import Running
from resumelog.application.steps import Host, HurriedHost, OwningHost
from resumelog.domain.autopilot_events import Reset
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.errors import LeaseLost, NotPaused, ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.values import Claim

END = "completed"
CLOSE_S = 10.0
HURRIED_S = 1.0
"""So long a host that was hurried may take to end its steps."""

Begin = Callable[[AutoPilotRun, Claim, Any, tuple[str, ...]], Events]
"""Decides, of a run, a claim, the time and the names of the host's steps, how it is begun."""

logger = logging.getLogger("resumelog")


class AutoPilot:
    """All runs of one log under one host. Steps run in a thread for each run.

    Without a host it only controls: whoever has one goes on with what is resumed. `queries` reads
    every job of the log.
    """

    def __init__(
        self,
        log: EventLog,
        listed: JobList,
        leases: Leases,
        clock: Clock,
        host: Host | None,
        options: PilotOptions,
    ) -> None:
        """Start nothing; `start`, `step`, `resume` and `recover` do."""
        self._log, self._listed, self._leases, self._clock = log, listed, leases, clock
        self._host, self._options = host, options
        self.queries = Queries(log, listed)
        self._runs = KeptRuns(log)
        self._closing = threading.Event()
        self._drivers: dict[str, RunDriver] = {}
        self._lock = threading.Lock()
        self._recovering: threading.Thread | None = None

    def configure(self, simulation_id: str, mode: str, actor: str = "") -> RunView:
        """Choose "auto" or "manual", in any case. Raises NoSuchSimulation, BadMode, BadKey."""
        self._require_known(simulation_id)
        chosen: Any = mode.lower() if isinstance(mode, str) else mode
        return self._control(simulation_id, lambda run, at: run.configure(chosen, actor, at))

    def owner(self, simulation_id: str) -> str | None:
        """Return whose simulation it is, where the host says so."""
        host = self._host
        return host.owner(_key(simulation_id)) if isinstance(host, OwningHost) else None

    def start(self, simulation_id: str, *, force: bool = False, actor: str = "") -> RunView:
        """Drive the run in a thread; on an active run with a living worker, start nothing.

        Raises ModeNotAuto, NoSuchSimulation, NoHost, BadKey.
        """
        if self.status(simulation_id).mode == "auto":  # else that is what is refused
            self._require_known(simulation_id)
        events = self._launch(
            simulation_id,
            lambda run, by, at, chain: run.start(by, at, forced=force, steps=chain, actor=actor),
            force=force,
        )
        if not events and self.status(simulation_id).status is RunStatus.PAUSED:
            with suppress(NotPaused):  # somebody was faster
                return self.resume(simulation_id, actor)  # its worker is leaving, and goes on
        anew = any(isinstance(event, Reset) for event in events)
        return self.status(simulation_id).model_copy(update={"force_restarted": anew})

    def step(self, simulation_id: str, actor: str = "") -> RunView:
        """Do the next step of a run in manual mode in a thread, and pause there.

        Raises ModeNotManual, NoHost, BadKey, and AlreadyRunning while a step is at work.
        """
        self._begin(
            simulation_id,
            lambda run, by, at, chain: run.step_by_hand(by, at, steps=chain, actor=actor),
        )
        return self.status(simulation_id)

    def pause(self, simulation_id: str, reason: str = "", actor: str = "") -> RunView:
        """Stop at the step's next safe point. Raises NotActive."""
        return self._control(simulation_id, lambda run, at: run.pause(reason, actor, at))

    def resume(self, simulation_id: str, actor: str = "") -> RunView:
        """Go on with a paused run. Raises NotPaused."""
        self._control(simulation_id, lambda run, at: run.resume(actor, at))
        if self._host:
            self._goes_on(simulation_id)
        return self.status(simulation_id)

    def stop(self, simulation_id: str, actor: str = "") -> RunView:
        """Give the run up; what is completed stays completed."""
        return self._control(simulation_id, lambda run, at: run.stop(actor, at))

    def reset(self, simulation_id: str, actor: str = "") -> RunView:
        """Forget all but the mode; harmless for an unknown run."""
        return self._control(simulation_id, lambda run, at: run.reset(actor, at))

    def status(self, simulation_id: str) -> RunView:
        """Return how the run stands in the log now. Raises BadKey."""
        return self._runs.seen(simulation_id, self._view)

    def worker(self, stream: UUID) -> str | None:
        """Return who works on a job of this log now, whatever its kind."""
        return self._leases.holder(stream)

    def resume_point(self, simulation_id: str) -> ResumePoint:
        """Return what is done and what is next, and why."""
        return self._runs.seen(simulation_id, resume_point)

    def recover(self) -> list[str]:
        """Go on with every active run that nobody works on; return their simulation ids.

        Without a host there is nobody to do their steps, and none goes on.
        """
        if self._host is None:
            return []
        rows = self._listed.select([AutoPilotRun.kind], [RunStatus.ACTIVE])
        names = [row.name for row in rows]
        return [name for name in names if not self._is_driven(name) and self._goes_on(name)]

    def keep_recovering(self, every_s: float = 5.0) -> None:
        """Recover now, and then every `every_s` seconds until it is closed, in a thread.

        So it goes on with runs that another machine was at when it died, once their lease is over,
        and with those that somebody resumed who drives none.
        """
        if self._recovering is None:
            target = self._recover_again
            self._recovering = threading.Thread(
                target=target, args=(every_s,), name="resumelog-recovery", daemon=True
            )
            self._recovering.start()

    def wait(self, simulation_id: str, timeout_s: float | None = None) -> RunView:
        """Wait until this process no longer drives the run, and return how it stands."""
        while driver := self._driver(simulation_id):
            driver.thread.join(timeout_s)
            if driver.thread.is_alive():
                break
        return self.status(simulation_id)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Ask every step to stop, and hand the runs back as they are; wait so long for them all.

        Nothing is begun from here on. A host that can hurry is told to when that time is over.
        """
        self._closing.set()
        until = time.monotonic() + timeout_s  # real threads are waited for, whatever the clock
        if self._recovering:
            self._recovering.join(timeout_s)
        with self._lock:
            drivers = [*self._drivers.values()]
        for driver in drivers:
            driver.asked.set()
        if not _have_left(drivers, until) and isinstance(self._host, HurriedHost):
            self._host.hurry()
            _have_left(drivers, time.monotonic() + HURRIED_S)

    # Parts

    def _require_known(self, simulation_id: str) -> None:
        run = AutoPilotRun.named(simulation_id)
        if self._host and not self._host.exists(*run.natural_key):
            raise NoSuchSimulation(run.title)

    def _view(self, run: AutoPilotRun) -> RunView:
        is_at_rest = run.was_begun and run.status in (RunStatus.PAUSED, RunStatus.INACTIVE)
        return RunView.of(run, is_held=is_at_rest and self._leases.holder(run.id) is not None)

    def _control(
        self, simulation_id: str, command: Callable[[AutoPilotRun, Any], Events]
    ) -> RunView:
        at = self._clock.now()
        self._runs.decide(simulation_id, lambda run: command(run, at))
        if driver := self._driver(simulation_id):
            driver.asked.set()
        return self.status(simulation_id)

    def _driver(self, simulation_id: str) -> RunDriver | None:
        with self._lock:  # one that is there was started
            return self._drivers.get(_key(simulation_id))

    def _is_driven(self, simulation_id: str) -> bool:
        """Tell whether a worker of this process is at it, and not only one that was left behind."""
        driver = self._driver(simulation_id)
        return driver is not None and driver.is_at_it

    def _goes_on(self, simulation_id: str) -> bool:
        return bool(self._launch(simulation_id, lambda run, by, at, _: run.recover(by, at)))

    def _launch(self, simulation_id: str, command: Begin, *, force: bool = False) -> Events:
        """Begin, unless another worker is at it, or somebody else was faster."""
        try:
            return self._begin(simulation_id, command, force=force)
        except (AlreadyRunning, LeaseLost) as other:
            logger.info("%s", other)
            return ()

    def _begin(self, simulation_id: str, command: Begin, *, force: bool = False) -> Events:
        run, at = AutoPilotRun.named(simulation_id), self._clock.now()
        if self._closing.is_set():
            raise ClosedLog(run.title)
        if self._host is None:
            raise NoHost(run.title)
        steps = {**self._host.steps}  # before the lease: a host may raise
        running = Running(self._log, self._leases, self._clock, run)
        chain = (*steps, END)
        events = running.begin(lambda run, by: command(run, by, at, chain), force=force)
        if running.claim:
            driver = RunDriver(running, steps, self._options, self._closing, self._ended)
            self._start(driver)
        return events

    def _start(self, driver: RunDriver) -> None:
        """Let a worker begin once the one before, whose epoch is over, has left."""
        with self._lock:
            before = self._drivers.get(driver.simulation_id)
            try:
                driver.start(before)
            except BaseException:
                driver.give_back()
                raise
            self._drivers[driver.simulation_id] = driver  # it leaves at once where all is closing

    def _ended(self, driver: RunDriver) -> None:
        """Forget a worker; go on with a run that was resumed while it was leaving."""
        with self._lock:
            if self._drivers.get(driver.simulation_id) is driver:
                del self._drivers[driver.simulation_id]
        if driver.left and not self._closing.is_set():
            try:
                self._goes_on(driver.simulation_id)
            except ClosedLog as closed:
                logger.info("%s", closed)
            except ResumelogError as error:
                logger.warning("%s: recover goes on: %s", driver.simulation_id, error)

    def _recover_again(self, every_s: float) -> None:
        while not self._closing.is_set():
            try:
                self.recover()
            except ClosedLog as closed:
                logger.info("%s", closed)
            except ResumelogError as error:
                logger.warning("runs can't be recovered now, it is tried again: %s", error)
            except Exception:
                logger.exception("runs can't be recovered now, it is tried again")
            self._closing.wait(every_s)


def _key(simulation_id: str) -> str:
    """Return the one form of an id that the log has, the host is asked about and steps get."""
    return AutoPilotRun.named(simulation_id).natural_key[0]


def _have_left(drivers: Sequence[RunDriver], until: float) -> bool:
    """Wait for workers, and tell whether all have left."""
    for driver in drivers:
        driver.thread.join(max(0.0, until - time.monotonic()))
    return not any(driver.thread.is_alive() for driver in drivers)
