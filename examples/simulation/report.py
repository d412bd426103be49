"""Writes what a simulation came to. `python report.py SIMULATION`."""

from __future__ import annotations

import sys

from files import output, read_state, settings, write  # type: ignore[import-not-found]  # it stands beside this

BAR_CHARS = 40


def main(simulation_id: str) -> None:
    """Write report.md."""
    state, people = read_state(simulation_id), settings(simulation_id)["people"]
    print("progress 50 drawing the rounds")
    lines = [
        f"{number:>4}  {'█' * round(BAR_CHARS * know / people):<{BAR_CHARS}}  {know}"
        for number, know in enumerate(state["history"])
    ]
    reached = f"{state['history'][-1]} of {people} know after {state['round']} rounds."
    head = f"# {simulation_id}\n\n{reached}\n\n"
    write(
        output(simulation_id, "report.md"), head + "\n".join(f"    {line}" for line in lines) + "\n"
    )


main(sys.argv[1])
