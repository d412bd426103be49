"""kill -9 on the process that drives the simulation of the examples, sixty times, at random moments.

RESUMELOG_TEST_SEED brings back the moments of a failure; they are printed with it.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from support.children import child, finished
from support.villages import SIM, Village

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS = 30
LIFE_S = 2.5


def live(village: Village, *, killed: bool, takes_the_simulation: bool = False) -> int:
    """Drive it once, perhaps to a kill of the driver, or of all that runs; return the exit code."""
    done, ran = village.completed(), len(village.lines("ran"))
    worker = child("drive", village.folder, SIM, cwd=village.folder, module="support.pilot_workers")
    with worker as process:
        if killed:
            village.wait_a_while(process, LIFE_S)
            process.kill()
            process.wait()
            if takes_the_simulation:
                village.cut_the_power()
        code, _, errors = finished(process)
    assert code in (0, -signal.SIGKILL), errors
    village.require_none_again(done, ran)
    return code


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
            code = live(village, killed=True, takes_the_simulation=takes_the_simulation)
            kills += code == -signal.SIGKILL
        assert code == 0 or live(village, killed=False) == 0
        village.require_whole()
        reports.add(village.report())
    assert len(reports) == 1, (
        "a simulation that goes on comes to what one comes to that was left alone"
    )
