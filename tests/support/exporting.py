"""`resumelog export` with small exporters in shell: each notes in the file `made` what it made."""

from __future__ import annotations

from collections.abc import Sequence

from support.cli import Cli, Ran

from resumelog.domain.errors import ResumelogError
from resumelog.domain.export_events import Failed, Interrupted, ProgressSaved, Restarted
from resumelog.domain.export_job import Report
from resumelog.infrastructure import processes

KEY = "reel.txt"
UNITS = 20
COUNTS = (
    f"for i in $(seq $RESUMELOG_UNITS_DONE {UNITS - 1}); do"
    " echo $i >> made; echo units $((i + 1)); done"
)
"""Makes what is left of 20 units."""
STOPS_AT_7 = COUNTS.replace("echo $i >>", "[ $i != 7 ] || [ -e go ] || exit 9; echo $i >>")
WAITS_AT_7 = COUNTS.replace(
    "echo $i >>",
    "[ $i != 7 ] || { echo $$ >> pids; until [ -e go ]; do sleep 0.02; done; }; echo $i >>",
)
TELLS = "env | grep ^RESUMELOG_"
WRITES = 'echo whole > "$1"'
INTO_OUTPUT = "{output}"
"""As an option of `exported`: the script's $1."""
COUNTED = ("--total", UNITS)


def arguments(script: str, *options: object, key: str = KEY) -> list[object]:
    """Return the arguments that run a script; its $1 is {output}, if that is an option's word."""
    filled = [INTO_OUTPUT] if INTO_OUTPUT in options else []
    rest = [each for each in options if each != INTO_OUTPUT]
    return ["export", key, *rest, "--", "sh", "-c", script, "sh", *filled]


def exported(cli: Cli, script: str, *options: object, key: str = KEY) -> Ran:
    """Run a script as an exporter to its end."""
    return cli(*arguments(script, *options, key=key))


def says(*lines: str) -> str:
    """Return a script that prints these lines."""
    return "\n".join(["cat <<'END'", *lines, "END"])


def reports(cli: Cli, key: str = KEY) -> list[Report]:
    """Return every report on record."""
    events = [event for event in cli.events(key) if isinstance(event, ProgressSaved)]
    return [
        Report(event.progress, event.units_done, event.units_total, event.cursor)
        for event in events
    ]


def recorded(cli: Cli, key: str = KEY) -> int | float:
    """Return how many units are on record, or else the fraction; 0 before there is a job."""
    try:
        last = reports(cli, key)[-1]
    except (ResumelogError, IndexError):
        return 0
    return last.progress if last.units_done is None else last.units_done


def whys(cli: Cli, key: str = KEY) -> list[str]:
    """Return why attempts ended, and why the job began again."""
    told = []
    for event in cli.events(key):
        if isinstance(event, Interrupted):
            told.append(event.cause)
        elif isinstance(event, Failed):
            told.append(event.error)
        elif isinstance(event, Restarted):
            told.append(event.reason)
    return told


def numbers(units: Sequence[int] | range) -> list[str]:
    """Return unit numbers as exporters note them."""
    return [str(unit) for unit in units]


def environment(ran: Ran) -> dict[str, str]:
    """Return what TELLS printed, without the prefix."""
    pairs = (line.partition("=") for line in ran.out.splitlines())
    return {name.removeprefix("RESUMELOG_"): value for name, _, value in pairs}


def running(cli: Cli) -> list[int]:
    """Return the process groups that were noted in `pids` and of which something still runs."""
    return [pid for pid in map(int, cli.lines("pids")) if processes._has_members(pid)]
