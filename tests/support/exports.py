"""The commands of an export with canonical arguments, for `given` and `when`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from support.canonical import CLIP, DIGEST, NOW, WORKER, claim
from support.scenario import Command

from resumelog.domain.export_job import ExportJob, Report, Work
from resumelog.domain.export_state import ExportState
from resumelog.domain.values import Artifact, Attempt

ExportCommand = Command[ExportJob]

WORK = Work("剪映导出", "/srv/作品/成片🎬.mp4", "1" * 64)
OTHER_INPUT = WORK._replace(inputs_sha256="2" * 64)
STATE = ExportState("/旧/.export_state", DIGEST, 0.64, NOW, {"progress": 0.64, "date": "…"})
"""What an old exporter left."""


def import_progress(
    progress: float = 0.64, sha256: str = DIGEST, at: datetime = NOW
) -> ExportCommand:
    state = STATE._replace(progress=progress, sha256=sha256)
    return lambda job: job.import_progress(state, WORKER, at)


def begin(
    epoch: int = 1,
    *,
    work: Work = WORK,
    in_flight: tuple[Attempt, ...] | None = None,
    at: datetime = NOW,
    **options: Any,
) -> ExportCommand:
    by = claim(epoch, in_flight)
    return lambda job: job.begin(work, by, at, **options)


def save(
    progress: float = 0.25,
    done: int | None = None,
    total: int | None = None,
    cursor: JsonValue = None,
    *,
    epoch: int = 1,
    at: datetime = NOW,
) -> ExportCommand:
    report = Report(progress, done, total, cursor)
    return lambda job: job.save_progress(report, claim(epoch), at)


def begin_again(reason: str = "从头来", epoch: int = 1, at: datetime = NOW) -> ExportCommand:
    return lambda job: job.begin_again(reason, claim(epoch), at)


def pause(reason: str = "午休 🍜", actor: str = "小王", at: datetime = NOW) -> ExportCommand:
    return lambda job: job.pause(reason, actor, at)


def interrupt(cause: object = "SIGTERM", epoch: int = 1, at: datetime = NOW) -> ExportCommand:
    return lambda job: job.interrupt(cause, claim(epoch), at)


def fail(error: object = "编码器崩溃 💥", epoch: int = 1, at: datetime = NOW) -> ExportCommand:
    return lambda job: job.fail(error, claim(epoch), at)


def complete(artifact: Artifact | None = CLIP, epoch: int = 1, at: datetime = NOW) -> ExportCommand:
    return lambda job: job.complete(artifact, claim(epoch), at)


def restart(reason: str = "重来", at: datetime = NOW) -> ExportCommand:
    return lambda job: job.restart(reason, at)


def restart_if_completed(reason: str = "重来", at: datetime = NOW) -> ExportCommand:
    return lambda job: job.restart_if_completed(reason, at)
