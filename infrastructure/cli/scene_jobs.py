"""What `resumelog run` does for each scene, checked whole before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from resumelog.domain.errors import BadKey, DuplicateScene
from resumelog.domain.plan import Plan, own_key
from resumelog.domain.values import JsonObject
from resumelog.infrastructure.cli.inputs import InputScene
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.runnable import require_runnable
from resumelog.infrastructure.cli.template import artifact_path, filled, names, values_of

LABEL_CHARS = 60


class SceneJob(NamedTuple):
    """One scene's command and the file it makes."""

    command: tuple[str, ...]
    values: dict[str, str]
    artifact: Path | None
    where: str
    has_own_key: bool

    def argv(self, partial: Path | None) -> list[str]:
        """Return the command, with the temporary path as {artifact}."""
        values = self.values | ({"artifact": str(partial)} if partial else {})
        return [filled(part, values, self.where) for part in self.command]

    @property
    def label(self) -> str:
        """How a person knows the scene: its key if it has one of its own, else its line."""
        return self.values["key" if self.has_own_key else "line"][:LABEL_CHARS]


def plan_of(scenes: Sequence[InputScene], command: tuple[str, ...], artifact: str | None) -> Plan:
    """Return the plan; a scene's command and path, filled in, are part of its input."""
    params: JsonObject = {"command": [*command], "artifact": artifact}
    _require_artifact(command, artifact)
    for scene in scenes:
        _require_key(scene)

    def made_by(key: str, index: int) -> JsonValue:
        job = _job(scenes[index], index, key, command, artifact)
        place = str(job.artifact.absolute()) if job.artifact else None
        return [*job.argv(Path("{artifact}")), place]

    try:
        contents = [scene.content for scene in scenes]
        return Plan(contents, params, made_by=made_by, makes_files=artifact is not None)
    except DuplicateScene as error:
        both = f"{scenes[error.first].where} and {scenes[error.second].where}"
        why = f"both have the key {error.scene!r}; give each scene its own id"
        raise InputError(f"{both} {why}") from None


def _require_key(scene: InputScene) -> None:
    try:
        own_key(scene.content)
    except BadKey as error:
        raise InputError(f"{scene.where}: {error}") from None


def jobs_of(
    scenes: Sequence[InputScene], plan: Plan, command: tuple[str, ...], artifact: str | None
) -> dict[str, SceneJob]:
    """Return each scene's job by key. Raises InputError for what could never run."""
    jobs: dict[str, SceneJob] = {}
    writers: dict[Path, str] = {}
    for index, (key, scene) in enumerate(zip(plan, scenes, strict=True)):
        jobs[key] = job = _job(scene, index, key, command, artifact)
        if job.artifact and writers.setdefault(job.artifact, job.where) != job.where:
            both = f"{writers[job.artifact]} and {job.where}"
            raise InputError(f"{both} would both write {job.artifact}")
        _require_runnable(job.argv(job.artifact), job.where)
    return jobs


def _job(
    scene: InputScene, index: int, key: str, command: tuple[str, ...], artifact: str | None
) -> SceneJob:
    values = values_of(scene, index, key)
    path = Path(artifact_path(artifact, values, scene.where)) if artifact else None
    return SceneJob(command, values, path, scene.where, own_key(scene.content) is not None)


def _require_artifact(command: tuple[str, ...], artifact: str | None) -> None:
    wants = "artifact" in names(command)
    if artifact and not wants:
        raise InputError("COMMAND has no {artifact}; let it write to that path")
    if wants and not artifact:
        raise InputError("COMMAND writes to {artifact}; name the file with --artifact")


def _require_runnable(argv: list[str], where: str) -> None:
    if any("\0" in part for part in argv):
        raise InputError(f"{where} has a NUL character, which no command can take")
    require_runnable(argv[0])
