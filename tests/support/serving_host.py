"""Serves a small host in a process of its own: its steps note what they do in the file `ran`."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

import resumelog
from resumelog import PilotOptions, StepContext, StopAsked
from resumelog.application.steps import Step
from resumelog.infrastructure.http import server

RAN = Path("ran")
HELD = Path("held")


def noted(context: StepContext) -> None:
    """Say that a step was begun."""
    with RAN.open("a") as file:
        file.write(f"{context.simulation_id} {context.step}\n")


def prepare(context: StepContext) -> JsonValue:
    """Be done at once."""
    noted(context)
    return None


def monitor(context: StepContext) -> JsonValue:
    """Be at work as long as the file `held` is there."""
    noted(context)
    context.progress(10, "watching")
    while HELD.exists():
        if not context.wait(0.01):
            raise StopAsked
    return None


class SlowHost:
    """Takes for ever to say whether a simulation called "slow" exists."""

    steps: Mapping[str, Step] = {"preparing": prepare, "monitoring": monitor}

    def exists(self, simulation_id: str) -> bool:
        while simulation_id == "slow":
            time.sleep(0.01)
        return True


def main() -> None:
    """Serve it as `resumelog serve` would."""
    with resumelog.open("resumelog.db") as log:
        pilot = log.autopilot(SlowHost(), PilotOptions(backoff_s=0, look_s=0.01))
        listener = server.listening("127.0.0.1", 0)
        pilot.keep_recovering()
        sys.stderr.write(f"serves {server.url_of(listener)}\n")
        sys.stderr.flush()
        server.serve(resumelog.create_app(pilot), listener, lambda: pilot.close(1.0))
        log.close(0)


if __name__ == "__main__":
    main()
