"""Starts a simulation by itself, unless it runs. `python start.py SIMULATION FROM_ROUND`."""

from __future__ import annotations

import fcntl
import subprocess
import sys

from files import HERE, locked, output  # type: ignore[import-not-found]  # it stands beside this


def main(simulation_id: str, from_round: str) -> None:
    """Hand the lock on to the simulation: it counts as running from here on."""
    lock = locked(simulation_id, fcntl.LOCK_EX)
    if lock is None:
        print("it runs already")
        return
    with output(simulation_id, "simulate.log").open("ab") as told:
        subprocess.Popen(
            [sys.executable, HERE / "simulate.py", simulation_id, from_round],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            pass_fds=(lock,),
            start_new_session=True,  # what stays in our process group would be ended with us
        )


main(*sys.argv[1:3])
