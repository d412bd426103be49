"""Runs that are watched, or driven here, until they are over or whoever watches leaves."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.pilot_display import RunDisplay
from resumelog.infrastructure.cli.pilot_services import Facts, facts_of
from resumelog.infrastructure.gate import signal_name
from resumelog.infrastructure.handled_signals import Handled

if TYPE_CHECKING:
    from resumelog.application.autopilot_runs import AutoPilot
    from resumelog.infrastructure.bootstrap import ResumeLog

LOOK_EVERY_S = 0.2
EXITS = {"completed": Exit.DONE, "failed": Exit.FAILED}


class Leaving(Handled):
    """Ctrl+C, SIGTERM and SIGHUP ask whoever watches to leave."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        super().__init__()
        self.asked, self.cause = Event(), ""

    def received(self, number: int, frame: FrameType | None) -> None:
        """Note it; the work is left where it is looked at."""
        del frame
        self.cause = signal_name(number)
        self.asked.set()


def watch(status: Callable[[], Facts], display: RunDisplay, every_s: float) -> Exit:
    """Show a run until it is completed or failed."""
    with Leaving() as leaving:
        with display:
            while (facts := status())["status"] not in EXITS and not leaving.cause:
                display.show(facts)
                leaving.asked.wait(every_s)
        goes_on = "it is watched no longer" if leaving.cause else ""
    display.ended(facts, goes_on)
    return EXITS.get(facts["status"], Exit.INTERRUPTED)


def drive(
    log: ResumeLog,
    pilot: AutoPilot,
    simulation_id: str,
    display: RunDisplay,
    begin: Callable[[], object],
    *,
    is_one_step: bool = False,
) -> Exit:
    """Begin and stay until the run is at rest; leaving hands it back as it is."""
    with Leaving() as leaving:
        begin()
        stream = AutoPilotRun.named(simulation_id).id
        if (holder := log.leases.holder(stream)) and holder != str(log.leases.worker):
            display.say(f"{display.job} is driven by {holder}; watching it")
        with display:
            while not leaving.cause:
                holder = log.leases.holder(stream)
                run = pilot.status(simulation_id)
                if run.status != "active" or not holder:
                    break
                display.show(facts_of(run))
                leaving.asked.wait(LOOK_EVERY_S)
            pilot.close()
    facts = facts_of(pilot.status(simulation_id))
    is_step_done = is_one_step and facts["status"] == "paused" and not leaving.cause
    if is_step_done:
        display.ended(facts)
        return Exit.FAILED if facts["retry_count"] else Exit.DONE
    display.ended(facts, "" if facts["status"] in EXITS else _next(facts, leaving.cause))
    lost = Exit.INTERRUPTED if leaving.cause or facts["status"] != "active" else Exit.FAILED
    return EXITS.get(facts["status"], lost)


def _next(facts: Facts, cause: str) -> str:
    """Say how an unfinished run goes on."""
    name = facts["simulation_id"]
    if facts["status"] == "paused":
        return f"resumelog pilot resume {name} --pilot FILE goes on"
    how = f"handed back after {cause}" if cause else "nobody drives it any more"
    if facts["status"] == "inactive":
        how = "it was stopped"
    return f"{how}; resumelog pilot start {name} --pilot FILE goes on"
