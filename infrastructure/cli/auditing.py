"""resumelog verify and seal: whether the log is still what was written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resumelog.infrastructure.cli.options import (
    FILE_NAME,
    as_json,
    complete_job,
    database,
    existing,
)
from resumelog.infrastructure.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from resumelog.application.audit_faults import Fault, Verdict
    from resumelog.application.manifest import Manifest
    from resumelog.application.scan import Progress

FAULT_COLUMNS = ("JOB", "FAULT", "VERSION", "POSITION", "WHY")


@click.command()
@click.argument("job", required=False, shell_complete=complete_job)
@click.option(
    "--manifest",
    "manifest_file",
    metavar="FILE",
    type=FILE_NAME,
    help="Also compare with the heads that `resumelog seal heads` wrote.",
)
@click.option("--no-payloads", is_flag=True, help="Leave out the values kept beside the events.")
@as_json
@database
@click.pass_context
def verify(
    ctx: click.Context,
    job: str | None,
    manifest_file: str | None,
    no_payloads: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """Check that every event of the log, or of JOB, is still what was written.

    Names the first event of each job that was altered, is missing, changed its place or was put
    in. What was cut off at the end, a job that was removed whole, and one that was written anew
    with new seals show only against a manifest that was kept elsewhere. Changes nothing.

    JOB is an export's key or output path, PROJECT/STAGE, a simulation id, or the beginning of
    a job's id.

    \b
    Examples:
      resumelog verify
      resumelog verify reel/video --json
      resumelog verify --manifest /mnt/elsewhere/heads.jsonl

    \b
    Exit codes: 0 all is well; 1 something was found; 2 wrong usage, no such job, a manifest
    that can't be used, or a store without seals.
    """
    from resumelog.application.manifest import NO_MANIFEST
    from resumelog.infrastructure.cli.outcomes import Exit
    from resumelog.infrastructure.manifest_files import read_manifest

    manifest = read_manifest(Path(manifest_file)) if manifest_file else NO_MANIFEST
    with existing(url) as log, _bar() as on_progress:
        stream = log.audit.find(job, manifest) if job else None
        start = time.monotonic()
        verdict = log.audit.verify(
            stream, manifest=manifest, payloads=not no_payloads, on_progress=on_progress
        )
        elapsed_s = time.monotonic() - start
    _report(verdict, manifest, elapsed_s, wants_json=wants_json)
    ctx.exit(Exit.DONE if verdict.is_well else Exit.FAILED)


@click.group()
def seal() -> None:
    """Work with the seals of the log.

    \b
    Examples:
      resumelog seal heads --output /mnt/elsewhere/heads.jsonl
    """


@seal.command()
@click.option(
    "--output", metavar="FILE", type=FILE_NAME, help="Write there. Default: standard output."
)
@database
def heads(output: str | None, url: str | None) -> None:
    """Write a manifest: the newest version and seal of every job, under one root.

    Keep it where whoever can change the log can't. `resumelog verify --manifest` then also finds
    what was cut off, removed, or written anew since.

    \b
    Examples:
      resumelog seal heads --output /mnt/elsewhere/heads.jsonl
      resumelog seal heads | ssh elsewhere 'cat > heads.jsonl'
    """
    from resumelog.application.manifest import written
    from resumelog.infrastructure.manifest_files import write_whole

    with existing(url) as log:
        lines = written(log.audit.heads(), log.clock.now())
        if output:
            write_whole(Path(output), lines)
        else:
            for line in lines:
                click.echo(line, nl=False)


@contextmanager
def _bar() -> Iterator[Progress]:
    """Show a bar on a terminal, and nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.completed:,.0f} events"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(done, total) or None)


def _report(verdict: Verdict, manifest: Manifest, elapsed_s: float, *, wants_json: bool) -> None:
    if wants_json:
        facts = {"elapsed_s": round(elapsed_s, 3), "manifest_made_at": manifest.made_at or None}
        print_json({"ok": verdict.is_well, **verdict.model_dump(mode="json"), **facts})
        return
    if not verdict.is_well:
        print_table(FAULT_COLUMNS, [_row(fault) for fault in verdict.faults])
        click.echo()
        for line in _advice(verdict.faults):
            click.echo(line)
    click.echo(_summary(verdict, elapsed_s))


def _row(fault: Fault) -> tuple[str, ...]:
    numbers = ("" if each is None else str(each) for each in (fault.version, fault.position))
    kind = fault.kind if fault.part == "event" else f"{fault.kind} {fault.part}"
    return (fault.job or fault.stream or "", kind, *numbers, fault.why)


def _advice(faults: Iterable[Fault]) -> list[str]:
    return [
        f"{kind}: {advice}" for kind, advice in {each.kind: each.advice for each in faults}.items()
    ]


def _summary(verdict: Verdict, elapsed_s: float) -> str:
    rate = verdict.events / max(elapsed_s, 1e-9)
    checked = f"{_count(verdict.events, 'event')} of {_count(verdict.streams, 'job')}"
    if verdict.payloads:
        checked += f" and {_count(verdict.payloads, 'value')} beside them"
    found = "nothing was changed"
    if not verdict.is_well:
        found = f"{_count(len(verdict.faults), 'fault')} found"
    return f"{checked} checked: {found} ({rate:,.0f} events/s)"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
