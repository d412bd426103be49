"""A batch that was finished, or whose worker is gone, for those that clean up after them."""

from __future__ import annotations

from datetime import timedelta

from pydantic import JsonValue
from support.logs import make_scenes, names_of, scenes

from resumelog import ResumeLog
from resumelog.application.ports import InFlight
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import Claim, Worker
from resumelog.infrastructure.processes import this_worker

ALL = timedelta(0)
STAGE = ("电影", "分镜")
BATCH = SceneBatch.named(*STAGE)
LONG = "很长的剧本 🎬" * 200


def finish(
    log: ResumeLog, total: int = 2, *, stage: str = STAGE[1], result: JsonValue = LONG
) -> list[str]:
    """Make the scenes 1 to `total` that are left, and return them."""
    batch = log.scenes.open(STAGE[0], stage, scenes=scenes(*range(1, total + 1)))
    return make_scenes(batch, result=lambda _: result)


def removed_values(log: ResumeLog) -> int:
    """Count how often the values of the batch were removed."""
    return names_of(log, BATCH).count("PayloadsRemoved")


def dead_with(
    log: ResumeLog,
    *units: InFlight,
    stage: str = STAGE[1],
    worker: Worker | None = None,
    beat: float = 1.0,
) -> None:
    """Let the worker of two scenes be gone, with these units in flight."""
    ours, batch = this_worker(), SceneBatch.named(STAGE[0], stage)
    worker = worker or ours.model_copy(update={"started": ours.started - 1})
    log.scenes.open(STAGE[0], stage, scenes=scenes(1, 2))
    table = log.leases.table
    held = table.read(batch.id)
    assert held is not None
    table.beat(f"another {stage}", worker.model_dump_json(), beat, 15)
    assert table.take(batch.id, held, held.epoch + 1, f"another {stage}")
    log.leases.begun(batch.id, Claim(worker, held.epoch + 1), units)
