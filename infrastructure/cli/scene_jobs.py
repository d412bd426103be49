"""What `resumelog run` does for each scene, checked whole before anything is written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from resumelog.domain.errors import BadKey, DuplicateScene
from resumelog.domain.plan import Plan, own_key
from resumelog.infrastructure.cli.inputs import InputScene
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.recipe import Recipe
from resumelog.infrastructure.cli.runnable import require_runnable
from resumelog.infrastructure.cli.template import artifact_path, filled, names, values_of

LABEL_CHARS = 60
BEFORE = {"before": "{before}", "before_file": "{before_file}"}
"""They stand for themselves until a scene is begun: what they are is a part of its input anyway."""


class SceneJob(NamedTuple):
    """One scene's command and the file it makes."""

    recipe: Recipe
    values: dict[str, str]
    artifact: Path | None
    where: str
    has_own_key: bool

    def argv(self, template: Sequence[str], given: Mapping[str, str]) -> list[str]:
        """Return a command of the recipe, filled in with what is known since the scene was begun."""
        values = {**self.values, **given}
        return [filled(part, values, self.where) for part in template]

    @property
    def place(self) -> Path | None:
        """Where its file belongs."""
        return Path(self.recipe.folder) / self.artifact if self.artifact else None

    @property
    def label(self) -> str:
        """How a person knows the scene: its key if it has one of its own, else its line."""
        return self.values["key" if self.has_own_key else "line"][:LABEL_CHARS]


def plan_of(recipe: Recipe, scenes: Sequence[InputScene]) -> Plan:
    """Return the plan; a scene's command and path, filled in, are part of its input."""
    _require_given(recipe)
    for scene in scenes:
        _require_key(scene)

    def made_by(key: str, index: int) -> JsonValue:
        job = _job(recipe, scenes[index], index, key)
        place = str(job.place) if job.place else None
        return [*job.argv(recipe.command, _unknown(recipe)), place]

    try:
        return Plan(
            [scene.content for scene in scenes],
            recipe.plan_params,
            recipe.context(scenes),
            made_by=made_by,
            makes_files=recipe.artifact is not None,
            revision=recipe.revision,
        )
    except DuplicateScene as error:
        both = f"{scenes[error.first].where} and {scenes[error.second].where}"
        why = f"both have the key {error.scene!r}; give each scene its own id"
        raise InputError(f"{both} {why}") from None


def jobs_of(recipe: Recipe, scenes: Sequence[InputScene], plan: Plan) -> dict[str, SceneJob]:
    """Return each scene's job by key. Raises InputError for what could never run."""
    jobs: dict[str, SceneJob] = {}
    writers: dict[Path, str] = {}
    for index, (key, scene) in enumerate(zip(plan, scenes, strict=True)):
        jobs[key] = job = _job(recipe, scene, index, key)
        if job.artifact and writers.setdefault(job.artifact, job.where) != job.where:
            both = f"{writers[job.artifact]} and {job.where}"
            raise InputError(f"{both} would both write {job.artifact}")
        for template in filter(None, (recipe.command, recipe.check)):
            _require_runnable(job.argv(template, _unknown(recipe)), job.where, recipe.folder)
    return jobs


def _job(recipe: Recipe, scene: InputScene, index: int, key: str) -> SceneJob:
    values = values_of(scene, index, key, recipe.params)
    template = recipe.artifact
    path = Path(artifact_path(template, values, scene.where)) if template else None
    return SceneJob(recipe, values, path, scene.where, own_key(scene.content) is not None)


def _unknown(recipe: Recipe) -> dict[str, str]:
    """Return what stands for itself until a scene is begun."""
    artifact = {"artifact": "{artifact}"} if recipe.artifact else {}
    return {**artifact, **(BEFORE if recipe.after else {})}


def _require_key(scene: InputScene) -> None:
    try:
        own_key(scene.content)
    except BadKey as error:
        raise InputError(f"{scene.where}: {error}") from None


def _require_given(recipe: Recipe) -> None:
    """Refuse placeholders that nothing is given for, and a file that nobody writes."""
    wants = "artifact" in names(recipe.command)
    if recipe.artifact and not wants:
        raise InputError("COMMAND has no {artifact}; let it write to that path")
    if not recipe.artifact and (wants or "artifact" in names(recipe.check)):
        raise InputError("COMMAND writes to {artifact}; name the file with --artifact")


def _require_runnable(argv: list[str], where: str, folder: str) -> None:
    if any("\0" in part for part in argv):
        raise InputError(f"{where} has a NUL character, which no command can take")
    name = argv[0]
    is_elsewhere = os.sep in name and Path(folder) != Path.cwd()
    require_runnable(str(Path(folder) / name) if is_elsewhere else name)
