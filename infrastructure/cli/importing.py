"""resumelog import: what an old system left, as the beginning of a job."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from resumelog.infrastructure.cli.options import as_json, complete_file, database
from resumelog.infrastructure.cli.printing import print_json, print_lines

if TYPE_CHECKING:
    from resumelog.domain.export_job import ExportJob
    from resumelog.domain.export_state import ExportState


@click.command("import")
@click.argument("file", type=click.Path(readable=False), shell_complete=complete_file)
@click.option("--key", help="The export that it belongs to; FILE does not say.")
@click.option("--project", help="The project that the scenes of a folder belong to.")
@click.option(
    "--plan",
    metavar="SCENES",
    help="All scenes of the project, in their order. Without it the folder's files say which there are:"
    " what none of them names is not missed.",
)
@click.option("--trust-index", is_flag=True, help="Match scenes whatever an entry says of them.")
@as_json
@database
def import_(
    file: str,
    key: str | None,
    project: str | None,
    plan: str | None,
    trust_index: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """Import FILE, the progress file .export_state of the old exporter, as the export KEY.

    KEY is what the export is resumed with from now on: its absolute output path, unless it has a
    key of its own. The first worker that resumes it binds it to its exporter, output and input,
    and goes on from FILE's progress.

    A folder, or a storyboard_progress.json or enhancement_progress.json in it, is the old scene
    writer's: its whole entries begin the batches of --project, matched by their index to --plan,
    else to what they say of their scenes. What is not taken is told as a doubt.

    A {simulation_id}_autopilot.json is the old autopilot's, and names its run itself. `start`, `resume`
    or `recover` go on after its last completed step.

    An .export_state is a pickle, but is never unpickled: one that holds anything but that progress is
    refused, and nothing in it is run. Every FILE stays as it is; to import it again changes nothing.

    \b
    Examples:
      resumelog import .export_state --key "$PWD/reel.mp4"
      resumelog import old/.export_state --key reel --json
      resumelog import old/ --project reel --plan scenes.json
      resumelog import sim_1_autopilot.json

    \b
    Exit codes: 0 imported, now or before; 2 wrong usage, a file that can't be imported, or a key
    that is in use.
    """
    import resumelog
    from resumelog.domain.export_job import ExportJob
    from resumelog.infrastructure.cli.run_importing import import_run
    from resumelog.infrastructure.cli.scene_importing import import_scenes, scene_folder
    from resumelog.infrastructure.transfer.export_state import read_export_state
    from resumelog.infrastructure.transfer.run_state import is_run_state

    if is_run_state(file):
        if key is not None or project or plan or trust_index:
            raise click.UsageError("An autopilot's FILE names its run; it takes no such option.")
        import_run(file, url, wants_json=wants_json)
        return

    if folder := scene_folder(file, key, project):
        import_scenes(folder, project, plan, url, trust_index=trust_index, wants_json=wants_json)
        return
    if key is None:
        raise click.UsageError("Missing option '--key': FILE does not say which export it is of.")
    if project or plan or trust_index:
        raise click.UsageError("--project, --plan and --trust-index are for a folder of scenes.")
    state, job = read_export_state(file), ExportJob.named(key)  # refused before a log is made
    with resumelog.open(url) as log:
        is_new = bool(log.exports.import_progress(key, state))
        log.log.recover(job)
    if wants_json:
        print_json(_document(job, state, is_new=is_new))
    else:
        print_lines(_told(job, state, is_new=is_new))


def _document(job: ExportJob, state: ExportState, *, is_new: bool) -> dict[str, object]:
    return {
        "imported": is_new,
        "job": job.natural_key[0],
        "id": str(job.id),
        "status": job.status,
        "progress": job.progress,
        "version": job.version,
        "source": state.source,
        "sha256": state.sha256,
        "recorded_at": state.recorded_at.isoformat(),
        "recorded": state.recorded,
    }


def _told(job: ExportJob, state: ExportState, *, is_new: bool) -> list[str]:
    if is_new:
        at = f"{state.recorded_at:%Y-%m-%d %H:%M:%S%z}"
        told = f"imported at {job.progress:.1%}, as {state.source} recorded it at {at}"
    else:
        told = f"this file was imported before; now {job.status} at {job.progress:.1%}"
    following = f"log.exports.resume(OUTPUT, key={job.natural_key[0]!r})"
    shell = f"resumelog export {shlex.quote(job.natural_key[0])} -- COMMAND"
    return [f"{job.title}: {told}", f"go on with {following}", f"or from the shell with {shell}"]
