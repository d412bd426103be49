"""The options that the commands of resumelog pilot share."""

from __future__ import annotations

import click

from resumelog.infrastructure.cli.options import (
    FILE_NAME,
    Command,
    as_json,
    complete_run,
    database,
    this_user,
)


def of_simulation(command: Command) -> Command:
    """Add SIM, where to find it, and --json."""
    command = as_json(database(command))
    command = click.option(
        "--server",
        metavar="URL",
        help="Ask a server instead of the log; its token comes from RESUMELOG_TOKEN.",
    )(command)
    return click.argument("simulation", metavar="SIM", shell_complete=complete_run)(command)


def actor_option(command: Command) -> Command:
    """Add --actor."""
    return click.option(
        "--actor", default=this_user, show_default="the user", help="Who asks, for the log."
    )(command)


file_option = click.option(
    "--pilot",
    "file",
    metavar="FILE",
    type=FILE_NAME,
    help="The pilot.toml that tells the steps: the run is driven here.",
)
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Show each event as it is recorded."
)
