"""The commands of an autopilot run with canonical arguments, for `given` and `when`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from support.canonical import NOW, claim
from support.scenario import Command

from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.values import Payload

RunCommand = Command[AutoPilotRun]

STEPS = ("preparing", "starting", "monitoring", "generating_report")


def configure(mode: Any = "auto", actor: str = "小王", at: datetime = NOW) -> RunCommand:
    return lambda run: run.configure(mode, actor, at)


def start(epoch: int = 1, *, at: datetime = NOW, **options: Any) -> RunCommand:
    return lambda run: run.start(claim(epoch), at, **options)


def recover(epoch: int = 2, at: datetime = NOW) -> RunCommand:
    return lambda run: run.recover(claim(epoch), at)


def start_step(
    step: str = "preparing", attempt: int = 1, epoch: int = 1, at: datetime = NOW
) -> RunCommand:
    return lambda run: run.start_step(step, attempt, claim(epoch), at)


def save(percent: float = 40.0, *, epoch: int = 1, at: datetime = NOW, **facts: Any) -> RunCommand:
    return lambda run: run.save_progress(percent, claim(epoch), at, **facts)


def poll_failed(
    in_a_row: int = 1, error: object = "超时 ⏱", epoch: int = 1, at: datetime = NOW
) -> RunCommand:
    return lambda run: run.poll_failed(error, in_a_row, claim(epoch), at)


def complete_step(
    step: str = "preparing",
    epoch: int = 1,
    *,
    result: JsonValue = None,
    active_s: float = 0.0,
    at: datetime = NOW,
) -> RunCommand:
    payload = None if result is None else Payload.of(result)
    return lambda run: run.complete_step(step, claim(epoch), at, result=payload, active_s=active_s)


def fail_step(
    step: str = "preparing",
    attempts_max: int = 3,
    error: object = "模拟器没有回应 💥",
    epoch: int = 1,
    at: datetime = NOW,
) -> RunCommand:
    return lambda run: run.fail_step(step, error, attempts_max, claim(epoch), at)


def pause(reason: str = "午休 🍜", actor: str = "小王", at: datetime = NOW) -> RunCommand:
    return lambda run: run.pause(reason, actor, at)


def resume(actor: str = "小王", at: datetime = NOW) -> RunCommand:
    return lambda run: run.resume(actor, at)


def stop(actor: str = "小王", at: datetime = NOW) -> RunCommand:
    return lambda run: run.stop(actor, at)


def reset(actor: str = "小王", at: datetime = NOW) -> RunCommand:
    return lambda run: run.reset(actor, at)


def step_done(step: str, epoch: int = 1) -> tuple[RunCommand, RunCommand]:
    """Start a step and complete it."""
    return start_step(step, epoch=epoch), complete_step(step, epoch)


STARTED = (configure(), start())
WORKING = (*STARTED, start_step())
COMPLETED = (*STARTED, *(command for step in STEPS for command in step_done(step)))
FAILED = (*WORKING, fail_step(attempts_max=1))
