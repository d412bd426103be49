"""Makes up the people of a simulation: who knows whom. `python prepare.py SIMULATION`."""

from __future__ import annotations

import json
import random
import sys

from files import output, settings, write  # type: ignore[import-not-found]  # it stands beside this

FRIENDS = 4


def main(simulation_id: str) -> None:
    """Write people.json."""
    found = settings(simulation_id)
    count, chance = found["people"], random.Random(found["seed"])
    people = []
    for person in range(count):
        people.append(chance.sample([each for each in range(count) if each != person], FRIENDS))
        print(f"progress {100 * (person + 1) / count:.0f} person {person + 1} of {count}")
    write(output(simulation_id, "people.json"), json.dumps(people))


main(sys.argv[1])
