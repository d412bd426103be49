"""Runs in one process that serves them: `python -m benchmarks.served_runs FOLDER RUNS POLL_S`.

It tells its address once all of them are watched, lets them end when a line comes in, tells how much
their simulations had been told was saved, and then ends itself.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from pydantic import JsonValue

import resumelog
from resumelog import AutoPilot, Simulation, SimulationState, SimulationTimes, StepContext
from resumelog.infrastructure.http import server

PATIENCE_S = 120.0


class Villages(Simulation):
    """Every look finds a new round; `saved` counts those whose save had returned, for each run."""

    def __init__(self, poll_s: float, rounds: int = 10**6) -> None:
        """Be at no round yet."""
        self.times = SimulationTimes(poll_every_s=poll_s)
        self.enough, self.saved = threading.Event(), Counter[str]()
        self._rounds, self._now, self._reports = rounds, Counter[str](), set[str]()

    def exists(self, simulation_id: str) -> bool:
        """Know them all."""
        return bool(simulation_id)

    def is_prepared(self, simulation_id: str) -> bool:
        """Need no preparation."""
        return bool(simulation_id)

    def prepare(self, context: StepContext) -> None:
        """Have nothing to prepare."""

    def start(self, context: StepContext, from_round: int) -> None:
        """Run from the next look on."""
        self._now[context.simulation_id] = from_round + 1

    def state(self, simulation_id: str) -> SimulationState:
        """Go on by one round; the last look's round was saved, or this one would not be."""
        number = self._now[simulation_id]
        if not number:
            return SimulationState("idle")
        self.saved[simulation_id] = number - 1
        is_over = self.enough.is_set() or number == self._rounds
        self._now[simulation_id] += 1
        rounds = number if is_over else self._rounds
        return SimulationState("completed" if is_over else "running", number, rounds)

    def report(self, simulation_id: str) -> JsonValue:
        """Return the report once it was written."""
        return "report.md" if simulation_id in self._reports else None

    def write_report(self, context: StepContext) -> None:
        """Write one at once; the last round was saved before."""
        self.saved[context.simulation_id] = self._now[context.simulation_id] - 1
        self._reports.add(context.simulation_id)


def main(folder: str, runs: int, poll_s: float) -> None:
    """Serve them as `resumelog serve` would."""
    with resumelog.open(Path(folder, "runs.db")) as log:
        villages = Villages(poll_s)
        pilot = log.autopilot(villages)
        listener = server.listening("127.0.0.1", 0)
        pilot.keep_recovering()
        about = pilot, villages, [f"sim-{number}" for number in range(runs)]
        threading.Thread(target=_tell, args=(*about, server.url_of(listener))).start()
        server.serve(resumelog.create_app(pilot), listener, pilot.close)


def _tell(pilot: AutoPilot, villages: Villages, names: list[str], url: str) -> None:
    for name in names:
        pilot.configure(name, "auto")
        pilot.start(name)
        time.sleep(villages.times.poll_every_s / len(names))  # a service's runs begin at any time
    while len(+villages.saved) < len(names):
        time.sleep(0.01)
    _say(url)
    cpu_s, began = time.process_time(), time.perf_counter()
    sys.stdin.readline()
    at_work = (time.process_time() - cpu_s) / (time.perf_counter() - began)
    villages.enough.set()
    ended = [pilot.wait(name, PATIENCE_S).status.value for name in names]
    _say({"saved": villages.saved, "ended": Counter(ended), "at_work": at_work})


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
