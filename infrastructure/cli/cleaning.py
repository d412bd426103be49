"""resumelog clean: old jobs give up what only they needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from resumelog.infrastructure.cli.options import as_json, database, existing
from resumelog.infrastructure.cli.printing import print_json, print_lines
from resumelog.infrastructure.cli.reading import KINDS

if TYPE_CHECKING:
    from resumelog.application.clean_report import CleanReport

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class _Age(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A number and a unit."""

    name = "age"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        named = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhdw])", str(value))
        if named is None:
            why = "write a number and s, m, h, d or w (seconds to weeks), such as 30d."
            self.fail(f"{value!r} is no age: {why}", param, ctx)
        try:
            return timedelta(seconds=float(named[1]) * UNITS_S[named[2]])
        except OverflowError:
            self.fail(f"{value!r} is older than anything.", param, ctx)


@click.command()
@click.option(
    "--older-than",
    metavar="AGE",
    type=_Age(),
    required=True,
    help="Only jobs that have not changed for so long: 90s, 15m, 12h, 30d, 4w. 0s means all.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and change nothing.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Clean only this kind of job; may be repeated.",
)
@as_json
@database
@click.pass_context
def clean(
    ctx: click.Context,
    older_than: timedelta,
    dry_run: bool,
    kinds: tuple[str, ...],
    wants_json: bool,
    url: str | None,
) -> None:
    """Remove the values of finished jobs, and the temporary files of dead workers.

    The values are results and plans above 1 KiB, kept beside the events of jobs that were completed
    or stopped. Events, their seals and the files that jobs made stay: `verify` finds nothing
    amiss, and a batch can still be run again. A result that was removed can't be read any more. A stage
    whose later stages (--after) are neither completed nor stopped keeps what they may take.

    A worker of this machine that is gone without a word may have left temporary files, and a
    command that still runs: both go, as they would once the job is resumed, and its next worker
    still records what was cut off. The partial output of `--keep-partial` stays, since the job goes
    on with it. A job that somebody works on is left alone.

    The file of a log in SQLite keeps its size, and uses the room again. To give it back to the disk:
    sqlite3 resumelog.db VACUUM.

    \b
    Examples:
      resumelog clean --older-than 30d --dry-run
      resumelog clean --older-than 12h --kind SceneBatch
      resumelog clean --older-than 4w --json

    \b
    Exit codes: 0 done, or nothing to do; 1 a job is damaged, or it could not be done; 2 wrong
    usage, or no log.
    """
    from resumelog.infrastructure.cli.outcomes import Exit

    with existing(url) as log:
        report = log.clean(older_than, kinds=kinds, dry_run=dry_run)
    if wants_json:
        counts = ("payloads", "payload_bytes", "files", "file_bytes")
        totals = {name: getattr(report, name) for name in counts}
        print_json({**report.model_dump(mode="json"), **totals})
    else:
        print_lines([*_told(report), _sum(report)])
    ctx.exit(Exit.DONE if report.is_well else Exit.FAILED)


def _told(report: CleanReport) -> Iterator[str]:
    would = "would be " if report.dry_run else ""
    for job in report.finished:
        yield f"{job.job}: {_count(job.payloads, 'value')} ({_size(job.bytes)}) {would}removed"
    for dead in report.dead:
        for file in dead.files:
            yield f"{dead.job}: {file.path} ({_size(file.bytes)}) {would}removed"
        for group in dead.groups:
            yield f"{dead.job}: process group {group} {would}ended"
    for left in report.left_alone:
        yield f"{left.job}: left alone: {left.why}"


def _sum(report: CleanReport) -> str:
    values = f"{_count(report.payloads, 'value')} ({_size(report.payload_bytes)})"
    files = f"{_count(report.files, 'temporary file')} ({_size(report.file_bytes)})"
    jobs = _count(len(report.finished), "finished job")
    parts = [f"{values} of {jobs}"] * bool(report.finished) + [files] * bool(report.files)
    return f"{'would remove' if report.dry_run else 'removed'} {', and '.join(parts) or 'nothing'}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _size(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count)
