"""resumelog pilot: runs of the autopilot, driven here, or controlled wherever they are driven."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from resumelog.infrastructure.cli.options import (
    FILE_NAME,
    SECONDS,
    Command,
    InputError,
    as_json,
    complete_run,
    database,
    existing,
    this_user,
)

if TYPE_CHECKING:
    from resumelog.infrastructure.cli.pilot_services import Service

EPILOG = """\b
Examples:
  resumelog pilot config village auto
  resumelog pilot start village --pilot pilot.toml
  resumelog pilot watch village --server http://127.0.0.1:5001

\b
Exit codes: 0 done; 1 the run or its step failed, or it could not be done; 2 wrong usage or
input, or refused; 3 interrupted, paused or stopped.
"""


@click.group(epilog=EPILOG)
def pilot() -> None:
    """Drive simulations through their steps, or control whoever does."""


def _simulation(command: Command) -> Command:
    """Add SIM, where to find it, and --json."""
    command = as_json(database(command))
    command = click.option(
        "--server",
        metavar="URL",
        help="Ask a server instead of the log; its token comes from RESUMELOG_TOKEN.",
    )(command)
    return click.argument("simulation", metavar="SIM", shell_complete=complete_run)(command)


def _actor(command: Command) -> Command:
    return click.option(
        "--actor", default=this_user, show_default="the user", help="Who asks, for the log."
    )(command)


_file = click.option(
    "--pilot",
    "file",
    metavar="FILE",
    type=FILE_NAME,
    help="The pilot.toml that tells the steps: the run is driven here.",
)
_verbose = click.option("-v", "--verbose", is_flag=True, help="Show each event as it is recorded.")


@pilot.command()
@_simulation
@click.argument("mode", type=click.Choice(["auto", "manual"], case_sensitive=False))
@_file
@_actor
def config(mode: str, file: str | None, server: str | None, actor: str, **common: Any) -> None:
    """Let SIM run by itself (auto), or step by step (manual), which pauses an active run.

    \b
    Examples:
      resumelog pilot config village auto
      resumelog pilot config village auto --pilot pilot.toml   # unless there is no such simulation
    """
    import resumelog

    if server:
        _require_log(file, "--pilot")
        _asked("config", server, **common, mode=mode)
        return
    host = resumelog.read_pilot(file) if file else ()
    with resumelog.open(common["url"]) as log:
        log.autopilot(*host).configure(common["simulation"], mode, actor)
    _asked("", None, **common)


@pilot.command()
@_simulation
@_file
@click.option("--force", is_flag=True, help="Begin at the first step, whoever is at it.")
@_verbose
@_actor
def start(
    file: str | None, force: bool, server: str | None, verbose: bool, actor: str, **common: Any
) -> None:
    """Drive SIM here after its last completed step, or let a server do that.

    Ctrl+C hands the run back as it is; the same command goes on.

    \b
    Examples:
      resumelog pilot start village --pilot pilot.toml
      resumelog pilot start village --force --server http://127.0.0.1:5001
    """
    if server:
        _require_log(file, "--pilot")
        _asked("start", server, **common, force=force)
        return
    _drive("start", file, verbose, actor, **common, force=force)


@pilot.command()
@_simulation
@_file
@_verbose
@_actor
def step(file: str | None, server: str | None, verbose: bool, actor: str, **common: Any) -> None:
    """Do the next step of SIM here, which is in manual mode, and pause there.

    \b
    Examples:
      resumelog pilot step village --pilot pilot.toml
    """
    if server:
        raise InputError("a server does no single steps; leave --server out, and name --pilot FILE")
    _drive("step", file, verbose, actor, **common)


@pilot.command()
@_simulation
@_file
@_verbose
@_actor
def resume(file: str | None, server: str | None, verbose: bool, actor: str, **common: Any) -> None:
    """Go on with SIM, which is paused: here with --pilot, else where its service is.

    \b
    Examples:
      resumelog pilot resume village --pilot pilot.toml
      resumelog pilot resume village --server http://127.0.0.1:5001
    """
    if file:
        _require_log(server, "--server")
        _drive("resume", file, verbose, actor, **common)
        return
    _asked("resume", server, actor, **common)


@pilot.command()
@_simulation
@click.option("--reason", default="", help="Why, for the log.")
@_actor
def pause(server: str | None, reason: str, actor: str, **common: Any) -> None:
    """Let the worker of SIM leave at its step's next safe point.

    \b
    Examples:
      resumelog pilot pause village --reason 'the GPU is needed'
    """
    if server and reason:
        raise InputError("a server takes no reason; leave --reason out")
    wanted: dict[str, Any] = {} if server else {"reason": reason}
    _asked("pause", server, actor, **common, **wanted)


@pilot.command()
@_simulation
@_actor
def stop(server: str | None, actor: str, **common: Any) -> None:
    """Give SIM up for now: what is completed stays completed, and start goes on.

    \b
    Examples:
      resumelog pilot stop village
    """
    _asked("stop", server, actor, **common)


@pilot.command()
@_simulation
@_actor
def reset(server: str | None, actor: str, **common: Any) -> None:
    """Forget all of SIM but its mode.

    \b
    Examples:
      resumelog pilot reset village
    """
    _asked("reset", server, actor, **common)


@pilot.command()
@_simulation
def status(server: str | None, **common: Any) -> None:
    """Show how SIM stands.

    \b
    Examples:
      resumelog pilot status village
      resumelog pilot status village --json --server http://127.0.0.1:5001
    """
    _asked("", server, **common)


@pilot.command()
@_simulation
@click.option(
    "--every", "every_s", type=SECONDS, default=1.0, show_default=True, help="Look so often."
)
@click.pass_context
def watch(
    ctx: click.Context,
    server: str | None,
    simulation: str,
    url: str | None,
    wants_json: bool,
    every_s: float,
) -> None:
    """Show how SIM goes on until it is completed or failed; it is driven elsewhere.

    \b
    Examples:
      resumelog pilot watch village
      resumelog pilot watch village --server http://127.0.0.1:5001 --every 5
    """
    from resumelog.infrastructure.cli.pilot_display import RunDisplay
    from resumelog.infrastructure.cli.pilot_driving import watch as watched
    from resumelog.infrastructure.cli.pilot_services import require_configured

    with _service(server, url, "") as service:
        require_configured(service.status(simulation))
        display = RunDisplay(simulation, verbose=False, wants_json=wants_json)
        ctx.exit(watched(lambda: service.status(simulation), display, every_s))


@contextmanager
def _service(server: str | None, url: str | None, actor: str) -> Iterator[Service]:
    if server:
        from resumelog.infrastructure.cli.pilot_server import ServerService

        yield ServerService(server)
        return
    from resumelog.infrastructure.cli.pilot_services import LogService

    with existing(url) as log:
        yield LogService(log.autopilot(), actor)


def _asked(
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

    with _service(server, url, actor) as service:
        if verb:
            service.ask(verb, simulation, **wanted)
        facts = service.status(simulation)
    if wants_json:
        print_json(facts)
    else:
        print_lines(lines(facts))


def _drive(
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


def _require_log(given: str | None, option: str) -> None:
    if given:
        raise InputError(f"the run is driven here or by a server; leave {option} or --server out")
