"""A rumour goes round a village, round by round. `python simulate.py SIMULATION FROM_ROUND`."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from files import output, read_state, settings, write  # type: ignore[import-not-found]  # it stands beside this


def main(simulation_id: str, from_round: int) -> None:
    """Go on after a round, or begin anew (0), and save each round once it is whole."""
    found = settings(simulation_id)
    people = json.loads(output(simulation_id, "people.json").read_text())
    state = read_state(simulation_id) if from_round else {}
    state = {"rounds": found["rounds"], "round": 0, "know": [0], "history": [1], **state}
    save(simulation_id, {**state, "status": "running"})
    while state["round"] < found["rounds"]:
        print(f"round {state['round'] + 1}", flush=True)
        time.sleep(found["seconds_a_round"])
        state = after_round(state, people, found["seed"])
        is_last = state["round"] == found["rounds"]
        save(simulation_id, {**state, "status": "completed" if is_last else "running"})


def after_round(state: dict[str, Any], people: list[list[int]], seed: int) -> dict[str, Any]:
    """Let everybody who knows tell one friend; chance depends on the round alone."""
    number = state["round"] + 1
    chance = random.Random(f"{seed} {number}")
    know = {*state["know"], *(chance.choice(people[each]) for each in state["know"])}
    history = [*state["history"], len(know)]
    return {**state, "round": number, "know": sorted(know), "history": history}


def save(simulation_id: str, state: dict[str, Any]) -> None:
    """Write the state."""
    write(output(simulation_id, "state.json"), json.dumps(state))


if __name__ == "__main__":
    simulation_id, from_round = sys.argv[1], int(sys.argv[2])
    try:
        main(simulation_id, from_round)
    except Exception as error:
        save(simulation_id, {**read_state(simulation_id), "status": "failed", "error": repr(error)})
        raise
