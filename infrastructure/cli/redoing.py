"""resumelog retry and regenerate: scenes made again, with what the log holds of their last run."""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from resumelog.infrastructure.cli.controlling import actor, reason
from resumelog.infrastructure.cli.options import (
    Command,
    InputError,
    as_json,
    complete_batch,
    complete_scene,
    database,
    existing,
)
from resumelog.infrastructure.cli.printing import print_json, print_lines

if TYPE_CHECKING:
    from resumelog.domain.scene_batch import SceneBatch
    from resumelog.infrastructure.bootstrap import ResumeLog
    from resumelog.infrastructure.cli.scene_runs import Selection


def batch_and_scenes(command: Command) -> Command:
    """Add the arguments that both commands have."""
    scenes = click.argument("scenes", nargs=-1, metavar="[SCENE]...", shell_complete=complete_scene)
    job = click.argument("job", metavar="PROJECT/STAGE", shell_complete=complete_batch)
    return job(scenes(command))


def workers(command: Command) -> Command:
    """Add --workers."""
    return click.option(
        "--workers", type=click.IntRange(1), metavar="N", help="How many at once, if not as then."
    )(command)


@click.command()
@batch_and_scenes
@workers
@click.option("-v", "--verbose", is_flag=True, help="Show each event as it is recorded.")
@as_json
@database
@click.pass_context
def retry(
    ctx: click.Context,
    job: str,
    scenes: tuple[str, ...],
    workers: int | None,
    verbose: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """Make the scenes again that failed, or those of them that are named, as they were run last.

    The command line, the options, the folder and the scenes are those that `resumelog run` has
    recorded; the environment is the one of now. Scenes of more than 4 MiB are read from INPUT
    again; those that came by standard input are not there any more.

    \b
    Examples:
      resumelog retry reel/image
      resumelog retry reel/image s3 s7 --workers 2

    \b
    Exit codes: those of resumelog run.
    """
    from resumelog.infrastructure.cli.scene_runs import Selection

    how = {"verbose": verbose, "wants_json": wants_json}
    ctx.exit(
        _run_again(url, job, Selection(scenes, retry_failed=True, command="retry"), workers, how)
    )


@click.command()
@batch_and_scenes
@click.option("--all", "all_of_them", is_flag=True, help="All scenes of the batch.")
@click.option("--run", "runs", is_flag=True, help="Make them at once, as they were run last.")
@workers
@reason
@actor
@as_json
@database
@click.pass_context
def regenerate(
    ctx: click.Context,
    job: str,
    scenes: tuple[str, ...],
    all_of_them: bool,
    runs: bool,
    workers: int | None,
    reason: str,
    actor: str,
    wants_json: bool,
    url: str | None,
) -> None:
    """Let scenes that are done be made again, and what later stages took from them.

    The next run of each of these batches makes them; --run does that for this one.

    \b
    Examples:
      resumelog regenerate reel/storyboard s3 s7 --reason 'another ending'
      resumelog regenerate reel/storyboard --all --run
    """
    from resumelog.application.later_stages import known_keys
    from resumelog.infrastructure.cli.scene_runs import Selection

    if bool(scenes) == all_of_them:
        raise InputError(f"name the scenes or say --all{', not both' if scenes else ''}")
    with existing(url) as log:
        batch = _batch(log, job)
        planned = known_keys(log.log, batch)
        keys = _named(log, batch, scenes, planned) if scenes else [*planned]
        project, stage = batch.natural_key
        new = log.scenes.regenerate(project, stage, keys, reason, actor)
    marked = {each: _count(events) for each, events in new.items()}
    lines = [f"{project}/{each}: {_many(count)}" for each, count in marked.items()]
    if runs:
        for line in lines:
            click.echo(line, err=True)
        how = {"verbose": False, "wants_json": wants_json}
        ctx.exit(_run_again(url, job, Selection((*keys,), command="regenerate"), workers, how))
    if wants_json:
        print_json({"job": job, "marked": marked})
    else:
        print_lines(lines)


def _run_again(
    url: str | None, job: str, selection: Selection, workers: int | None, how: dict[str, bool]
) -> int:
    """Run a batch as it was run last. Raises InputError where the log does not hold that."""
    import resumelog
    from resumelog.infrastructure.cli.recipe import recorded_recipe
    from resumelog.infrastructure.cli.scene_runs import SceneRuns

    with existing(url) as log:
        batch = _batch(log, job)
        recipe, scenes = recorded_recipe(log.log, batch)
    project, stage = batch.natural_key
    runs = SceneRuns((project, stage), recipe, scenes, selection)
    if runs.plan.sha256 != batch.plan_sha256:
        why = f"{recipe.source} holds other scenes than it did"
        raise InputError(f"{job}: {why}; run the same command with --retry-failed")
    with resumelog.open(url, must_exist=True, root=recipe.folder) as log:
        return runs.run(log, runs.display(**how), workers)


def _batch(log: ResumeLog, name: str) -> SceneBatch:
    from resumelog.domain.scene_batch import SceneBatch

    state = log.queries.find(name)
    if not isinstance(state, SceneBatch):
        raise InputError(f"{state.title} has no scenes; name PROJECT/STAGE")
    return state


def _named(
    log: ResumeLog, batch: SceneBatch, names: tuple[str, ...], planned: Container[str]
) -> list[str]:
    """Return the keys of scenes that are named as for `retry`, if the log knows how they were run."""
    from resumelog.infrastructure.cli.recipe import recorded_recipe
    from resumelog.infrastructure.cli.scene_runs import SceneRuns, Selection

    if all(name in planned for name in names):
        return [*names]
    project, stage = batch.natural_key
    with suppress(InputError):
        recipe, scenes = recorded_recipe(log.log, batch)
        runs = SceneRuns((project, stage), recipe, scenes, Selection(names))
        return runs.only or []
    return [*names]


def _count(events: Any) -> int:
    return sum(type(event).__name__ == "SceneInvalidated" for event in events)


def _many(count: int) -> str:
    return f"{count} {'scene is' if count == 1 else 'scenes are'} to be made again"
