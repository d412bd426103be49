"""resumelog pilot: runs of the autopilot, driven here, or controlled wherever they are driven."""

from __future__ import annotations

from typing import Any

import click

from resumelog.infrastructure.cli import pilot_controls
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.pilot_asking import asked, drive_here, require_no
from resumelog.infrastructure.cli.pilot_options import (
    actor_option,
    file_option,
    of_simulation,
    verbose_option,
)

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


for _control in (
    pilot_controls.pause,
    pilot_controls.stop,
    pilot_controls.reset,
    pilot_controls.status,
    pilot_controls.watch,
):
    pilot.add_command(_control)


@pilot.command()
@of_simulation
@click.argument("mode", type=click.Choice(["auto", "manual"], case_sensitive=False))
@file_option
@actor_option
def config(mode: str, file: str | None, server: str | None, actor: str, **common: Any) -> None:
    """Let SIM run by itself (auto), or step by step (manual), which pauses an active run.

    \b
    Examples:
      resumelog pilot config village auto
      resumelog pilot config village auto --pilot pilot.toml   # unless there is no such simulation
      resumelog pilot config village manual --server http://127.0.0.1:5001
    """
    import resumelog

    if server:
        require_no(file, "--pilot")
        asked("config", server, **common, mode=mode)
        return
    host = resumelog.read_pilot(file) if file else ()
    with resumelog.open(common["url"]) as log:
        log.autopilot(*host).configure(common["simulation"], mode, actor)
    asked("", None, **common)


@pilot.command()
@of_simulation
@file_option
@click.option("--force", is_flag=True, help="Begin at the first step, whoever is at it.")
@verbose_option
@actor_option
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
        require_no(file, "--pilot")
        asked("start", server, **common, force=force)
        return
    drive_here("start", file, verbose, actor, **common, force=force)


@pilot.command()
@of_simulation
@file_option
@verbose_option
@actor_option
def step(file: str | None, server: str | None, verbose: bool, actor: str, **common: Any) -> None:
    """Do the next step of SIM here, which is in manual mode, and pause there.

    \b
    Examples:
      resumelog pilot step village --pilot pilot.toml
    """
    if server:
        raise InputError("a server does no single steps; leave --server out, and name --pilot FILE")
    drive_here("step", file, verbose, actor, **common)


@pilot.command()
@of_simulation
@file_option
@verbose_option
@actor_option
def resume(file: str | None, server: str | None, verbose: bool, actor: str, **common: Any) -> None:
    """Go on with SIM, which is paused: here with --pilot, else where its service is.

    \b
    Examples:
      resumelog pilot resume village --pilot pilot.toml
      resumelog pilot resume village --server http://127.0.0.1:5001
    """
    if file:
        require_no(server, "--server")
        drive_here("resume", file, verbose, actor, **common)
        return
    asked("resume", server, actor, **common)
