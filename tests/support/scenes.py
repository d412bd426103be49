"""The commands of a scene batch with canonical plans and outcomes, for `given` and `when`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from support.canonical import DIGEST, NOW, claim
from support.scenario import Command

from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import Adopted, Outcome, SceneBatch
from resumelog.domain.scene_progress import ImportedScenes
from resumelog.domain.values import Artifact, Attempt, Payload

BatchCommand = Command[SceneBatch]


def plan_of(*ids: str, style: str = "水墨") -> Plan:
    """Return a plan of these scenes."""
    scenes: list[JsonValue] = [{"id": key, "text": f"第 {key} 场 🎬"} for key in ids]
    return Plan(scenes, params={"style": style}, context={"world": {"name": "江湖", "era": None}})


PLAN = plan_of("s1", "s2", "s3")
SCRIPT: JsonValue = {"script": "雨夜，他推开门。🌧", "shots": [1, None]}


def done(
    scene: str,
    attempt: int = 1,
    *,
    result: JsonValue = SCRIPT,
    artifact: Artifact | None = None,
    plan: Plan = PLAN,
) -> Outcome:
    """Return a completed attempt."""
    payload = Payload.of(result)
    return Outcome(scene, plan.fingerprint(scene), attempt, payload, artifact, elapsed_s=1.5)


def failed(scene: str, attempt: int = 1, *, error: str = "空结果 ❌", plan: Plan = PLAN) -> Outcome:
    """Return an attempt that failed."""
    return Outcome(scene, plan.fingerprint(scene), attempt, error=error)


def begin(
    epoch: int = 1,
    *,
    plan: Plan = PLAN,
    in_flight: tuple[Attempt, ...] | None = None,
    at: datetime = NOW,
    **options: Any,
) -> BatchCommand:
    by = claim(epoch, in_flight)
    return lambda batch: batch.begin(plan, by, at, **options)


def record(
    *outcomes: Outcome, epoch: int = 1, plan: Plan = PLAN, at: datetime = NOW
) -> BatchCommand:
    return lambda batch: batch.record(outcomes, plan, claim(epoch), at)


def invalidate(
    *scenes: str, plan: Plan = PLAN, epoch: int | None = None, at: datetime = NOW
) -> BatchCommand:
    reasons = dict.fromkeys(scenes, "文件不见了")
    by = claim(epoch) if epoch is not None else None
    return lambda batch: batch.invalidate(reasons, plan, at, by)


def pause(reason: str = "午休 🍜", actor: str = "小王", at: datetime = NOW) -> BatchCommand:
    return lambda batch: batch.pause(reason, actor, at)


def stop(actor: str = "小王", at: datetime = NOW) -> BatchCommand:
    return lambda batch: batch.stop(actor, at)


def reopen(reason: str = "再来", actor: str = "小王", at: datetime = NOW) -> BatchCommand:
    return lambda batch: batch.reopen(reason, actor, at)


def finish(epoch: int = 1, plan: Plan = PLAN, at: datetime = NOW) -> BatchCommand:
    return lambda batch: batch.finish(plan, claim(epoch), at)


def interrupt(
    *in_flight: Attempt, cause: object = "SIGTERM", epoch: int = 1, at: datetime = NOW
) -> BatchCommand:
    return lambda batch: batch.interrupt(cause, in_flight, claim(epoch), at)


def old_scenes(
    *results: str, plan: Plan = PLAN, result: JsonValue = SCRIPT, sha256: str = DIGEST
) -> ImportedScenes:
    """Return what an old file holds of these scenes."""
    return ImportedScenes(
        "/旧/storyboard_progress.json",
        sha256,
        Plan([*plan.values()], context={"world_bible": "江湖"}),
        dict.fromkeys(results, result),
        after="analysis",
        recorded_at=NOW,
        recorded={"total_scenes": len(results)},
    )


def import_progress(*results: str, at: datetime = NOW, **options: Any) -> BatchCommand:
    old = old_scenes(*results, **options)
    return lambda batch: batch.import_progress(old, at)


def adopted(*scenes: str, plan: Plan = PLAN, result: JsonValue = SCRIPT) -> dict[str, Adopted]:
    """Return the same results for the input that the plan has now."""
    return {key: Adopted(plan.fingerprint(key), Payload.of(result)) for key in scenes}
