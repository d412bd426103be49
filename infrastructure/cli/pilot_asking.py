"""What the commands of resumelog pilot do: ask a log or a server, or drive a run here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from resumelog.infrastructure.cli.options import InputError, existing

if TYPE_CHECKING:
    from resumelog.infrastructure.cli.pilot_services import Service


@contextmanager
def service(server: str | None, url: str | None, actor: str) -> Iterator[Service]:
    """Reach the runs of a server, or of a log that is there."""
    if server:
        from resumelog.infrastructure.cli.pilot_server import ServerService

        yield ServerService(server)
        return
    from resumelog.infrastructure.cli.pilot_services import LogService

    with existing(url) as log:
        yield LogService(log.autopilot(), actor)


def asked(
    verb: str,
    server: str | None,
    actor: str = "",
    *,
    simulation: str,
    url: str | None,
    wants_json: bool,
    **wanted: object,
) -> None:
    """Do it, if anything, and show how the run stands now."""
    from resumelog.infrastructure.cli.pilot_display import lines
    from resumelog.infrastructure.cli.printing import print_json, print_lines

    with service(server, url, actor) as runs:
        if verb:
            runs.ask(verb, simulation, **wanted)
        facts = runs.status(simulation)
    if wants_json:
        print_json(facts)
    else:
        print_lines(lines(facts))


def drive_here(
    verb: str,
    file: str | None,
    verbose: bool,
    actor: str,
    *,
    simulation: str,
    url: str | None,
    wants_json: bool,
    **wanted: Any,
) -> None:
    """Drive the run in this process until it ends, and exit as it ended."""
    import resumelog
    from resumelog.infrastructure.cli.pilot_display import RunDisplay
    from resumelog.infrastructure.cli.pilot_driving import drive

    if not file:
        raise InputError(f"{verb} drives the run here; name its steps with --pilot pilot.toml")
    host = resumelog.read_pilot(file)
    display = RunDisplay(simulation, verbose=verbose, wants_json=wants_json)
    with resumelog.open(url, must_exist=True) as log:
        runs = log.autopilot(*host)

        def begin() -> None:
            getattr(runs, verb)(simulation, actor=actor, **wanted)

        code = drive(log, runs, simulation, display, begin, is_one_step=verb == "step")
    click.get_current_context().exit(code)


def require_no(given: str | None, option: str) -> None:
    """Refuse an option that makes no sense beside --server, or --pilot."""
    if given:
        raise InputError(f"the run is driven here or by a server; leave {option} or --server out")
