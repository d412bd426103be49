"""The project folder of the old scene writer, read into batches and written from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from resumelog.application.errors import JobNotFound, NoWholeScene
from resumelog.application.scene_batches import SceneBatches
from resumelog.application.scene_records import RecordedScenes
from resumelog.domain.scene_match import scenes_to_import
from resumelog.domain.scene_progress import ImportedScenes
from resumelog.infrastructure.transfer.scene_files import (
    WrittenFiles,
    scene_files,
    write_scene_files,
)
from resumelog.infrastructure.transfer.scene_progress import FORMATS, read_scene_folder


class ImportedStage(NamedTuple):
    """What was found in the file of one stage, and whether it was imported now."""

    found: ImportedScenes
    is_new: bool


def import_folder(
    scenes: SceneBatches,
    folder: str | Path,
    project: str,
    plan: Sequence[JsonValue] | None,
    *,
    trust_index: bool,
) -> dict[str, ImportedStage]:
    """Import what a folder holds; see ResumeLog.import_scenes."""
    found = found_in(folder, plan, trust_index=trust_index)
    some = {stage: each for stage, each in found.items() if each.results}
    events = scenes.import_progress(project, some)
    return {
        stage: ImportedStage(each, is_new=bool(events.get(stage))) for stage, each in found.items()
    }


def found_in(
    folder: str | Path, plan: Sequence[JsonValue] | None, *, trust_index: bool
) -> dict[str, ImportedScenes]:
    """Return what can be imported from a folder, by stage. Raises BadStateFile."""
    after = {stage: form.after for stage, form in FORMATS.items()}
    files = read_scene_folder(folder)
    found = scenes_to_import(files, plan, after, trust_index=trust_index)
    if not any(each.results for each in found.values()):
        doubts = tuple(doubt for each in found.values() for doubt in each.doubts)
        path = str(Path(folder).absolute()).encode(errors="backslashreplace").decode()
        raise NoWholeScene(
            path=path, why="; ".join(doubts[:3]) or "no scene is done", doubts=doubts
        )
    return found


def export_folder(
    scenes: SceneBatches,
    project: str,
    folder: str | Path,
    plan: Sequence[JsonValue] | None,
    stages: Collection[str] | None,
    *,
    force: bool,
) -> WrittenFiles:
    """Write what a log holds of a project; see ResumeLog.export_scenes."""
    recorded: dict[str, RecordedScenes] = {}
    missing: JobNotFound | None = None
    for stage in FORMATS if stages is None else stages:
        try:
            recorded[stage] = scenes.recorded(project, stage, plan)
        except JobNotFound as error:
            missing = missing or error
            if stages is not None:
                raise
    if missing and not recorded:
        raise missing
    return write_scene_files(Path(folder), scene_files(recorded), force=force)
