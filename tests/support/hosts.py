"""Small hosts for autopilot runs."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from pydantic import JsonValue

from resumelog import AutoPilot, PilotOptions, ResumeLog, RunView, StepContext, StopAsked
from resumelog.application.steps import Step
from resumelog.domain.autopilot_run import AutoPilotRun

SIM = "sim-模拟-1"
PATIENCE_S = 20.0
AT_ONCE = PilotOptions(backoff_s=0, look_s=0.01)
SKIPPED = PilotOptions(backoff_s=0, look_s=3600)
"""For a clock whose time is skipped."""
STEPS = ("preparing", "starting", "monitoring", "generating_report")


class SmallHost:
    """Knows simulations whose id begins with "sim"; every step notes that it was begun."""

    def __init__(self, **special: Step) -> None:
        self.begun: list[tuple[str, int]] = []
        self._special = special

    @property
    def steps(self) -> Mapping[str, Step]:
        return {name: self._noted(name) for name in STEPS}

    def exists(self, simulation_id: str) -> bool:
        return simulation_id.startswith("sim")

    def _noted(self, name: str) -> Step:
        def step(context: StepContext) -> JsonValue | Awaitable[JsonValue]:
            self.begun.append((name, context.attempt))
            return self._special.get(name, no_result)(context)

        return step


def no_result(_: StepContext) -> JsonValue:
    """Be done at once."""
    return None


def until_asked(context: StepContext) -> JsonValue:
    """Be at work until somebody asks to stop."""
    context.progress(10, "监控中 👀")
    while not context.should_stop():
        context.wait(0.01)
    raise StopAsked


def at_work(run: RunView) -> bool:
    """Tell whether a step has saved some progress."""
    return run.step_progress > 0


def state_of(log: ResumeLog, simulation_id: str = SIM) -> AutoPilotRun:
    """Return a run's whole state."""
    return log.log.recover(AutoPilotRun.named(simulation_id))


def reached(pilot: AutoPilot, condition: Callable[[RunView], bool] = at_work) -> RunView:
    """Return the run once this is true of it; fail after PATIENCE_S."""
    patient_until = time.monotonic() + PATIENCE_S
    while time.monotonic() < patient_until:
        run = pilot.status(SIM)
        if condition(run):
            return run
        time.sleep(0.01)
    raise TimeoutError(f"{run.simulation_id} is {run.status} at {run.current_step}")


def automatic(log: ResumeLog, host: SmallHost, options: PilotOptions = AT_ONCE) -> AutoPilot:
    """Return a pilot whose run is in auto mode."""
    pilot = log.autopilot(host, options)
    pilot.configure(SIM, "auto", "小王")
    return pilot


def ended(pilot: AutoPilot) -> RunView:
    """Return the run once this process drives it no longer."""
    return pilot.wait(SIM, PATIENCE_S)


def paused_at_monitoring(log: ResumeLog) -> tuple[AutoPilot, SmallHost]:
    """Return a run that somebody paused in its third step."""
    host = SmallHost(monitoring=until_asked)
    pilot = automatic(log, host)
    pilot.start(SIM)
    reached(pilot)
    pilot.pause(SIM, "午休", "小王")
    ended(pilot)
    return pilot, host
