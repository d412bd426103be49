"""resumelog jobs, show and log: reads that change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from resumelog.infrastructure.cli.options import as_json, complete_job, database, existing
from resumelog.infrastructure.cli.printing import print_json, print_lines, print_table

if TYPE_CHECKING:
    from resumelog.application.job_row import JobView
    from resumelog.domain.events import DomainEvent
    from resumelog.infrastructure.bootstrap import ResumeLog

BUSY = ("running", "active")
JOB_COLUMNS = ("JOB", "KIND", "STATUS", "PROGRESS", "FAILED", "WORKER", "CHANGED", "ID")
FACTS_CHARS = 160
KINDS = ("ExportJob", "SceneBatch", "AutoPilotRun")
STATUSES = (
    "idle",
    "open",
    "inactive",
    "running",
    "active",
    "paused",
    "interrupted",
    "failed",
    "stopped",
    "completed",
    "damaged",
)
"""Written out, since to import them would make completion slow."""
LISTED = 100


@click.command()
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="List only this kind of job; may be repeated.",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES),
    help="List only jobs that stand so; may be repeated.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=LISTED,
    show_default=True,
    help="List so many at most; 0 lists all.",
)
@click.option("--rebuild", is_flag=True, help="Fold the list anew from the events first.")
@as_json
@database
def jobs(
    kinds: tuple[str, ...],
    statuses: tuple[str, ...],
    limit: int,
    rebuild: bool,
    wants_json: bool,
    url: str | None,
) -> None:
    """List the jobs, the one that changed last first.

    \b
    Examples:
      resumelog jobs
      resumelog jobs --status running --status paused
      resumelog jobs --limit 0 --json | jq '.[] | select(.failed > 0) | .name'
    """
    with existing(url) as log:
        if rebuild:
            log.queries.rebuild()
        listed = log.queries.jobs(kinds=kinds, statuses=statuses, limit=limit or None)
        views = [_with_worker(log, view) for view in listed]
        if wants_json:
            print_json(_as_documents(views))
        else:
            print_table(JOB_COLUMNS, [_job_row(view) for view in views])
        _tell_damaged(views)
        if limit and len(views) == limit:
            _tell_more(log.queries.count(kinds=kinds, statuses=statuses) - limit)


@click.command()
@click.argument("job", shell_complete=complete_job)
@as_json
@database
def show(job: str, wants_json: bool, url: str | None) -> None:
    """Show where JOB goes on, and which event decided each part of that.

    JOB is an export's key or output path, PROJECT/STAGE, a simulation id, or the beginning of
    a job's id.

    \b
    Examples:
      resumelog show reel/video
      resumelog show reel.mp4 --json
    """
    with existing(url) as log:
        state = log.queries.find(job)
        point, holder = log.queries.resume_point(state), log.leases.holder(state.id)
        if wants_json:
            print_json({**point.model_dump(mode="json"), "id": str(state.id), "worker": holder})
        else:
            print_lines(point.explain().splitlines())
            failures = log.queries.failures(state)
            print_lines([f"failed    {scene}: {_one_line(why)}" for scene, why in failures])
            print_lines([f"worker    {holder or 'nobody works on it'}", f"id        {state.id}"])


@click.command()
@click.argument("job", shell_complete=complete_job)
@as_json
@database
def log(job: str, wants_json: bool, url: str | None) -> None:
    """Show every event of JOB, oldest first.

    \b
    Examples:
      resumelog log reel/video
      resumelog log reel/video --json | jq '.[] | select(.event == "SceneFailed")'
    """
    with existing(url) as opened:
        events = opened.queries.history(opened.queries.find(job))
        if wants_json:
            print_json([_event(event) for event in events])
        else:
            rows = [_event_row(event) for event in events]
            print_table(("VERSION", "TIME", "EVENT", "EPOCH", "FACTS"), rows)


def _job_row(view: JobView) -> tuple[str, ...]:
    counted = f" ({view.done}/{view.total})" if view.total is not None else ""
    changed = f"{view.modified_at:%Y-%m-%d %H:%M:%S}" if view.modified_at else ""
    progress, failed = f"{view.progress:.0%}{counted}", str(view.failed or "")
    worker = view.worker or ("gone" if view.status in BUSY else "")
    counts = (progress, failed, worker, changed)
    return (view.name, view.kind, view.status, *counts, str(view.id)[:8])


def _with_worker(log: ResumeLog, view: JobView) -> JobView:
    """Say who works on it now, not who did last."""
    at_work = view.status in (*BUSY, "open", "paused")
    return replace(view, worker=log.leases.holder(view.id) if at_work else None)


def _as_documents(views: Iterable[JobView]) -> Any:
    from pydantic import TypeAdapter

    from resumelog.application.job_row import JobView

    return TypeAdapter(list[JobView]).dump_python([*views], mode="json")


def _tell_damaged(views: Iterable[JobView]) -> None:
    from resumelog.infrastructure.cli.outcomes import printable

    for view in views:
        if view.status == "damaged":
            click.echo(printable(f"resumelog: {view.name}: {view.error}"), err=True)


def _tell_more(count: int) -> None:
    if count > 0:
        click.echo(f"resumelog: {count} more; --limit 0 lists all", err=True)


def _one_line(text: str) -> str:
    return " ⏎ ".join(text.splitlines())[-FACTS_CHARS:]


def _event(event: DomainEvent) -> dict[str, Any]:
    return {
        "version": event.originator_version,
        "event": type(event).__name__,
        "topic": event.TOPIC,
        "stream": str(event.originator_id),
        **event.model_dump(mode="json", exclude_none=True),
    }


def _event_row(event: DomainEvent) -> tuple[str, ...]:
    facts = event.model_dump(
        mode="json",
        exclude_none=True,
        exclude={"timestamp", "epoch"},
    )
    if "progress" in (recorded := facts.get("recorded") or {}):  # of an import; the end may be cut
        facts = {"progress": recorded["progress"], **facts}
    told = ", ".join(
        f"{name}={json.dumps(fact, ensure_ascii=False)}" for name, fact in facts.items()
    )
    if len(told) > FACTS_CHARS:
        told = told[:FACTS_CHARS] + " …"
    epoch = "" if event.epoch is None else str(event.epoch)
    time = f"{event.timestamp:%Y-%m-%d %H:%M:%S.%f}"
    return (str(event.originator_version), time, type(event).__name__, epoch, told)
