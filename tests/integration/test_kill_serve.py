"""kill -9 on `resumelog serve` while it drives the simulation of the examples, sixty times, at random moments.

RESUMELOG_TEST_SEED brings back the moments of a failure; they are printed with it.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from threading import Timer

import pytest
from support.cli import PATIENCE_S, Cli
from support.run_story import told_by
from support.served import Served
from support.villages import SIM, Village

from resumelog.domain.autopilot_events import StepCompleted, StepStarted

pytestmark = pytest.mark.kills

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
PARTS = 2
"""So many tests share the kills of each sort, for as many processes to run them."""
KILLS = 15
LIFE_S = 1.5
EARLY = 0.2
"""So many of the kills come at any time from the start of the process, not once it serves."""
LATEST_S = 2.5
ORDER = ["prepare.py", "start.py", "report.py"]
LOOKS = "monitor.py"


class Life:
    """A service from its start to a kill at a random moment, or to the end of its run."""

    def __init__(self, village: Village, process: subprocess.Popen[str]) -> None:
        self._village, self._process = village, process

    def ends_killed(self) -> bool:
        """Start the run over HTTP where nobody has; tell whether the kill was faster than its end."""
        chance = self._village.chance
        is_early = chance.random() < EARLY
        if is_early:
            self._kill_within(LATEST_S)
        with suppress(OSError, HTTPException):  # it is killed while it is asked
            served = self._served()
            if served and not is_early:
                self._kill_within(LIFE_S)
            if served:
                self._drive(served)
        self._process.wait(PATIENCE_S)
        return self._process.returncode == -signal.SIGKILL

    def goes_to_the_end(self) -> None:
        """Let it be."""
        served = self._served()
        assert served
        self._drive(served)
        assert self._process.wait(PATIENCE_S) == 0

    def _kill_within(self, seconds: float) -> None:
        timer = Timer(self._village.chance.uniform(0, seconds), self._process.kill)
        timer.daemon = True
        timer.start()

    def _served(self) -> Served | None:
        assert self._process.stderr
        line = self._process.stderr.readline()
        found = re.search(r"serves (http://\S+)", line)
        assert found or not line, line
        return Served(self._process, found.group(1)) if found else None

    def _drive(self, served: Served) -> None:
        if served.post("status", SIM)["status"] == "inactive":
            served.post("config", SIM, mode="auto")
            served.post("start", SIM)
        while (run := served.post("status", SIM))["status"] != "completed":
            assert run["status"] == "active", run
            self._village.require_one_simulation()
            time.sleep(0.02)
        self._process.terminate()


def live(village: Village, *, killed: bool, takes_the_simulation: bool) -> bool:
    """Serve once; tell whether that was killed, and require that no completed step ran again."""
    done, ran = village.completed(), len(village.lines("ran"))
    serve = ("serve", "--port", 0, "--pilot", village.file)
    with Cli(village.folder).started(*serve) as process:
        life = Life(village, process)
        was_killed = killed and life.ends_killed()
        if not killed:
            life.goes_to_the_end()
        if was_killed and takes_the_simulation:
            village.cut_the_power()
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    village.require_none_again(done, ran)
    return was_killed


def require_one_story(village: Village) -> None:
    """Expect what the log says and what the commands noted to be one, and the log to be sound."""
    village.require_whole()
    events = village.events(SIM)
    assert told_by(events).status == "completed"
    completed = [event.step for event in events if isinstance(event, StepCompleted)]
    assert completed == ["preparing", "starting", "monitoring", "generating_report"]
    ran, tries = village.lines("ran"), Counter(type(event) for event in events)[StepStarted]
    assert [name for name in dict.fromkeys(ran) if name != LOOKS] == ORDER
    assert ran.count("prepare.py") + ran.count("report.py") <= tries
    verified = Cli(village.folder)("verify")
    assert verified.code == 0, verified.out + verified.err


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("takes_the_simulation", [False, True], ids=["the service", "everything"])
def test_fifteen_kills_of_a_service_leave_no_run_unfinished(
    tmp_path: Path, takes_the_simulation: bool, part: int
) -> None:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    chance = random.Random(f"{SEED} {takes_the_simulation} {part}")
    kills, number, reports = 0, 0, set[str]()
    while kills < KILLS:
        village = Village(tmp_path / str(number), chance)
        number, is_done = number + 1, False
        while not is_done and kills < KILLS:
            is_done = not live(village, killed=True, takes_the_simulation=takes_the_simulation)
            kills += not is_done
        if not is_done:
            live(village, killed=False, takes_the_simulation=False)
        require_one_story(village)
        reports.add(village.report())
    assert len(reports) == 1, "a run that was killed comes to what one comes to that was left alone"
