"""Where a job goes on, and which event decided each part of that."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatch

from pydantic import JsonValue

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun, RunStatus
from resumelog.domain.events import DomainEvent
from resumelog.domain.export_job import ExportJob, ExportStatus
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import SceneBatch, SceneRecord
from resumelog.domain.scene_events import Paused, Stopped
from resumelog.domain.values import Value
from resumelog.domain.wording import counted

EXPLAINED_MAX = 20
"""How many done or next units `explain` lists; the others are counted."""


CURSOR_CHARS = 200


class Fact(Value):
    """One part of a resume point and the event that decided it (version 0: nothing did yet)."""

    what: str
    value: JsonValue = None
    event: str = ""
    version: int = 0
    at: datetime | None = None

    def __str__(self) -> str:
        """Return it as a line."""
        decided = f"{self.event}, " if self.event else ""
        why = (
            f"  ({decided}version {self.version}, {self.at:%Y-%m-%d %H:%M:%S%z})" if self.at else ""
        )
        return f"{self.what}{why}"


class ResumePoint(Value):
    """What is done, what is next, from where, and how often it was tried."""

    job: str
    kind: str
    version: int
    status: Fact
    done: tuple[Fact, ...]
    next: tuple[Fact, ...]
    start: Fact
    attempts: tuple[Fact, ...]

    def explain(self) -> str:
        """Return the whole of it as text, a line for each part with the event that decided it."""
        parts = (
            ("status", (self.status,)),
            ("done", self.done),
            ("next", self.next),
            ("from", (self.start,)),
            ("attempts", self.attempts),
        )
        lines = [f"{name:<9} {line}" for name, facts in parts for line in _listed(facts)]
        return "\n".join([f"{self.job}, version {self.version}", *lines])


@singledispatch
def resume_point(state: EventSourced, plan: Plan | None = None) -> ResumePoint:
    """Return where the job goes on. A batch lists its remaining scenes only if given the plan."""
    raise TypeError(f"{type(state).__name__} has no resume point ({plan=})")


@resume_point.register
def _export(state: ExportJob, plan: Plan | None = None) -> ResumePoint:
    del plan
    report, decided = state.report, state.decided_by
    saved = decided.get("report")
    counted = report.units_total is not None
    done = (
        f"{report.units_done} of {report.units_total} units"
        if counted
        else f"{report.progress:.1%}"
    )
    value: JsonValue = report.units_done if counted else report.progress
    over = state.status is ExportStatus.COMPLETED
    left = (
        f"unit {report.units_done}" if report.units_done != report.units_total else "completing it"
    )
    following = left if counted else f"from {report.progress:.1%} on"
    start: JsonValue = {"progress": report.progress, "cursor": report.cursor}
    return ResumePoint(
        job=state.title,
        kind=state.kind,
        version=state.version,
        status=_fact(_with(state.status, state.error), state.status, decided.get("status")),
        done=(_fact(done, value, saved),),
        next=() if over else (_fact(following, value, saved),),
        start=_fact(
            f"progress {report.progress:.1%}, cursor {repr(report.cursor)[:CURSOR_CHARS]}",
            start,
            saved,
        ),
        attempts=(_fact(str(state.attempts), state.attempts, decided.get("attempts")),),
    )


@resume_point.register
def _batch(state: SceneBatch, plan: Plan | None = None) -> ResumePoint:
    keys = [key for key in state.scenes if state.is_done(key) and (plan is None or key in plan)]
    remaining = [*state.remaining(plan)] if plan is not None else []
    tried = [key for key in state.scenes if state.attempts(key)]
    first = remaining[0] if remaining else None
    counts = f"{state.done} of {state.scene_count} done, {state.failed} failed"
    return ResumePoint(
        job=state.title,
        kind=state.kind,
        version=state.version,
        status=_fact(
            f"{state.status}{_asked(state)}, {counts}", state.status, state.decided_by.get("status")
        ),
        done=tuple(_scene(key, key, state.scenes[key]) for key in keys),
        next=tuple(
            _scene(_with(key, _failed(state, key)), key, state.scenes.get(key)) for key in remaining
        ),
        start=_fact(f"scene {first}" if first else "nothing", first, state.decided_by.get("plan")),
        attempts=tuple(
            _scene(f"{key}: {state.attempts(key)}", state.attempts(key), state.scenes[key])
            for key in tried
        ),
    )


@resume_point.register
def _run(state: AutoPilotRun, plan: Plan | None = None) -> ResumePoint:
    del plan
    progress, decided = state.progress, state.decided_by
    over = state.status is RunStatus.COMPLETED
    percent = progress.percent if progress else 0.0
    start: JsonValue = {
        "percent": percent,
        "resume_data": progress.resume_data if progress else None,
    }
    step_by = decided.get("step")
    tries = state.attempts.get(state.next_step, 0)
    return ResumePoint(
        job=state.title,
        kind=state.kind,
        version=state.version,
        status=_fact(_with(state.status, state.error), state.status, decided.get("status")),
        done=tuple(_fact(step, step, event) for step, event in state.completed.items()),
        next=() if over else (_fact(state.next_step, state.next_step, step_by),),
        start=_fact("nothing" if over else f"{percent:g} % of {state.next_step}", start, progress),
        attempts=(_fact(f"{state.next_step}: {tries}", tries, decided.get("attempt")),),
    )


def _asked(state: SceneBatch) -> str:
    """Say by whom and why a batch was paused or stopped."""
    event = state.decided_by.get("status")
    if not isinstance(event, Paused | Stopped):
        return ""
    by = f" by {event.actor}" if event.actor else ""
    return by + (f" ({event.reason})" if isinstance(event, Paused) and event.reason else "")


def _failed(state: SceneBatch, key: str) -> str:
    record = state.scenes.get(key)
    return (
        f"failed {counted(record.attempts, 'time')}" if record and record.state == "failed" else ""
    )


def _fact(what: str, value: JsonValue, by: DomainEvent | None) -> Fact:
    if by is None:
        return Fact(what=what, value=value)
    event = type(by).__name__
    return Fact(what=what, value=value, event=event, version=by.originator_version, at=by.timestamp)


def _scene(what: str, value: JsonValue, record: SceneRecord | None) -> Fact:
    if record is None:
        return Fact(what=what, value=value)
    return Fact(what=what, value=value, event=record.event, version=record.version, at=record.at)


def _with(what: str, more: str) -> str:
    return f"{what}: {more}" if more else what


def _listed(facts: tuple[Fact, ...]) -> list[str]:
    shown = [str(fact) for fact in facts[:EXPLAINED_MAX]]
    more = len(facts) - len(shown)
    return shown + ([f"… and {more} more"] if more else []) or ["nothing"]
