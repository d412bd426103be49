"""Runs that a pilot.toml drives through real commands, in a folder of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import resumelog
from resumelog import AutoPilot, RunView, read_pilot
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.events import DomainEvent

PATIENCE_S = 60.0
"""After so long a run is taken for hung; nothing is measured against it."""
SIM = "sim-模拟 1"
HEAD = 'exists = "any"\ngrace_s = 1\n[options]\nbackoff_s = 0\nlook_s = 0.05\n'


def work(name: str, script: str, *more: str) -> str:
    """Return a step that runs a shell's script, which gets the id as $1."""
    lines = [f"name = '{name}'", f"run = ['sh', '-c', '''{script}''', 'sh', '{{simulation_id}}']"]
    return "\n".join(["[[steps]]", *lines, *more, ""])


class Piloted:
    """One log and one pilot.toml in a folder."""

    def __init__(self, folder: Path, *steps: str, head: str = HEAD) -> None:
        self.folder, self.file = folder, folder / "pilot.toml"
        self.file.write_text(head + "".join(steps))

    @contextmanager
    def pilot(self) -> Iterator[AutoPilot]:
        """Open the log, with the host that the file describes, in a process that may end."""
        with resumelog.open(self.folder / "resumelog.db") as log:
            yield log.autopilot(*read_pilot(self.file))

    @contextmanager
    def control(self) -> Iterator[AutoPilot]:
        """Open the log as whoever only controls does, and knows no host."""
        with resumelog.open(self.folder / "resumelog.db") as log:
            yield log.autopilot()

    def driven(self, simulation_id: str = SIM) -> RunView:
        """Start the run; return how it ended."""
        with self.pilot() as pilot:
            pilot.configure(simulation_id, "auto")
            pilot.start(simulation_id)
            return pilot.wait(simulation_id, PATIENCE_S)

    def events(self, simulation_id: str = SIM) -> list[DomainEvent]:
        """Return the run's whole history."""
        with resumelog.open(self.folder / "resumelog.db") as log:
            return [*log.log.history(AutoPilotRun.named(simulation_id).id)]

    def result(self, step: str) -> object:
        """Return what a step came to."""
        with resumelog.open(self.folder / "resumelog.db") as log:
            run = log.log.recover(AutoPilotRun.named(SIM))
            return log.log.value(run.id, run.completed[step].originator_version)

    def lines(self, name: str) -> list[str]:
        """Return what commands appended to a file so far."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


def until(condition: Callable[[], object], what: str) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def processes_in(folder: Path) -> dict[int, str]:
    """Return the command lines of all processes that work in a folder or below, by their numbers."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place, line = (process / "cwd").readlink(), (process / "cmdline").read_bytes()
            if place.is_relative_to(folder) and line:  # a zombie has none
                found[int(process.name)] = line.replace(b"\0", b" ").decode(errors="replace")
    return found
