"""Autopilot: runs driven through a small host's steps."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from support.hosts import (
    SIM,
    STEPS,
    SmallHost,
    automatic,
    ended,
    state_of,
)
from support.logs import events_of

from resumelog import ResumeLog, StepContext, StopAsked
from resumelog.application.steps import Step
from resumelog.domain.autopilot_events import Failed, StepFailed
from resumelog.domain.values import PAYLOAD_BYTES_MAX

# Driving


def test_a_started_run_goes_through_every_step_once(log: ResumeLog) -> None:
    host = SmallHost()
    pilot = automatic(log, host)
    pilot.start(SIM)
    assert ended(pilot).status == "completed"
    assert host.begun == [(step, 1) for step in STEPS]


def test_a_step_gets_what_an_earlier_one_returned(log: ResumeLog) -> None:
    script: JsonValue = {"角色": ["林冲"] * 1000}
    host = SmallHost(
        preparing=lambda _: script,
        generating_report=lambda context: context.result("preparing"),
    )
    pilot = automatic(log, host)
    pilot.start(SIM)
    ended(pilot)
    event = state_of(log).completed["generating_report"]
    assert log.log.value(event.originator_id, event.originator_version) == script


def test_the_host_declares_its_own_steps(log: ResumeLog) -> None:
    host = SmallHost()
    pilot = automatic(log, host)
    pilot.start(SIM)
    ended(pilot)
    assert state_of(log).steps == (*STEPS, "completed")


def test_progress_is_kept_with_what_to_go_on_from(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        context.progress(40, "第 12 轮", resume_data={"round": 12}, total_rounds=30)
        pilot.pause(SIM)
        raise StopAsked

    pilot = automatic(log, SmallHost(monitoring=step))
    pilot.start(SIM)
    ended(pilot)
    progress = state_of(log).progress
    assert progress is not None
    assert (progress.percent, progress.resume_data, progress.detail) == (
        40,
        {"round": 12},
        {"total_rounds": 30},
    )


# Failing


def test_a_step_that_fails_is_tried_again(log: ResumeLog) -> None:
    def step(context: StepContext) -> JsonValue:
        if context.attempt < 3:
            raise RuntimeError("模拟器没有回应")
        return None

    host = SmallHost(starting=step)
    pilot = automatic(log, host)
    pilot.start(SIM)
    assert ended(pilot).status == "completed"
    assert [attempt for step_, attempt in host.begun if step_ == "starting"] == [1, 2, 3]


def never(_: StepContext) -> JsonValue:
    raise RuntimeError("模拟器没有回应 💥")


def too_much(context: StepContext) -> JsonValue:
    context.progress(101)
    return None


def no_json(_: StepContext) -> JsonValue:
    return {"a set": {1}}  # type: ignore[dict-item]  # what hosts do by mistake


def too_large(_: StepContext) -> JsonValue:
    return "x" * PAYLOAD_BYTES_MAX


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (never, "RuntimeError: 模拟器没有回应 💥"),
        (too_much, "percent 101 is not a number"),
        (no_json, "can't be kept as JSON"),
        (too_large, f"the limit is {PAYLOAD_BYTES_MAX}"),
    ],
)
def test_a_step_that_always_fails_fails_the_run_there(
    log: ResumeLog, step: Step, error: str
) -> None:
    host = SmallHost(starting=step)
    pilot = automatic(log, host)
    pilot.start(SIM)
    run = ended(pilot)
    assert (run.status, run.error_step) == ("failed", "starting")
    assert error in str(run.error)
    assert [attempt for name, attempt in host.begun if name == "starting"] == [1, 2, 3]


def test_every_failed_attempt_is_in_the_log(log: ResumeLog) -> None:
    pilot = automatic(log, SmallHost(starting=never))
    pilot.start(SIM)
    ended(pilot)
    events = events_of(log, SIM)
    failed = [(one.step, one.attempt) for one in events if isinstance(one, StepFailed)]
    assert failed == [("starting", 1), ("starting", 2), ("starting", 3)]
    assert isinstance(events[-1], Failed)
    assert events[-1].step == "starting"


def test_a_failed_run_is_started_again_at_its_failed_step(log: ResumeLog) -> None:
    broken = SmallHost(starting=never)
    pilot = automatic(log, broken)
    pilot.start(SIM)
    ended(pilot)
    mended = SmallHost()
    pilot = log.autopilot(mended)
    pilot.start(SIM)
    assert ended(pilot).status == "completed"
    assert mended.begun[0] == ("starting", 1)
