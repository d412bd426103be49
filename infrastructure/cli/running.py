"""resumelog run: a command for each scene, each saved the moment it ends."""

from __future__ import annotations

from typing import Any

import click

from resumelog.infrastructure.cli.options import (
    FILE_NAME,
    InputError,
    as_json,
    complete_file,
    complete_project,
    complete_stage,
    database,
)
from resumelog.infrastructure.cli.run_help import HELP
from resumelog.infrastructure.cli.run_options import only, recipe_options, require_time


@click.command(help=HELP)
@click.argument("source", metavar="INPUT", type=click.Path(allow_dash=True))
@click.argument(
    "command", nargs=-1, required=True, metavar="-- COMMAND...", shell_complete=complete_file
)
@click.option(
    "--project",
    required=True,
    shell_complete=complete_project,
    help="The project that the scenes belong to.",
)
@click.option(
    "--stage",
    required=True,
    shell_complete=complete_stage,
    help="The stage, e.g. storyboard, image, video.",
)
@click.option(
    "--artifact",
    metavar="PATH",
    type=FILE_NAME,
    help="The file that COMMAND writes for a scene.",
)
@recipe_options
@click.option("--retry-failed", is_flag=True, help="Do only the scenes whose last attempt failed.")
@only
@click.option(
    "--regenerate",
    is_flag=True,
    help="Make scenes again that are done, all or those of --only; later stages that took from"
    " them are to be made again too.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["auto", "jsonl", "json", "csv", "lines"]),
    default="auto",
    help="What INPUT is; auto goes by its name and first character.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show each event as it is recorded.")
@as_json
@database
@click.pass_context
def run(
    ctx: click.Context,
    /,
    source: str,
    command: tuple[str, ...],
    project: str,
    stage: str,
    retry_failed: bool,
    only: tuple[str, ...],
    regenerate: bool,
    format_name: str,
    verbose: bool,
    wants_json: bool,
    url: str | None,
    check: tuple[str, ...] | None,
    params: dict[str, Any] | None,
    **options: Any,
) -> None:
    """Run a command for each scene; see HELP."""
    from pathlib import Path

    import resumelog
    from resumelog.domain.scene_batch import SceneBatch
    from resumelog.infrastructure.cli.inputs import read_scenes
    from resumelog.infrastructure.cli.options import this_user
    from resumelog.infrastructure.cli.recipe import Recipe
    from resumelog.infrastructure.cli.scene_runs import SceneRuns, Selection

    require_time(options["timeout_s"])
    for each in (stage, options["after"]):
        if each is not None:
            SceneBatch.named(project, each)  # a bad name is refused before a log is made
    if options["after"] == stage:
        raise InputError(f"--after {stage} is the stage itself; name one that is made before it")
    recipe = Recipe(
        command,
        source if source == "-" else str(Path(source).absolute()),
        format_name,
        check=check or (),
        params=params or {},
        **options,
    )
    selection = Selection(only, retry_failed, regenerate, this_user() if regenerate else "")
    runs = SceneRuns((project, stage), recipe, read_scenes(source, format_name), selection)
    display = runs.display(verbose=verbose, wants_json=wants_json)
    with resumelog.open(url) as log:
        ctx.exit(runs.run(log, display))
