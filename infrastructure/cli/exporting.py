"""resumelog export: one command that reports how far it is, and goes on from there."""

from __future__ import annotations

from typing import Literal

import click

from resumelog.infrastructure.cli.options import (
    SECONDS,
    as_json,
    complete_export,
    complete_file,
    database,
)


@click.command()
@click.argument("key", shell_complete=complete_export)
@click.argument(
    "command", nargs=-1, required=True, metavar="-- COMMAND...", shell_complete=complete_file
)
@click.option("--total", type=click.IntRange(1), metavar="N", help="How many units there are.")
@click.option(
    "--output", type=click.Path(), metavar="PATH", help="The file that is made. Default: KEY."
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
    """Run COMMAND, which makes one file; the same command line goes on after any interruption.

    COMMAND reports what is done by lines on its standard output:

    \b
      progress 0.42                a fraction
      units 3                      3 of --total are done, counted exactly
      progress 3/10  units 3/10    3 of 10
      cursor {"frame": 72}         its own position, JSON of at most 64 KiB;
      units 3 cursor [1, 2]        it counts until the next cursor

    and gets its resume point in the environment, at the first attempt too:

    \b
      RESUMELOG_PROGRESS           0.0 to 1.0
      RESUMELOG_UNITS_DONE         0 where none were counted
      RESUMELOG_UNITS_TOTAL        --total, or empty
      RESUMELOG_CURSOR             JSON, or empty
      RESUMELOG_OUTPUT             where to write: what {output} stands for
      RESUMELOG_KEY

    ffmpeg's -progress pipe:1 is understood too, as the part of --total frames or of --duration.
    A report below where the attempt began shows that COMMAND began at 0 again, and so does the job,
    unless fractions have --scale relative. One that can't be used is told (once a kind), counted, and
    ignored. All else that COMMAND prints goes on unchanged; with --json it all goes to standard error.

    {output} is a temporary path that is moved into place when COMMAND succeeds. There is nothing
    at first: COMMAND keeps what is done elsewhere, or appends to it with --keep-partial (a kill may
    leave more in it than was reported). {{output}} stays {output}. A job that is done, and whose
    output is intact, is skipped.

    Ctrl+C, SIGTERM and SIGHUP go on to COMMAND; if it has not ended after --grace, SIGTERM and then
    SIGKILL follow; a second Ctrl+C kills it. What it leaves running in its process group is ended.

    \b
    Examples:
      resumelog export reel.txt --total 20 -- sh -ec '
          for i in $(seq $RESUMELOG_UNITS_DONE 19); do
            echo "part $i" > part-$i     # first the work,
            echo units $((i + 1))        # then the report
          done
          for i in $(seq 0 19); do cat part-$i; done > "$1"' sh {output}
      resumelog export clip.mp4 --duration 4 -- ffmpeg -v error -nostdin -y \\
          -f lavfi -i testsrc=duration=4 -progress pipe:1 {output}

    \b
    Exit codes: 0 done, or done before; 1 COMMAND failed; 2 wrong usage or input;
    3 interrupted or paused; 4 done, but not all of it is on disk.
    """
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
    with resumelog.open(url) as log:
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
