"""Batches on asyncio: how they are opened, and why the log says that they ended."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue
from support.logs import events_of, scenes

from resumelog import AsyncBatch, Batch, ResumeLog
from resumelog.application.async_session import AsyncSession
from resumelog.domain.scene_events import Interrupted

NAME = "归途/分镜"
EIGHT = scenes(*range(1, 9))


def opening(
    log: ResumeLog, plan: list[JsonValue] = EIGHT, **options: Any
) -> AsyncSession[Batch, AsyncBatch]:
    return log.scenes.open_async("归途", "分镜", scenes=plan, **options)


def opened(log: ResumeLog, plan: list[JsonValue] = EIGHT, **options: Any) -> Batch:
    return log.scenes.open("归途", "分镜", scenes=plan, **options)


def last_interruption(log: ResumeLog) -> Interrupted:
    last = events_of(log, NAME)[-1]
    assert isinstance(last, Interrupted)
    return last
