"""The endpoints that read jobs of all kinds, and the probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from pydantic import BaseModel

import resumelog
from resumelog.application.job_row import JobView
from resumelog.domain import resume_point
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.events import DomainEvent
from resumelog.infrastructure.http import answers, wanted
from resumelog.infrastructure.http.call import Call, Route

FACTS_MAX = 100
AT_WORK = ("running", "active", "open", "paused")


def jobs(call: Call) -> BaseModel:
    """List jobs; another owner's runs are left out of their page."""
    asked = call.wanted
    page = call.queries.page(
        asked.limit, kinds=asked.kind, statuses=asked.status, below=asked.cursor
    )
    shown = [_job(call, view) for view in page.jobs if _is_shown(call, view)]
    return answers.Jobs(jobs=shown, next_cursor=page.next)


def job(call: Call) -> BaseModel:
    """Say where a job stands and where it goes on."""
    view, state = _owned(call)
    failures = [
        answers.Failure(scene=scene, error=error) for scene, error in call.queries.failures(state)
    ]
    return answers.JobState(
        job=_job(call, view),
        resume_point=_resume(call.queries.resume_point(state)),
        failures=failures,
    )


def events(call: Call) -> BaseModel:
    """Return a job's events, a page at a time."""
    _, state = _owned(call)
    asked = call.wanted
    found = [*islice(call.queries.history(state, after=asked.cursor), asked.limit + 1)]
    shown = found[: asked.limit]
    following = shown[-1].originator_version if len(found) > asked.limit else None
    return answers.Events(events=[_event(event) for event in shown], next_cursor=following)


def health(call: Call) -> BaseModel:
    """Answer."""
    del call
    return answers.Health(version=resumelog.__version__)


def ready(call: Call) -> BaseModel:
    """Read the log."""
    return answers.Ready(position=call.queries.position())


def _owned(call: Call) -> tuple[JobView, EventSourced]:
    view, state = call.queries.job(call.wanted.id)
    if view.kind == AutoPilotRun.kind:
        call.require_owned(view.name)
    return view, state


def _is_shown(call: Call, view: JobView) -> bool:
    return view.kind != AutoPilotRun.kind or call.may_see(view.name)


def _job(call: Call, view: JobView) -> answers.Job:
    """Say who works on it now, not who did last."""
    worker = call.pilot.worker(view.id) if view.status in AT_WORK else None
    return answers.Job(**{**asdict(view), "worker": worker})


def _resume(point: resume_point.ResumePoint) -> answers.Resume:
    return answers.Resume(
        status=_fact(point.status),
        done=_facts(point.done),
        next=_facts(point.next),
        start=_fact(point.start),
        attempts=_facts(point.attempts),
        explained=point.explain(),
    )


def _facts(facts: Sequence[resume_point.Fact]) -> answers.Facts:
    return answers.Facts(count=len(facts), first=[_fact(fact) for fact in facts[:FACTS_MAX]])


def _fact(fact: resume_point.Fact) -> answers.Fact:
    return answers.Fact(**fact.model_dump())


def _event(event: DomainEvent) -> answers.Event:
    return answers.Event(
        version=event.originator_version,
        event=type(event).__name__,
        topic=event.TOPIC,
        timestamp=event.timestamp,
        epoch=event.epoch,
        facts=event.model_dump(mode="json", exclude={"timestamp", "epoch"}),
    )


def _get(path: str, handler: Any, gives: type[BaseModel], tells: str, **more: Any) -> Route:
    more = {"takes": wanted.Nothing, **more}
    return Route("GET", path, handler=handler, gives=(gives,), tells=tells, **more)


JOB_ROUTES = (
    _get(
        "/api/jobs",
        jobs,
        answers.Jobs,
        "List jobs of all kinds, the one that changed last first.",
        takes=wanted.OfJobs,
        refusals=(400,),
    ),
    _get(
        "/api/jobs/{id}",
        job,
        answers.JobState,
        f"Tell where a job stands and goes on; of long lists the first {FACTS_MAX}.",
        takes=wanted.OfJob,
        refusals=(403, 404),
    ),
    _get(
        "/api/jobs/{id}/events",
        events,
        answers.Events,
        "List a job's events, oldest first.",
        takes=wanted.OfEvents,
        refusals=(400, 403, 404),
    ),
)

PROBES = (
    _get(
        "/health",
        health,
        answers.Health,
        "The process answers.",
        blocks=False,
        is_open=True,
        is_probe=True,
        gives_sample={"status": "ok", "version": "0.1.0"},
    ),
    _get(
        "/ready",
        ready,
        answers.Ready,
        "The log can be read.",
        is_probe=True,
        gives_sample={"status": "ready", "position": 12},
    ),
)
