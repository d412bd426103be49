"""Processes that drive runs, for tests to kill: `python -m support.pilot_workers drive FOLDER SIM`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import resumelog
from resumelog import read_pilot
from resumelog.domain.autopilot_run import RunStatus

RECOVER_EVERY_S = 0.1
OVER = (RunStatus.COMPLETED, RunStatus.FAILED)


def drive(folder: str, simulation_id: str) -> int:
    """Do as a service does: begin the run where nobody has, and go on with it until it is over."""
    with resumelog.open(Path(folder, "resumelog.db")) as log:
        pilot = log.autopilot(*read_pilot(Path(folder, "pilot.toml")))
        if not pilot.status(simulation_id).is_configured:
            pilot.configure(simulation_id, "auto")
        if pilot.status(simulation_id).status is RunStatus.INACTIVE:
            pilot.start(simulation_id)
        pilot.keep_recovering(RECOVER_EVERY_S)
        while (run := pilot.status(simulation_id)).status not in OVER:
            time.sleep(RECOVER_EVERY_S)
    return int(run.status is not RunStatus.COMPLETED)


if __name__ == "__main__":
    sys.exit({"drive": drive}[sys.argv[1]](*sys.argv[2:]))
