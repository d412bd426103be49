"""How a run goes through its steps."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.runs import (
    COMPLETED,
    FAILED,
    STARTED,
    STEPS,
    WORKING,
    complete_step,
    fail_step,
    pause,
    poll_failed,
    recover,
    reset,
    save,
    start,
    start_step,
    step_done,
    stop,
)
from support.scenario import given, refusal, when
from support.tables import appends, appends_nothing, refuses

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.autopilot_events import (
    Completed,
    Failed,
    PollFailed,
    ProgressSaved,
    StepCompleted,
    StepFailed,
    StepStarted,
)
from resumelog.domain.autopilot_run import IDLE, AutoPilotRun, RunStatus
from resumelog.domain.errors import (
    BadInput,
    LeaseLost,
    NotActive,
    NotBegun,
    NotJson,
    PercentOutOfRange,
    Refused,
    StepOutOfOrder,
    TooLarge,
)
from resumelog.domain.values import Payload

ERROR = "模拟器没有回应 💥"
TO_THE_LAST = (*STARTED, *(command for step in STEPS[:-1] for command in step_done(step)))


def saved(**facts: Any) -> Draft:
    facts = {"message": "", "detail": {}, "active_s": 0.0, **facts}
    return draft(ProgressSaved, epoch=1, step="preparing", **facts)


def completed(step: str, **facts: Any) -> Draft:
    return draft(StepCompleted, epoch=1, step=step, **{"active_s": 0.0, **facts})


def failed(event: type[StepFailed | Failed], **facts: Any) -> Draft:
    return draft(event, epoch=1, step="preparing", error=ERROR, **facts)


test_a_command_appends = appends(
    AutoPilotRun,
    {
        "the first step starts": (
            STARTED,
            start_step(),
            [draft(StepStarted, epoch=1, step="preparing", attempt=1)],
        ),
        "a step that failed starts again": (
            (*WORKING, fail_step()),
            start_step(attempt=2),
            [draft(StepStarted, epoch=1, step="preparing", attempt=2)],
        ),
        "progress": (
            WORKING,
            save(40, message="准备 🧙", detail={"轮": 1}, resume_data=[None], active_s=3),
            [
                saved(
                    percent=40.0,
                    message="准备 🧙",
                    detail={"轮": 1},
                    resume_data=[None],
                    active_s=3.0,
                )
            ],
        ),
        "progress during a pause": ((*WORKING, pause()), save(40), [saved(percent=40.0)]),
        "time at work that never runs backwards": (
            (*WORKING, save(40, active_s=30.0)),
            save(41, active_s=20.0),
            [saved(percent=41.0, active_s=30.0)],
        ),
        "a failed poll": (
            WORKING,
            poll_failed(error=TimeoutError("慢")),
            [draft(PollFailed, epoch=1, step="preparing", error="TimeoutError: 慢", in_a_row=1)],
        ),
        "a step is done": (
            WORKING,
            complete_step(result={"角色": 3}, active_s=9),
            [completed("preparing", result=Payload.of({"角色": 3}), active_s=9.0)],
        ),
        "the last step completes the run": (
            (*TO_THE_LAST, start_step(STEPS[-1])),
            complete_step(STEPS[-1]),
            [completed(STEPS[-1]), draft(Completed, epoch=1)],
        ),
        "work that ends during a pause": (
            (*WORKING, pause()),
            complete_step(),
            [completed("preparing")],
        ),
        "an attempt failed": (WORKING, fail_step(), [failed(StepFailed, attempt=1)]),
        "the last attempt allowed fails the run": (
            (*WORKING, fail_step(), start_step(attempt=2)),
            fail_step(attempts_max=2),
            [failed(StepFailed, attempt=2), failed(Failed)],
        ),
    },
)


test_a_command_that_has_taken_effect_appends_nothing = appends_nothing(
    AutoPilotRun,
    {
        "a step that has started": (WORKING, start_step()),
        "the same progress": ((*WORKING, save(40)), save(40)),
        "the same failed poll": ((*WORKING, poll_failed()), poll_failed()),
        "a step that is done": ((*WORKING, complete_step()), complete_step()),
        "a step that failed": ((*WORKING, fail_step()), fail_step()),
        "a run that failed": (FAILED, fail_step(attempts_max=1)),
        "the last step of a completed run": (COMPLETED, complete_step(STEPS[-1])),
    },
)


TAKEN_OVER = (*WORKING, recover())
LOST = {"epoch": 1, "current": 2}
test_an_impossible_command_is_refused_by_name = refuses(
    AutoPilotRun,
    [
        (
            STARTED,
            start_step("starting"),
            StepOutOfOrder,
            {"step": "starting", "expected": "preparing"},
        ),
        (STARTED, start_step("画"), StepOutOfOrder, {"step": "画", "expected": "preparing"}),
        (
            (*WORKING, pause()),
            start_step(attempt=2),
            NotActive,
            {"command": "start a step", "status": "paused"},
        ),
        (STARTED, save(), StepOutOfOrder, {"step": IDLE, "expected": "preparing"}),
        (FAILED, save(), NotActive, {"command": "save progress", "status": "failed"}),
        (STARTED, poll_failed(), StepOutOfOrder, {"step": IDLE, "expected": "preparing"}),
        (
            WORKING,
            complete_step("starting"),
            StepOutOfOrder,
            {"step": "starting", "expected": "preparing"},
        ),
        (STARTED, complete_step(), StepOutOfOrder, {"step": "preparing", "expected": "preparing"}),
        (
            WORKING,
            fail_step("starting"),
            StepOutOfOrder,
            {"step": "starting", "expected": "preparing"},
        ),
        (COMPLETED, fail_step(), NotActive, {"command": "fail a step", "status": "completed"}),
        (WORKING, save(epoch=2), NotBegun, {"epoch": 2, "current": 1}),
        *(
            (TAKEN_OVER, command, LeaseLost, LOST)
            for command in (start_step(), save(), poll_failed(), complete_step(), fail_step())
        ),
        ((*WORKING, stop()), save(), LeaseLost, LOST),
        ((*WORKING, reset()), complete_step(), LeaseLost, LOST),
    ],
)


@pytest.mark.parametrize("percent", [0, 0.0, 100])
def test_both_ends_are_percent(percent: float) -> None:
    assert when(given(AutoPilotRun, *WORKING), save(percent))


NO_PERCENTS = [math.nan, math.inf, -1, 100.01, 10**400, True, "40", None]


@pytest.mark.parametrize("percent", NO_PERCENTS, ids=lambda value: str(value)[:9])
def test_anything_but_a_number_from_0_to_100_is_refused(percent: Any) -> None:
    error, data = refusal(given(AutoPilotRun, *WORKING), save(percent))
    assert error is PercentOutOfRange
    assert data["percent"] is percent


@pytest.mark.parametrize("field", ["detail", "resume_data"])
@pytest.mark.parametrize(
    ("value", "error"), [({"x": "x" * 65_536}, TooLarge), ({"x": math.nan}, NotJson)]
)
def test_detail_and_resume_data_are_bounded_json(
    field: str, value: Any, error: type[Refused]
) -> None:
    assert refusal(given(AutoPilotRun, *WORKING), save(**{field: value}))[0] is error


@pytest.mark.parametrize("active_s", [math.inf, 10**400, "long"], ids=["inf", "huge", "text"])
def test_a_time_that_is_none_is_refused(active_s: Any) -> None:
    refused, _ = refusal(given(AutoPilotRun, *WORKING), save(active_s=active_s))
    assert issubclass(refused, BadInput)


def test_a_step_that_is_tried_again_goes_on_from_its_progress() -> None:
    tried = (*WORKING, save(40, resume_data={"round": 12}, active_s=30.0), fail_step())
    run = given(AutoPilotRun, *tried, start_step(attempt=2))
    assert run.progress is not None
    assert (run.progress.resume_data, run.active_s) == ({"round": 12}, 30.0)


def test_a_look_that_worked_ends_the_row_of_failed_ones() -> None:
    run = given(AutoPilotRun, *WORKING, poll_failed(1), poll_failed(2), save(41))
    assert (run.polls_failed, run.error) == (0, "")


def test_each_step_begins_its_own_time_at_work() -> None:
    done = (*WORKING, complete_step(active_s=60.0), start_step("starting"))
    assert given(AutoPilotRun, *done).active_s == 0.0


def test_a_failed_run_names_its_step_and_starts_again_with_fresh_attempts() -> None:
    run = given(AutoPilotRun, *FAILED)
    assert (run.status, run.error_step, run.error) == (RunStatus.FAILED, "preparing", ERROR)
    again = given(AutoPilotRun, *FAILED, start(2))
    assert (again.error, again.error_step, again.attempts) == ("", None, {})


def test_a_completed_run_stands_at_the_end_of_its_chain() -> None:
    run = given(AutoPilotRun, *COMPLETED)
    assert (run.status, run.step, run.next_step) == (RunStatus.COMPLETED, "completed", "completed")
