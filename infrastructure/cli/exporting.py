"""resumelog export: one command that reports how far it is, and goes on from there."""

from __future__ import annotations

from typing import Literal

import click

from resumelog.infrastructure.cli.export_help import HELP
from resumelog.infrastructure.cli.options import (
    FILE_NAME,
    SECONDS,
    as_json,
    complete_export,
    complete_file,
    database,
)


@click.command(help=HELP)
@click.argument("key", shell_complete=complete_export)
@click.argument(
    "command", nargs=-1, required=True, metavar="-- COMMAND...", shell_complete=complete_file
)
@click.option("--total", type=click.IntRange(1), metavar="N", help="How many units there are.")
@click.option(
    "--output", type=FILE_NAME, metavar="PATH", help="The file that is made. Default: KEY."
)
@click.option(
    "--keep-partial",
    is_flag=True,
    help="Keep a half-written {output} for the next attempt: COMMAND appends to it.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(),
    metavar="FILE_OR_JSON",
    help="What it is made from: where that changed, it is made again. May be repeated.",
)
@click.option(
    "--on-changed-inputs",
    type=click.Choice(["restart", "refuse"]),
    default="restart",
    show_default=True,
    help="What to do where COMMAND, --total, --input, --exporter or --output is another.",
)
@click.option("--exporter", default="", metavar="NAME", help="The exporter, and its version.")
@click.option(
    "--duration",
    "duration_s",
    type=SECONDS,
    metavar="SECONDS",
    help="How long the output will be, for ffmpeg's reports.",
)
@click.option(
    "--scale",
    type=click.Choice(["absolute", "relative"]),
    default="absolute",
    show_default=True,
    help="What fractions are of: the whole, or what was left when this attempt began.",
)
@click.option(
    "--save-interval",
    "save_interval_s",
    type=SECONDS,
    metavar="SECONDS",
    default=5.0,
    show_default=True,
    help="How often fractions are saved; counts and cursors always are.",
)
@click.option(
    "--grace",
    "grace_s",
    type=SECONDS,
    metavar="SECONDS",
    default=5.0,
    show_default=True,
    help="How long COMMAND may take to end after a signal.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show each event as it is recorded.")
@as_json
@database
@click.pass_context
def export(
    ctx: click.Context,
    key: str,
    command: tuple[str, ...],
    total: int | None,
    output: str | None,
    keep_partial: bool,
    inputs: tuple[str, ...],
    on_changed_inputs: Literal["restart", "refuse"],
    exporter: str,
    duration_s: float | None,
    scale: Literal["absolute", "relative"],
    save_interval_s: float,
    grace_s: float,
    verbose: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """Run one command; see HELP."""
    import resumelog
    from resumelog.domain.export_job import ExportJob
    from resumelog.infrastructure.cli.export_command import ExportCommand
    from resumelog.infrastructure.cli.export_display import ExportDisplay
    from resumelog.infrastructure.cli.export_worker import ExportWorker

    ExportJob.named(key)  # a bad name is refused before a log is made
    asked = ExportCommand(key, command, output, keep_partial, total, duration_s, scale)
    asked.require_runnable()
    work = asked.work(inputs)
    display = ExportDisplay(key, verbose=verbose, wants_json=wants_json)
    with display, resumelog.open(url) as log:
        session = log.exports.resume(
            asked.path,
            inputs=work,
            key=key,
            exporter=exporter,
            on_changed_inputs=on_changed_inputs,
            save_interval_s=save_interval_s,
            needs_output=asked.needs_output,
        )
        ctx.exit(ExportWorker(asked, display, grace_s).work(session))
