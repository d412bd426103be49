"""resumelog import DIR: what the old scene writer left of a project, as the beginning of its batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resumelog.domain.wording import counted
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.printing import print_json, print_lines

if TYPE_CHECKING:
    from pydantic import JsonValue

    from resumelog.infrastructure.bootstrap import ResumeLog
    from resumelog.infrastructure.transfer.scene_folder import ImportedStage

DOUBTS_SHOWN = 20
FILE_NAMES = ("storyboard_progress.json", "enhancement_progress.json")


def scene_folder(source: str, key: str | None, project: str | None) -> Path | None:
    """Return the project folder that is meant; None where it is an export's file."""
    path = Path(source)
    folder = path.parent if path.name in FILE_NAMES else path
    is_one = any((folder / name).exists() for name in FILE_NAMES)
    if key is None:
        return folder if is_one or project is not None or (source and path.is_dir()) else None
    if is_one and (path.is_dir() or path.name in FILE_NAMES):
        raise InputError("scenes have no --key; name the project that they belong to by --project")
    return None


def import_scenes(
    folder: Path,
    project: str | None,
    plan: str | None,
    url: str | None,
    *,
    trust_index: bool,
    wants_json: bool,
) -> None:
    """Import a project's scenes and tell what was taken and what was not."""
    import resumelog
    from resumelog.domain.scene_batch import SceneBatch
    from resumelog.infrastructure.transfer.scene_folder import found_in

    if project is None:
        raise InputError("a folder of scenes belongs to a project; name it with --project")
    SceneBatch.named(project, "storyboard")
    scenes = scenes_of(plan)
    found_in(folder, scenes, trust_index=trust_index)  # refused before a log is made
    with resumelog.open(url) as log:
        stages = log.import_scenes(folder, project=project, plan=scenes, trust_index=trust_index)
        versions = {stage: _version(log, project, stage) for stage in stages}
    if wants_json:
        documents = [_document(project, name, it, versions[name]) for name, it in stages.items()]
        print_json({"project": project, "stages": documents})
    else:
        for stage, it in stages.items():
            print_lines(_told(project, stage, it))


def scenes_of(plan: str | None) -> list[JsonValue] | None:
    """Return the scenes of a plan, in any form that `run` reads. Raises InputError."""
    if plan is None:
        return None
    from resumelog.infrastructure.cli.inputs import read_scenes

    return [scene.content for scene in read_scenes(plan)]


def _version(log: ResumeLog, project: str, stage: str) -> int:
    from resumelog.domain.scene_batch import SceneBatch

    return log.log.recover(SceneBatch.named(project, stage)).version


def _document(project: str, stage: str, it: ImportedStage, version: int) -> dict[str, object]:
    found = it.found
    return {
        "stage": stage,
        "job": f"{project}/{stage}",
        "imported": it.is_new,
        "scenes": len(found.results),
        "of": len(found.plan),
        "keys": [*found.results],
        "holes": [*found.holes],
        "duplicates": [*found.duplicates],
        "doubts": [*found.doubts],
        "source": found.source,
        "sha256": found.sha256,
        "recorded_at": found.recorded_at and found.recorded_at.isoformat(),
        "version": version,
    }


def _told(project: str, stage: str, it: ImportedStage) -> list[str]:
    found, job = it.found, f"batch {project}/{stage}"
    taken = f"{len(found.results)} of {counted(len(found.plan), 'scene')}"
    lines = [f"{job}: imported {taken} from {found.source}"]
    if not found.results:
        lines = [f"{job}: nothing of {found.source} can be imported"]
    elif not it.is_new:
        lines = [f"{job}: this file was imported before, and nothing changed"]
    for indexes, what in (
        (found.holes, "without an entry"),
        (found.duplicates, "with several entries"),
    ):
        scenes = counted(len(indexes), "scene")
        lines += [f"  {scenes} {what}: index {_indexes(indexes)}"] * bool(indexes)
    lines += [f"  doubt: {doubt}" for doubt in found.doubts[:DOUBTS_SHOWN]]
    if (more := len(found.doubts) - DOUBTS_SHOWN) > 0:
        lines.append(f"  and {counted(more, 'more doubt')}; --json tells all")
    return lines


def _indexes(indexes: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, indexes[:DOUBTS_SHOWN]))
    return shown + (" …" if len(indexes) > DOUBTS_SHOWN else "")
