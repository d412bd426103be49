"""Options that several commands share."""

from __future__ import annotations

import math
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


class _Seconds(click.FloatRange):
    """A finite number of seconds, at least 0."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


SECONDS = _Seconds(0)


class _FileName(click.Path):
    """A path that names something: an empty variable in a script must not mean the default."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty; name a file, or leave the option out.", param, ctx)
        return super().convert(value, param, ctx)


FILE_NAME = _FileName()


def database(command: Command) -> Command:
    """Add --db."""
    return click.option(
        "--db",
        "url",
        metavar="URL",
        type=click.Path(),
        envvar="RESUMELOG_URL",
        show_envvar=True,
        help="The log: a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE?schema=NAME."
        " Default: resumelog.db in the current folder.",
    )(command)


def as_json(command: Command) -> Command:
    """Add --json."""
    return click.option(
        "--json",
        "wants_json",
        is_flag=True,
        help="Print one JSON document on standard output, of an error too.",
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
    return _names(ctx, incomplete, ())


def complete_export(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer those of exports."""
    del param
    return _names(ctx, incomplete, ("ExportJob",))


def complete_batch(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer those of batches."""
    del param
    return _names(ctx, incomplete, ("SceneBatch",))


def complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the simulations that have runs."""
    del param
    return _names(ctx, incomplete, ("AutoPilotRun",))


def complete_controlled(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer those of batches and exports."""
    del param
    return _names(ctx, incomplete, ("SceneBatch", "ExportJob"))


def complete_project(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the projects that have batches."""
    names = complete_batch(ctx, param, "")
    projects = dict.fromkeys(name.rpartition("/")[0] for name in names)
    return [name for name in projects if name.startswith(incomplete)]


def complete_stage(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the stages of the project, or of all where none is named yet."""
    project = ctx.params.get("project")
    names = complete_batch(ctx, param, f"{project}/" if project else "")
    stages = dict.fromkeys(name.rpartition("/")[2] for name in names)
    return [name for name in stages if name.startswith(incomplete)]


def complete_scene(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the scenes of the batch that is named, as its log has them."""
    del param
    named = (ctx.params.get("project"), ctx.params.get("stage"))
    job = ctx.params.get("job") or "/".join(filter(None, named))
    try:
        from resumelog.application.later_stages import planned_keys

        with existing(ctx.params.get("url")) as log:
            state = log.queries.find(job)
            keys = planned_keys(log.log, state) if state.kind == "SceneBatch" else []  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a completion that fails offers nothing
        return []
    return [key for key in keys if key.startswith(incomplete)][:COMPLETED_MAX]


def this_user() -> str:
    """Return who asks; empty where the system has no name for them."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _names(ctx: click.Context, incomplete: str, kinds: tuple[str, ...]) -> list[str]:
    try:
        with existing(ctx.params.get("url")) as log:
            names = [view.name for view in log.queries.jobs(kinds=kinds, limit=COMPLETED_MAX)]
    except Exception:  # noqa: BLE001 - a completion that fails offers nothing
        return []
    return [name for name in names if name.startswith(incomplete)]
