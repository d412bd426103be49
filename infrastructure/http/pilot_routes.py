"""The seven endpoints of the autopilot."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from resumelog.application.run_view import RunView
from resumelog.domain.autopilot_run import RunStatus
from resumelog.domain.errors import NotActive, NotPaused
from resumelog.infrastructure.http import answers, wanted
from resumelog.infrastructure.http.call import Call, Route

PREFIX = "/api/simulation/auto-pilot"


def config(call: Call) -> BaseModel:
    """Choose the mode."""
    asked = call.wanted
    run = call.pilot.configure(asked.simulation_id, asked.mode, call.actor)
    message = call.say("configured", mode=run.mode)
    return answers.Configured(simulation_id=asked.simulation_id, mode=run.mode, message=message)


def start(call: Call) -> BaseModel:
    """Drive the run, from the first step where it is forced."""
    asked = call.wanted
    run = call.pilot.start(asked.simulation_id, force=asked.force, actor=call.actor)
    return answers.Started(
        simulation_id=asked.simulation_id,
        status=run.status.value,
        current_step=run.current_step,
        step_progress=run.step_progress,
        step_message=run.step_message,
        message=_started(call, run),
        force_restarted=run.force_restarted,
    )


def pause(call: Call) -> BaseModel:
    """Stop at the step's next safe point; a run that is paused already is not active."""
    asked, before = call.wanted, call.pilot.status(call.wanted.simulation_id)
    if before.status is not RunStatus.ACTIVE:
        raise NotActive(command="pause", status=before.status)
    run = call.pilot.pause(asked.simulation_id, actor=call.actor)
    message = call.say("pausing" if run.is_stopping else "paused", step=run.current_step)
    step = run.current_step
    return answers.Paused(simulation_id=asked.simulation_id, current_step=step, message=message)


def resume(call: Call) -> BaseModel:
    """Go on; a run that is active already is not paused."""
    asked, before = call.wanted, call.pilot.status(call.wanted.simulation_id)
    if before.status is not RunStatus.PAUSED:
        raise NotPaused(status=before.status)
    step = call.pilot.resume(asked.simulation_id, actor=call.actor).current_step
    message = call.say("resumed", step=step)
    return answers.Resumed(simulation_id=asked.simulation_id, current_step=step, message=message)


def stop(call: Call) -> BaseModel:
    """Give it up; harmless where nothing runs."""
    asked, before = call.wanted, call.pilot.status(call.wanted.simulation_id)
    run = call.pilot.stop(asked.simulation_id, actor=call.actor)
    if before.status not in (RunStatus.ACTIVE, RunStatus.PAUSED):
        message = call.say("not_running", status=before.status)
    else:
        message = call.say("stopping" if run.is_stopping else "stopped", step=run.current_step)
    return answers.Stopped(simulation_id=asked.simulation_id, message=message)


def status(call: Call) -> BaseModel:
    """Say how the run stands."""
    simulation_id = call.wanted.simulation_id
    run = call.pilot.status(simulation_id)
    if not run.is_configured:
        return answers.Unknown(simulation_id=simulation_id, message=call.say("unknown"))
    shown: dict[str, Any] = {
        **run.model_dump(include={*answers.Status.model_fields}),
        "simulation_id": simulation_id,
        "status": run.status.value,
        "progress_detail": _detail(run),
        "step_message": _step_message(call, run),
    }
    return answers.Status(**shown)


def reset(call: Call) -> BaseModel:
    """Forget all but the mode."""
    simulation_id = call.wanted.simulation_id
    call.pilot.reset(simulation_id, actor=call.actor)
    return answers.WasReset(simulation_id=simulation_id, message=call.say("reset"))


def _started(call: Call, run: RunView) -> str:
    if run.force_restarted:
        return call.say("restarted")
    if run.status is RunStatus.COMPLETED:
        return call.say("already_completed")
    return call.say("not_left" if run.is_stopping else "started", step=run.current_step)


def _detail(run: RunView) -> dict[str, Any]:
    """Say of a report in its detail what it is at, as clients look for it there."""
    detail = dict(run.progress_detail)
    if "stage" in detail:
        detail.setdefault("message", run.step_message)
    return {**detail, "stopping": True} if run.is_stopping else detail


def _step_message(call: Call, run: RunView) -> str:
    leaving = call.say("leaving") if run.is_stopping else ""
    return " · ".join(filter(None, (run.step_message, leaving)))


_ID = {"simulation_id": "sim_1"}
_TIMES = {"created_at": "2026-11-25T04:30:00+00:00", "started_at": "2026-11-25T04:30:01+00:00"}
_NO_TIMES = {"paused_at": None, "completed_at": None, "failed_at": None}
_NO_ERROR = {"error": None, "error_step": None}
_AT = {"status": "active", "current_step": "monitoring", "step_progress": 25.0}
_SAMPLE_OF_STATUS = {
    **_ID,
    "mode": "auto",
    **_AT,
    "step_message": "3/12",
    "progress_detail": {"current_round": 3, "total_rounds": 12},
    **_TIMES,
    **_NO_TIMES,
    **_NO_ERROR,
    "last_completed_step": "starting",
    "retry_count": 0,
    "available": True,
}


def _route(
    name: str, takes: type[BaseModel], tells: str, *gives: type[BaseModel], **more: Any
) -> Route:
    more = {"sample": _ID, **more}
    return Route("POST", f"{PREFIX}/{name}", takes, globals()[name], gives, tells, **more)


PILOT_ROUTES = (
    _route(
        "config",
        wanted.Config,
        "Choose whether a simulation is driven (auto) or waits for you (manual).",
        answers.Configured,
        sample={**_ID, "mode": "auto"},
        gives_sample={**_ID, "mode": "auto", "message": "the mode is auto", "available": True},
        refusals=(404,),
    ),
    _route(
        "start",
        wanted.Start,
        "Start the run, or go on after its last completed step; with force from the first one.",
        answers.Started,
        sample={**_ID, "force": False},
        gives_sample={
            **_ID,
            **_AT,
            "step_message": "3/12",
            "message": "started at monitoring",
            "force_restarted": False,
        },
    ),
    _route(
        "pause",
        wanted.OfSimulation,
        "Pause an active run at its step's next safe point.",
        answers.Paused,
        gives_sample={
            **_ID,
            "status": "paused",
            "current_step": "monitoring",
            "message": "paused at monitoring",
        },
    ),
    _route(
        "resume",
        wanted.OfSimulation,
        "Let a paused run go on.",
        answers.Resumed,
        gives_sample={
            **_ID,
            "status": "active",
            "current_step": "monitoring",
            "message": "goes on at monitoring",
        },
    ),
    _route(
        "stop",
        wanted.OfSimulation,
        "Give the run up; what is completed is kept.",
        answers.Stopped,
        gives_sample={
            **_ID,
            "status": "inactive",
            "message": "stopped; what is completed is kept",
        },
    ),
    _route(
        "status",
        wanted.OfSimulation,
        "Tell how the run stands; poll it every 30 s until it is completed or failed.",
        answers.Status,
        answers.Unknown,
        gives_sample=_SAMPLE_OF_STATUS,
    ),
    _route(
        "reset",
        wanted.OfSimulation,
        "Forget all but the mode, whatever the run is at.",
        answers.WasReset,
        gives_sample={**_ID, "message": "reset; the mode is kept"},
    ),
)
