"""What the child processes of autopilot tests do; each tells a line once what it says is so."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import JsonValue
from support.hosts import STEPS
from support.tracees import wait_for_tracer

import resumelog
from resumelog import AutoPilot, PilotOptions, StepContext
from resumelog.application.steps import Step
from resumelog.domain.errors import ModeNotAuto

QUICK = PilotOptions(backoff_s=0, look_s=0.01, progress_interval_s=0)
SAVES = 3
ENOUGH = "enough"
"""A file whose being there ends a child."""
PATIENCE_S = 60.0


def tell(*words: object) -> None:
    """Write one line in one system call."""
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


class BusyHost:
    """Its steps save now and then, for some milliseconds; some never look whether they should stop."""

    def __init__(self, pause_s: float = 0.004) -> None:
        self._pause_s, self._chance = pause_s, random.Random(os.getpid())

    @property
    def steps(self) -> Mapping[str, Step]:
        return dict.fromkeys(STEPS, self._step)

    def exists(self, _: str) -> bool:
        return True

    def _step(self, context: StepContext) -> JsonValue:
        is_deaf = self._chance.random() < 0.3
        for number in range(SAVES):
            context.progress(number * 10, f"第 {number} 步", resume_data=number)
            time.sleep(self._chance.uniform(0, self._pause_s))
            if not is_deaf and context.should_stop():
                return None
        return {"epoch of": context.attempt}


def workers_of(sims: tuple[str, ...]) -> list[str]:
    """Return the names of the threads of this process that drive one of these runs."""
    return [each.name for each in threading.enumerate() if each.name.endswith(sims)]


def drive_until_enough(url: str, *sims: str) -> None:
    """Start these runs, and again whenever they are at an end, until the file ENOUGH is there.

    Then tell which of their threads are still there once they were handed back.
    """
    with resumelog.open(url) as log:
        pilot = log.autopilot(BusyHost(), QUICK)
        pilot.keep_recovering(0.02)
        tell("ready")
        while not Path(ENOUGH).exists():
            for sim in sims:
                _start_again(pilot, sim)
            time.sleep(0.01)
        pilot.close()
        tell("left", *workers_of(sims))


def _start_again(pilot: AutoPilot, sim: str) -> None:
    run = pilot.status(sim)
    if run.mode == "auto" and run.status in ("inactive", "failed", "completed"):
        try:
            pilot.start(sim, force=run.status == "completed")
        except ModeNotAuto:
            return  # set to manual just now


def drive_once(url: str, sim: str) -> None:
    """Configure, start or recover one run and drive it to its end; tell each step that is begun."""
    _drive(url, sim, _Telling())


def drive_traced(url: str, sim: str) -> None:
    """Do the same, but let the run begin when a tracer is there, and not sooner."""
    _drive(url, sim, _Traced())


def _drive(url: str, sim: str, host: BusyHost) -> None:
    with resumelog.open(url) as log:
        pilot = log.autopilot(host, QUICK)
        run = pilot.configure(sim, "auto")
        if run.status == "inactive":
            pilot.start(sim)
        else:
            tell("recovered", *pilot.recover())
        tell(pilot.wait(sim, PATIENCE_S).status)


class _Telling(BusyHost):
    def __init__(self) -> None:
        super().__init__(0)

    def _step(self, context: StepContext) -> JsonValue:
        tell("begun", context.step)
        for number in range(SAVES):
            context.progress(number * 10, resume_data=number)
        return "done"


class _Traced(_Telling):
    """It is asked for its steps before a run begins, and once more when that is at its end."""

    is_traced = False

    @property
    def steps(self) -> Mapping[str, Step]:
        if not self.is_traced:
            wait_for_tracer()
        self.is_traced = True
        return super().steps


class _Hanging(BusyHost):
    """Its third steps never end; `together` lets those and one more thread meet."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.together = threading.Barrier(count + 1)

    def _step(self, context: StepContext) -> JsonValue:
        if context.step == STEPS[2]:
            context.progress(50, resume_data=context.simulation_id)
            self.together.wait(PATIENCE_S)
            time.sleep(PATIENCE_S)
        return None


def begin_and_hang(url: str, *sims: str) -> None:
    """Start runs whose third step never ends; tell once all are there."""
    with resumelog.open(url) as log:
        host = _Hanging(len(sims))
        pilot = log.autopilot(host, QUICK)
        for sim in sims:
            pilot.configure(sim, "auto")
            pilot.start(sim)
        host.together.wait(PATIENCE_S)
        tell("ready")
        time.sleep(PATIENCE_S)


def recover_at_once(url: str, *sims: str) -> None:
    """Recover once the file ENOUGH is there; tell what was, and how all runs ended."""
    with resumelog.open(url) as log:
        pilot = log.autopilot(BusyHost(), QUICK)
        tell("ready")
        while not Path(ENOUGH).exists():
            time.sleep(0.0001)
        mine = pilot.recover()
        for sim in mine:
            pilot.wait(sim, PATIENCE_S)
        tell("recovered", *mine)
        until = (
            time.monotonic() + PATIENCE_S
        )  # a thread that nobody waits for any more may not be over
        while workers_of(sims) and time.monotonic() < until:
            time.sleep(0.01)
        tell("left", *workers_of(sims))


_ALL: tuple[Callable[..., None], ...] = (
    drive_until_enough,
    drive_once,
    drive_traced,
    begin_and_hang,
    recover_at_once,
)
PILOT_TASKS = {task.__name__: task for task in _ALL}
