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
@click.option("--key", required=True, help="The export that it belongs to; FILE does not say.")
@as_json
@database
def import_(file: str, key: str, wants_json: bool, url: str | None) -> None:
    """Import FILE, the progress file .export_state of the old exporter, as the export KEY.

    KEY is what the export is resumed with from now on: its absolute output path, unless it has a
    key of its own. The first worker that resumes it binds it to its exporter, output and input,
    and goes on from FILE's progress.

    FILE is a pickle, but is never unpickled: one that holds anything but that progress is refused,
    and nothing in it is run. It stays as it is; to import it again changes nothing.

    \b
    Examples:
      resumelog import .export_state --key "$PWD/reel.mp4"
      resumelog import old/.export_state --key reel --json

    \b
    Exit codes: 0 imported, now or before; 2 wrong usage, a file that can't be imported, or a key
    that is in use.
    """
    import resumelog
    from resumelog.domain.export_job import ExportJob
    from resumelog.infrastructure.transfer.export_state import read_export_state

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
