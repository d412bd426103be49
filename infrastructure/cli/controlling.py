"""resumelog pause, resume and stop: what is asked of whoever works on a job, from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import click

from resumelog.infrastructure.cli.options import (
    Command,
    InputError,
    as_json,
    complete_batch,
    complete_controlled,
    database,
    existing,
    this_user,
)
from resumelog.infrastructure.cli.printing import print_json, print_lines

if TYPE_CHECKING:
    from resumelog.domain.aggregate import EventSourced
    from resumelog.domain.events import Events
    from resumelog.infrastructure.bootstrap import ResumeLog

reason = click.option("--reason", default="", help="Why; whoever works on it is told.")


def actor(command: Command) -> Command:
    """Add --actor."""
    return click.option(
        "--actor", default=this_user, show_default="the user", help="Who asks for it."
    )(command)


class _Asked(NamedTuple):
    job: EventSourced
    changed: bool
    worker: str | None

    def show(self, line: str, *, wants_json: bool) -> None:
        """Say how it stands now."""
        name, status = "/".join(self.job.natural_key), str(self.job.status)
        if wants_json:
            facts = {"job": name, "id": str(self.job.id), "status": status}
            print_json({**facts, "changed": self.changed, "worker": self.worker})
        else:
            print_lines([f"{name}: {line}"])


@click.command()
@click.argument("job", shell_complete=complete_controlled)
@reason
@actor
@as_json
@database
def pause(job: str, reason: str, actor: str, wants_json: bool, url: str | None) -> None:
    """Ask the worker of JOB, a batch or an export, to leave.

    A batch is left once the scenes in flight are done, an export at its next report. Their commands
    end with exit code 3. JOB is named as for `resumelog show`.

    \b
    Examples:
      resumelog pause reel/image --reason 'the GPU is needed'
      resumelog pause reel.mp4 --actor ann
    """
    with existing(url) as log:
        asked = _asked(log, job, "pause", lambda name: _pause(log, name, reason, actor))
        asked.show("is paused" + _leaves(asked), wants_json=wants_json)


@click.command()
@click.argument("job", shell_complete=complete_batch)
@reason
@actor
@as_json
@database
def resume(job: str, reason: str, actor: str, wants_json: bool, url: str | None) -> None:
    """Let a paused, stopped or completed batch be worked on again.

    A worker that has not left yet goes on; else the command of the batch has to be run again. An
    export is resumed by that alone.

    \b
    Examples:
      resumelog resume reel/image
    """
    with existing(url) as log:
        asked = _asked(log, job, "resume", lambda state: _reopen(log, state, reason, actor))
        nobody = "run the same command to go on"
        goes_on = f"{asked.worker} works on it" if asked.worker else nobody
        said = "may go on" if asked.changed else "is not paused"
        asked.show(f"{said}; {goes_on}", wants_json=wants_json)


@click.command()
@click.argument("job", shell_complete=complete_batch)
@actor
@as_json
@database
def stop(job: str, actor: str, wants_json: bool, url: str | None) -> None:
    """Give a batch up: its worker leaves once the scenes in flight are done.

    What is done stays done, and running the command of the batch again takes it up again.

    \b
    Examples:
      resumelog stop reel/image
    """
    with existing(url) as log:
        asked = _asked(log, job, "stop", lambda state: _stop(log, state, actor))
        line = f"is {asked.job.status}"
        asked.show(line + (_leaves(asked) if asked.changed else " already"), wants_json=wants_json)


def _asked(
    log: ResumeLog, name: str, verb: str, command: Callable[[EventSourced], Events]
) -> _Asked:
    """Do it, and read the job again. Raises InputError for a run, which has commands of its own."""
    state = log.queries.find(name)
    if state.kind == "AutoPilotRun":
        why = f"is a run of the autopilot; resumelog pilot {verb} {name}"
        raise InputError(f"{state.title} {why}")
    events = command(state)
    return _Asked(log.log.recover(state), bool(events), log.leases.holder(state.id))


def _pause(log: ResumeLog, state: EventSourced, reason: str, actor: str) -> Events:
    if state.kind == "ExportJob":
        (key,) = state.natural_key
        return log.exports.pause(key, reason, actor)
    project, stage = state.natural_key
    return log.scenes.pause(project, stage, reason, actor)


def _reopen(log: ResumeLog, state: EventSourced, reason: str, actor: str) -> Events:
    if state.kind == "ExportJob":
        raise InputError(f"{state.title} is {state.status}; run its command again to go on")
    project, stage = state.natural_key
    return log.scenes.reopen(project, stage, reason, actor)


def _stop(log: ResumeLog, state: EventSourced, actor: str) -> Events:
    if state.kind == "ExportJob":
        name = "/".join(state.natural_key)
        raise InputError(f"{state.title} can't be given up, only paused; resumelog pause {name}")
    project, stage = state.natural_key
    return log.scenes.stop(project, stage, actor)


def _leaves(asked: _Asked) -> str:
    units = "after the scenes in flight" if asked.job.kind == "SceneBatch" else "at its next report"
    return f"; {asked.worker} leaves {units}" if asked.worker else "; nobody works on it"
