"""Where a simulation keeps its files, and how they are written: whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def settings(simulation_id: str) -> dict[str, Any]:
    """Return what a simulation is to be: people, rounds, seconds_a_round and seed."""
    path = HERE / "simulations" / simulation_id / "settings.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def output(simulation_id: str, name: str) -> Path:
    """Return the path of a file that the simulation makes."""
    folder = HERE / "out" / simulation_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def read_state(simulation_id: str) -> dict[str, Any]:
    """Return where the simulation is, as of its last whole round."""
    path = output(simulation_id, "state.json")
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {"status": "idle", "round": 0, **state}


def write(path: Path, text: str) -> None:
    """Write a file beside its place and move it there: a kill leaves the old one or the new one."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with partial.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def locked(simulation_id: str, kind: int) -> int | None:
    """Lock the simulation and return the open lock; None while another process has it.

    Whoever inherits it holds it too, and the system lets it go when the last of them ends.
    """
    lock = os.open(output(simulation_id, "lock"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
