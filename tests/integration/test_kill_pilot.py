"""kill -9 on the process that drives the simulation of the examples, sixty times, at random moments.

RESUMELOG_TEST_SEED brings back the moments of a failure; they are printed with it.
"""

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

import pytest
from support.children import child, finished
from support.pilots import Piloted, processes_in, until

from resumelog.domain.autopilot_events import StepCompleted, StepStarted

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
EXAMPLE = Path(__file__).parents[2] / "examples" / "simulation"
SIM = "village"
KILLS = 30
LIFE_S = 2.5
ROUNDS = 30
NOTED = 'echo "$1" >> ran; exec python "$@"'
STEPS = {"prepare.py": "preparing", "report.py": "generating_report"}


class Village(Piloted):
    """The example in a folder of its own, quick, and with a note of every command that begins."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.file, self.chance = folder, folder / "pilot.toml", chance
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("out", "*.db*"))
        text = re.sub(
            r'\["python", ', "['sh', '-c', '''" + NOTED + "''', 'sh', ", self.file.read_text()
        )
        self.file.write_text(text.replace("every_s = 1", "every_s = 0.1"))
        settings = {"people": 60, "rounds": ROUNDS, "seconds_a_round": 0.1, "seed": 7}
        (folder / "simulations" / SIM / "settings.json").write_text(json.dumps(settings))

    def live(self, *, killed: bool, takes_the_simulation: bool = False) -> int:
        """Drive it once, perhaps to a kill of the driver, or of all that runs; return the exit code."""
        done, ran = self.completed(), len(self.lines("ran"))
        worker = child("drive", self.folder, SIM, cwd=self.folder, module="support.pilot_workers")
        with worker as process:
            if killed:
                self.wait_a_while(process)
                process.kill()
                process.wait()
                if takes_the_simulation:
                    self.cut_the_power()
            code, _, errors = finished(process)
        assert code in (0, -signal.SIGKILL), errors
        again = {STEPS.get(name, "") for name in self.lines("ran")[ran:]} & done
        assert not again, f"the commands of completed steps began again: {again}"
        return code

    def completed(self) -> set[str]:
        """Return the steps that are done, as the log has it."""
        return {event.step for event in self.events(SIM) if isinstance(event, StepCompleted)}

    def wait_a_while(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + self.chance.uniform(0, LIFE_S)
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

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
        report = (self.folder / "out" / SIM / "report.md").read_text()
        assert f"after {ROUNDS} rounds" in report
        until(lambda: not processes_in(self.folder), "the end of every process")


@pytest.mark.kills
@pytest.mark.parametrize("takes_the_simulation", [False, True], ids=["the driver", "everything"])
def test_thirty_kills_leave_no_run_unfinished(tmp_path: Path, takes_the_simulation: bool) -> None:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    chance = random.Random(f"{SEED} {takes_the_simulation}")
    kills, number, reports = 0, 0, set[str]()
    while kills < KILLS:
        village = Village(tmp_path / str(number), chance)
        number += 1
        code = -signal.SIGKILL
        while code and kills < KILLS:
            code = village.live(killed=True, takes_the_simulation=takes_the_simulation)
            kills += code == -signal.SIGKILL
        assert code == 0 or village.live(killed=False) == 0
        village.require_whole()
        reports.add((village.folder / "out" / SIM / "report.md").read_text())
    assert len(reports) == 1, (
        "a simulation that goes on comes to what one comes to that was left alone"
    )
