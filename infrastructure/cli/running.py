"""resumelog run: a command for each scene, each saved the moment it ends."""

from __future__ import annotations

import click

from resumelog.infrastructure.cli.options import FILE_NAME, as_json, complete_file, database


@click.command()
@click.argument("source", metavar="INPUT", type=click.Path(allow_dash=True))
@click.argument(
    "command", nargs=-1, required=True, metavar="-- COMMAND...", shell_complete=complete_file
)
@click.option("--project", required=True, help="The project that the scenes belong to.")
@click.option("--stage", required=True, help="The stage, e.g. storyboard, image, video.")
@click.option(
    "--artifact",
    metavar="PATH",
    type=FILE_NAME,
    help="The file that COMMAND writes for a scene.",
)
@click.option("--retry-failed", is_flag=True, help="Do only the scenes whose last attempt failed.")
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
    source: str,
    command: tuple[str, ...],
    project: str,
    stage: str,
    artifact: str | None,
    retry_failed: bool,
    format_name: str,
    verbose: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """Run COMMAND for each scene of INPUT; the same command line goes on after any interruption.

    INPUT is JSON lines, a JSON array, CSV with a header, or plain lines; - is standard input.
    {field}, {key}, {index} (from 0) and {line} are filled in without a shell; {{word}} stays
    {word}. With --artifact the command writes to {artifact}, a temporary path that is moved into
    place when it succeeds. What it prints is the scene's result.

    What is done is skipped, what failed is done again. A scene whose input, command or file
    changed is made again. Ctrl+C lets the running scene finish, a second one, SIGTERM or
    SIGHUP ends it. With --retry-failed, scenes that were never tried remain.

    \b
    Examples:
      resumelog run shots.csv --project reel --stage image \\
          --artifact 'img/{id}.png' -- draw --text '{title}' --out '{artifact}'
      ls *.wav | resumelog run - --project talk --stage audio -- normalize '{line}'
      resumelog run - --format csv --project talk --stage text -- say '{title}' < talk.csv

    \b
    Exit codes: 0 done; 1 some scenes failed; 2 wrong usage or input; 3 interrupted;
    4 done, but not all of it is on disk.
    """
    import resumelog
    from resumelog.domain.scene_batch import SceneBatch
    from resumelog.infrastructure.cli.display import Display
    from resumelog.infrastructure.cli.inputs import read_scenes
    from resumelog.infrastructure.cli.scene_jobs import jobs_of, plan_of
    from resumelog.infrastructure.cli.worker import SceneWorker

    SceneBatch.named(project, stage)  # a bad name is refused before a log is made
    scenes = read_scenes(source, format_name)
    plan = plan_of(scenes, command, artifact)
    jobs = jobs_of(scenes, plan, command, artifact)
    display = Display(f"{project}/{stage}", verbose=verbose, wants_json=wants_json)
    with resumelog.open(url) as log:
        batch = log.scenes.open(project, stage, scenes=plan)
        ctx.exit(SceneWorker(batch, jobs, display).work(retry_failed=retry_failed))
