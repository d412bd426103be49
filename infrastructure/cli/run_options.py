"""Options of commands that run scenes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from resumelog.infrastructure.cli.options import SECONDS, Command, InputError, complete_scene

MORE_THAN_NO_TIME = "give more than 0 seconds"


class _CommandLine(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A command in one argument, split as a shell would, and run by none."""

    name = "command"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            parts = shlex.split(value)
        except ValueError as error:
            self.fail(f"{value!r} can't be split: {error}.", param, ctx)
        return (*parts,) or self.fail("it is empty; name a command.", param, ctx)


class _Params(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A JSON object, or the file of one."""

    name = "params"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        try:
            is_json = value.lstrip().startswith("{")
            params = json.loads(value if is_json else Path(value).read_text("utf-8"))
        except (OSError, ValueError) as error:
            self.fail(
                f"{value!r} is neither a JSON object nor the file of one: {error}", param, ctx
            )
        if not isinstance(params, dict):
            self.fail(f"{value!r} holds no JSON object; write {{…}}.", param, ctx)
        return params


_OPTIONS = (
    click.option(
        "--after",
        metavar="STAGE",
        help="Take each scene's result in STAGE: as {before}, on standard input; its file as"
        " {before_file}. A scene that is not done there waits.",
    ),
    click.option(
        "--params",
        type=_Params(),
        metavar="JSON|FILE",
        help="A JSON object that is part of every scene's input, e.g. the style; {field} of it is"
        " filled in too.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1),
        default=1,
        metavar="N",
        show_default=True,
        help="How many scenes are made at once.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0),
        metavar="N",
        help="Try a scene that failed so often again, in this run. Default: twice where the command"
        " asks for it by exit code 75 or a line retry-after SECONDS on standard error.",
    ),
    click.option(
        "--backoff",
        "backoff_s",
        type=SECONDS,
        metavar="SECONDS",
        default=5.0,
        show_default=True,
        help="How long the first retry waits; each one after that twice as long.",
    ),
    click.option(
        "--timeout",
        "timeout_s",
        type=SECONDS,
        metavar="SECONDS",
        help="End a command that takes longer, with all that it started; its scene has failed.",
    ),
    click.option(
        "--check",
        type=_CommandLine(),
        metavar="COMMAND",
        help="A command that reads the result; where it exits with anything but 0, what it printed"
        " is why the scene has failed. Filled in as COMMAND is, without a shell.",
    ),
    click.option(
        "--stop-after-failures",
        type=click.IntRange(1),
        metavar="N",
        help="Begin no more once so many scenes have failed.",
    ),
)


def recipe_options(command: Command) -> Command:
    """Add what is recorded with a run, so that it can be done again."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def only(command: Command) -> Command:
    """Add --only."""
    return click.option(
        "--only",
        multiple=True,
        metavar="ID",
        shell_complete=complete_scene,
        help="Make only this scene, or these: ID,ID. May be repeated.",
    )(command)


def require_time(timeout_s: float | None) -> None:
    """Refuse a time in which nothing can be done."""
    if timeout_s == 0:
        raise InputError(f"--timeout 0 ends everything at once; {MORE_THAN_NO_TIME}")
