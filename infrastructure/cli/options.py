"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from resumelog.infrastructure.bootstrap import ResumeLog

COMPLETED_MAX = 1000

Command = TypeVar("Command", bound=Callable[..., Any])


class InputError(click.UsageError):
    """What was handed in can't be used; told in one line, exit code 2."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the one line."""
        click.echo(f"resumelog: {self.format_message()}", err=True, file=file)


def database(command: Command) -> Command:
    """Add --db."""
    return click.option(
        "--db",
        "url",
        metavar="URL",
        type=click.Path(),
        envvar="RESUMELOG_URL",
        show_envvar=True,
        help="The log: a path or sqlite:///PATH. Default: resumelog.db in the current folder.",
    )(command)


def as_json(command: Command) -> Command:
    """Add --json."""
    return click.option(
        "--json", "wants_json", is_flag=True, help="Print one JSON document on standard output."
    )(command)


def existing(url: str | None) -> ResumeLog:
    """Open a log that must be there: reading makes none."""
    import resumelog

    return resumelog.open(url, must_exist=True)


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete file names."""
    del ctx, param
    return [CompletionItem(incomplete, type="file")]


def complete_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the names of the jobs that changed last for shell completion."""
    del param
    try:
        with existing(ctx.params.get("url")) as log:
            names = [view.name for view in log.queries.jobs(limit=COMPLETED_MAX)]
    except Exception:  # noqa: BLE001 - a completion that fails offers nothing
        return []
    return [name for name in names if name.startswith(incomplete)]
