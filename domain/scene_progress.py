"""What the old scene writer left of one stage, and what of it can be taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import Field, JsonValue

from resumelog.domain.plan import Plan
from resumelog.domain.values import SCENES_MAX, JsonObject, Sha256, Value


class SceneEntry(Value):
    """One whole entry: `scene_index` from 0, what the scene said (object or text), its result."""

    scene_index: Annotated[int, Field(strict=True, ge=0, lt=SCENES_MAX)]
    scene_info: JsonValue
    result: JsonValue


class SceneText(Value):
    """A text beside the storyboards: "# name", an empty line, the script."""

    scene_index: int
    name: str
    script: str


class SceneProgress(Value):
    """What one progress file says: `recorded_at` is naive local time, `doubts` are sentences.

    `context` holds world_bible and scenes_analysis, `claimed` what the file says of itself:
    timestamp, total_scenes, last_completed_scene.
    """

    source: str
    sha256: Sha256
    entries: tuple[SceneEntry, ...] = ()
    texts: tuple[SceneText, ...] = ()
    context: JsonObject = Field(default_factory=dict)
    claimed: JsonObject = Field(default_factory=dict)
    recorded_at: datetime | None = None
    doubts: tuple[str, ...] = ()


class ImportedScenes(NamedTuple):
    """What is taken from a progress file: results by the keys of `plan`, which has no params.

    `holes` are the indexes below the highest one that have no entry, `duplicates` those with more
    than one; `doubts` say what was not taken, and why.
    """

    source: str
    sha256: str
    plan: Plan
    results: Mapping[str, JsonValue]
    after: str | None = None
    recorded_at: datetime | None = None
    recorded: JsonObject | None = None
    holes: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()
    doubts: tuple[str, ...] = ()
