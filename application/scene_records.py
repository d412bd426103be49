"""What a log holds of a batch for whoever writes it elsewhere: scenes, results, context."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from pydantic import JsonValue

from resumelog.application.errors import NoSceneContent
from resumelog.application.event_log import EventLog
from resumelog.domain.events import Imported
from resumelog.domain.plan import Plan, own_key
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import Opened, PlanRevised
from resumelog.domain.values import JsonObject

_OPENED_AT = 2
"""The version of the Opened of an import."""


class RecordedScene(NamedTuple):
    """One scene that is done: its place in the plan, from 0, what it says, its result."""

    place: int
    content: JsonValue
    result: JsonValue


class RecordedScenes(NamedTuple):
    """The scenes of a batch that are done, in the plan's order, and when the last was recorded."""

    title: str
    scenes: tuple[RecordedScene, ...]
    context: JsonObject
    recorded_at: datetime


def recorded_scenes(
    log: EventLog,
    batch: SceneBatch,
    taken: Callable[[str], JsonValue],
    scenes: Sequence[JsonValue] | None,
) -> RecordedScenes:
    """Return what is done; `scenes` say what they are where the log does not. Raises NoSceneContent."""
    plan = cast("Opened | PlanRevised", batch.decided_by["plan"])
    kept = _kept(log, plan)
    imported = _kept(log, log.event(batch.id, _OPENED_AT)) if batch.imported_from else {}
    old = imported.get("context", {})
    contents = Plan(old.get("scenes", []) if scenes is None else scenes, plan.params)
    keys: list[str] = kept["scenes"]
    indexes = old["indexes"] if keys == imported.get("scenes") else range(len(keys))
    done = {key: index for key, index in zip(keys, indexes, strict=True) if batch.is_done(key)}
    for key in done:
        if not _says(contents, key, batch, taken):
            raise NoSceneContent(batch.title, scene=key)
    events = log.events_at(batch.id, [batch.scenes[key].version for key in done])
    results = map(log.value_of, events)
    made = zip(done.items(), results, strict=True)
    return RecordedScenes(
        batch.title,
        tuple(RecordedScene(index, contents[key], result) for (key, index), result in made),
        {**old, **kept["context"]},
        _recorded_at(log, batch),
    )


def _kept(log: EventLog, event: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", log.value_of(event))


def _says(plan: Plan, key: str, batch: SceneBatch, taken: Callable[[str], JsonValue]) -> bool:
    """Tell whether a plan has the scene as it was when its result was made.

    A key that is made from the content proves that. With one of its own the fingerprint does,
    unless a command is part of that: then it is whoever hands the plan in who says so.
    """
    if key not in plan:
        return False
    if own_key(plan[key]) is None or "command" in plan.params:
        return True
    made_from = batch.scenes[key].fingerprint
    return made_from in (plan.imported_fingerprint(key), plan.fingerprint(key, taken(key)))


def _recorded_at(log: EventLog, batch: SceneBatch) -> datetime:
    """Return when the old file was written while nothing came after it, else the last event's time."""
    if batch.imported_from and not batch.epoch:
        imported = log.event(batch.id, 1)
        if isinstance(imported, Imported) and imported.recorded_at:
            return imported.recorded_at
    assert batch.modified_at
    return batch.modified_at
