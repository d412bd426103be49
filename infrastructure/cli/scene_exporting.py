"""resumelog export-progress: a project's scenes as the files of the old scene writer."""

from __future__ import annotations

from pathlib import Path

import click

from resumelog.infrastructure.cli.options import as_json, complete_file, database, existing
from resumelog.infrastructure.cli.printing import print_json, print_lines


@click.command("export-progress")
@click.argument("project")
@click.argument("folder", metavar="DIR", type=click.Path(), shell_complete=complete_file)
@click.option(
    "--plan",
    metavar="SCENES",
    type=click.Path(allow_dash=True),
    help="The scenes themselves, in the file that was handed to the runs (their INPUT). Needed"
    " where the batches were not imported, since a log does not hold what scenes say.",
)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    type=click.Choice(["storyboard", "enhancement"]),
    help="Write this stage only. Default: those that the project has.",
)
@click.option("--force", is_flag=True, help="Replace files that another program wrote.")
@as_json
@database
def export_progress(
    project: str,
    folder: str,
    plan: str | None,
    stages: tuple[str, ...],
    force: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """Write what is done in PROJECT to DIR as the old scene writer did, for tools that read that.

    These are storyboard_progress.json, enhancement_progress.json and a text per scene,
    storyboard/scene_N_storyboard.txt. A log has the results and the keys of scenes, and what they
    say only where they were imported: else --plan tells, and nothing is made up. A storyboard's
    result must be text, an enhancement's an object, or text that is one in JSON.

    Each file is there whole or not at all. One that another program wrote or changed is not
    replaced. The text of a scene that is no longer done is removed.

    \b
    Examples:
      resumelog export-progress 归途 old --plan scenes.json
      resumelog export-progress reel old --stage storyboard --json

    \b
    Exit codes: 0 written, or so already; 1 it can't be written; 2 wrong usage, or a file of
    another program.
    """
    from resumelog.infrastructure.cli.scene_importing import scenes_of

    scenes = scenes_of(plan)
    with existing(url) as log:
        done = log.export_scenes(project, folder, plan=scenes, stages=stages or None, force=force)
    if wants_json:
        place = {"project": project, "folder": str(Path(folder).absolute())}
        print_json(place | {name: [*names] for name, names in done._asdict().items()})
    else:
        counts = (f"{len(names)} {name}" for name, names in done._asdict().items() if names)
        print_lines([f"{folder}: {', '.join(counts) or 'nothing to write'}"])
