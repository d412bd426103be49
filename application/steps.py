"""What a host brings, and what its steps are given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from pydantic import JsonValue

from resumelog.application.running import Running
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.errors import LeaseLost

KEPT = {"percent", "message", "detail", "resume_data"}


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
        asked = self._closing.is_set() or not is_ours(self._running)
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


def is_ours(running: Running[AutoPilotRun]) -> bool:
    """Tell whether the run is active under the epoch of this worker."""
    try:
        return running.watch().status is RunStatus.ACTIVE
    except LeaseLost:
        return False
