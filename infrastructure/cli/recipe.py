"""What a `resumelog run` does, as it is kept with the plan, so that it can be done again from the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import JsonValue

from resumelog.application.errors import PayloadGone
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import JsonObject
from resumelog.infrastructure.cli.inputs import InputScene, read_scenes
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.template import names

if TYPE_CHECKING:
    from resumelog.application.event_log import EventLog

SCENES_BYTES_MAX = 4 * 1024 * 1024
"""More than that of scenes is read from INPUT again."""
OF_ONE_RUN = ("workers", "stop_after_failures")
"""Options that change nothing in what is made: another value is not recorded by itself."""


@dataclass(frozen=True)
class Recipe:
    """A command for each scene, and how it is run; `folder` is where, `source` is INPUT or "-"."""

    command: tuple[str, ...]
    source: str = "-"
    format_name: str = "auto"
    folder: str = field(default_factory=lambda: str(Path.cwd()))
    artifact: str | None = None
    check: tuple[str, ...] = ()
    after: str | None = None
    params: JsonObject = field(default_factory=dict)
    workers: int = 1
    retries: int | None = None
    backoff_s: float = 5.0
    timeout_s: float | None = None
    stop_after_failures: int | None = None

    @cached_property
    def plan_params(self) -> JsonObject:
        """Return what is part of every scene's input."""
        given: JsonObject = {"params": self.params} if self.params else {}
        return {"command": [*self.command], "artifact": self.artifact, **given}

    @property
    def as_json(self) -> JsonObject:
        """Return it as it is kept."""
        return {**asdict(self), "command": [*self.command], "check": [*self.check]}

    @property
    def revision(self) -> JsonValue:
        """Return what makes it another recipe, to be recorded anew."""
        return {name: value for name, value in self.as_json.items() if name not in OF_ONE_RUN}

    def context(self, scenes: Sequence[InputScene]) -> JsonObject:
        """Return what is kept with the plan; too many bytes of scenes stay where they came from."""
        contents = [scene.content for scene in scenes]
        kept: JsonObject = {"scenes": contents}
        if "line" in names([*self.command, *self.check, self.artifact or ""]):
            kept["lines"] = [scene.line for scene in scenes]
        size = len(json.dumps(kept, ensure_ascii=False).encode(errors="replace"))
        return {"run": {**self.as_json, **(kept if size <= SCENES_BYTES_MAX else {})}}


def recorded_recipe(log: EventLog, batch: SceneBatch) -> tuple[Recipe, list[InputScene]]:
    """Return what the last run of a batch did, and its scenes. Raises InputError if it isn't known."""
    event = batch.decided_by.get("plan")
    try:
        plan: Any = log.value(batch.id, event.originator_version) if event else {}
    except PayloadGone:
        plan = {}
    kept = plan.get("context", {}).get("run") if plan else None
    if not kept:
        _refuse(batch, "does not hold its command")
    known = {each.name for each in fields(Recipe)}
    facts = {name: value for name, value in kept.items() if name in known}
    tuples = {name: (*kept[name],) for name in ("command", "check")}
    recipe = Recipe(**{**facts, **tuples})
    return recipe, _scenes(batch, recipe, kept)


def _scenes(batch: SceneBatch, recipe: Recipe, kept: JsonObject) -> list[InputScene]:
    contents, lines = kept.get("scenes"), kept.get("lines")
    if isinstance(contents, list):
        told = lines if isinstance(lines, list) else [*map(_line, contents)]
        both = enumerate(zip(contents, told, strict=True), 1)
        return [InputScene(each, str(line), f"scene {number}") for number, (each, line) in both]
    if recipe.source == "-":
        _refuse(batch, "does not hold its scenes, which came by standard input")
    return read_scenes(recipe.source, recipe.format_name)


def _line(content: JsonValue) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _refuse(batch: SceneBatch, why: str) -> NoReturn:
    name = "/".join(batch.natural_key)
    raise InputError(f"{name}: the log {why}; run the same command with --retry-failed")
