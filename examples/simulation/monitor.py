"""Prints where a simulation is, as JSON. `python monitor.py SIMULATION`."""

from __future__ import annotations

import fcntl
import json
import sys

from files import locked, read_state, settings  # type: ignore[import-not-found]  # it stands beside this


def main(simulation_id: str) -> None:
    """Believe "running" only while some process holds the lock."""
    runs = locked(simulation_id, fcntl.LOCK_SH) is None
    state = read_state(simulation_id)
    if state["status"] in ("idle", "running"):
        state["status"] = "running" if runs else "idle"
    shown = {name: state[name] for name in ("status", "round", "error") if name in state}
    know, people = len(state.get("know", ())), settings(simulation_id)["people"]
    message = f"{know} of {people} know"
    print(json.dumps({**shown, "rounds": settings(simulation_id)["rounds"], "message": message}))


main(sys.argv[1])
