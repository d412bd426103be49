"""resumelog pilot pause, stop, reset, status, watch: runs that are driven here or elsewhere."""

from __future__ import annotations

from typing import Any

import click

from resumelog.infrastructure.cli.options import SECONDS, InputError
from resumelog.infrastructure.cli.pilot_asking import asked, service
from resumelog.infrastructure.cli.pilot_options import actor_option, of_simulation


@click.command()
@of_simulation
@click.option("--reason", default="", help="Why, for the log.")
@actor_option
def pause(server: str | None, reason: str, actor: str, **common: Any) -> None:
    """Let the worker of SIM leave at its step's next safe point.

    \b
    Examples:
      resumelog pilot pause village --reason 'the GPU is needed'
      resumelog pilot pause village --server http://127.0.0.1:5001
    """
    if server and reason:
        raise InputError("a server takes no reason; leave --reason out")
    wanted: dict[str, Any] = {} if server else {"reason": reason}
    asked("pause", server, actor, **common, **wanted)


@click.command()
@of_simulation
@actor_option
def stop(server: str | None, actor: str, **common: Any) -> None:
    """Give SIM up for now: what is completed stays completed, and start goes on.

    \b
    Examples:
      resumelog pilot stop village
      resumelog pilot stop village --server http://127.0.0.1:5001
    """
    asked("stop", server, actor, **common)


@click.command()
@of_simulation
@actor_option
def reset(server: str | None, actor: str, **common: Any) -> None:
    """Forget all of SIM but its mode.

    \b
    Examples:
      resumelog pilot reset village
      resumelog pilot reset village --server http://127.0.0.1:5001
    """
    asked("reset", server, actor, **common)


@click.command()
@of_simulation
def status(server: str | None, **common: Any) -> None:
    """Show how SIM stands.

    \b
    Examples:
      resumelog pilot status village
      resumelog pilot status village --json --server http://127.0.0.1:5001
    """
    asked("", server, **common)


@click.command()
@of_simulation
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

    with service(server, url, "") as runs:
        require_configured(runs.status(simulation))
        display = RunDisplay(simulation, verbose=False, wants_json=wants_json)
        ctx.exit(watched(lambda: runs.status(simulation), display, every_s))
