"""The simulation of the examples, quick, in a folder of its own, for tests that kill what drives it."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from support.pilots import Piloted, processes_in, until

from resumelog.domain.autopilot_events import StepCompleted, StepStarted

EXAMPLE = Path(__file__).parents[2] / "examples" / "simulation"
SIM = "village"
ROUNDS = 30
NOTED = 'echo "$1" >> ran; exec python "$@"'
STEPS = {"prepare.py": "preparing", "report.py": "generating_report"}


class Village(Piloted):
    """The example with a note in the file `ran` of every command that begins."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.file, self.chance = folder, folder / "pilot.toml", chance
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("out", "*.db*"))
        text = re.sub(
            r'\["python", ', "['sh', '-c', '''" + NOTED + "''', 'sh', ", self.file.read_text()
        )
        self.file.write_text(text.replace("every_s = 1", "every_s = 0.1"))
        settings = {"people": 60, "rounds": ROUNDS, "seconds_a_round": 0.1, "seed": 7}
        (folder / "simulations" / SIM / "settings.json").write_text(json.dumps(settings))

    def completed(self) -> set[str]:
        """Return the steps that are done, as the log has it."""
        return {event.step for event in self.events(SIM) if isinstance(event, StepCompleted)}

    def require_none_again(self, done: set[str], ran: int) -> None:
        """Expect that no command of these steps is among those that began after the first `ran`."""
        again = {STEPS.get(name, "") for name in self.lines("ran")[ran:]} & done
        assert not again, f"the commands of completed steps began again: {again}"

    def wait_a_while(self, process: subprocess.Popen[str], life_s: float) -> None:
        """Sleep for a random time, at most this long, or until the process ends."""
        end = time.monotonic() + self.chance.uniform(0, life_s)
        while process.poll() is None and time.monotonic() < end:
            self.require_one_simulation()
            time.sleep(0.01)

    def require_one_simulation(self) -> None:
        """Expect that no two processes simulate."""
        lines = processes_in(self.folder).values()
        simulating = [line for line in lines if "simulate.py" in line]
        assert len(simulating) <= 1, simulating

    def cut_the_power(self) -> None:
        """Kill every process that works in the folder."""
        while running := processes_in(self.folder):
            for number in running:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)

    def require_whole(self) -> None:
        """Expect one story: no completed step began again, no round was made twice once it was saved."""
        completed = set[str]()
        for event in self.events(SIM):
            if isinstance(event, StepCompleted):
                completed.add(event.step)
            assert not (isinstance(event, StepStarted) and event.step in completed), event
        rounds = [int(line.split()[1]) for line in self.lines(f"out/{SIM}/simulate.log")]
        assert {*rounds} == {*range(1, ROUNDS + 1)}
        assert all(after - before in (0, 1) for before, after in pairwise(rounds)), rounds
        assert f"after {ROUNDS} rounds" in self.report()
        until(lambda: not processes_in(self.folder), "the end of every process")

    def report(self) -> str:
        """Return what the simulation came to."""
        return (self.folder / "out" / SIM / "report.md").read_text()
