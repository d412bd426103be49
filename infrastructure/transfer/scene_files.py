"""What a log holds of a project, as the files of the old scene writer, for tools that read them.

A file that another program wrote is not replaced: the sha256 of what was written stands in a note
beside them, from before each of them is moved into place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from resumelog.application.errors import ForeignFile, NoOldForm
from resumelog.application.scene_records import RecordedScene, RecordedScenes
from resumelog.domain.scene_match import CONTEXT_FIELDS
from resumelog.infrastructure.artifacts import sha256_of
from resumelog.infrastructure.manifest_files import write_whole
from resumelog.infrastructure.transfer.scene_progress import FORMATS, Format

NOTE = ".resumelog-files.json"


class WrittenFiles(NamedTuple):
    """The names of the files that were written, that were so already, and that were removed."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def scene_files(stages: Mapping[str, RecordedScenes]) -> dict[str, str]:
    """Return the old files of a project by their names below its folder. Raises NoOldForm."""
    files = {}
    for stage, recorded in stages.items():
        form = FORMATS[stage]
        files[form.file_name] = _json(_document(form, recorded))
        if form.after is None:
            files |= {_text_name(scene): _text(scene) for scene in recorded.scenes}
    return files


def write_scene_files(
    folder: Path, files: Mapping[str, str], *, force: bool = False
) -> WrittenFiles:
    """Write files, each whole or not at all, and remove those of earlier scenes that are no longer done.

    Raises ForeignFile, before anything is written, where another program's file would be replaced,
    and OSError.
    """
    note = _Note(folder)
    wanted = {name: _digest(text) for name, text in files.items()}
    there = {name: found for name in {*wanted, *note.sums} if (found := _sha256(folder / name))}
    for name in filter(there.get, files):
        if not force and there[name] not in (wanted[name], *note.sums.get(name, ())):
            raise ForeignFile(path=str(folder / name))
    changed = [name for name in files if there.get(name) != wanted[name]]
    stale = [name for name in note.texts(there) if name not in wanted] if _has_texts(files) else []
    if changed or stale:
        note.write(wanted, there)
    for name in changed:
        write_whole(folder / name, [files[name]])
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    unchanged = [name for name in files if name not in changed]
    return WrittenFiles(tuple(changed), tuple(unchanged), tuple(stale))


class _Note:
    """Which bytes were written to which names: those that stand there, or will in a moment."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NOTE
        self.sums: dict[str, list[str]] = {}
        with suppress(OSError, ValueError):
            noted = json.loads(self.path.read_bytes())
            self.sums = {name: sums for name, sums in noted.items() if _is_below(name)}

    def is_ours(self, name: str, there: Mapping[str, str]) -> bool:
        return there.get(name) in self.sums.get(name, ())

    def texts(self, there: Mapping[str, str]) -> list[str]:
        """Return the texts of scenes that stand there as they were written."""
        return [name for name in self.sums if "/" in name and self.is_ours(name, there)]

    def write(self, wanted: Mapping[str, str], there: Mapping[str, str]) -> None:
        """Note what will stand there beside what stands there now, in case of a kill in between."""
        kept = {name: [there[name]] for name in self.sums if self.is_ours(name, there)}
        for name, digest in wanted.items():
            kept[name] = [digest, *(each for each in kept.get(name, ()) if each != digest)]
        write_whole(self.path, [_json(kept)])


def _document(form: Format, recorded: RecordedScenes) -> dict[str, Any]:
    entries = [_entry(form, scene, recorded.title) for scene in recorded.scenes]
    document: dict[str, Any] = {form.entries: entries}
    if form.after is None:
        document |= {name: recorded.context.get(name, "") for name in CONTEXT_FIELDS}
    local = recorded.recorded_at.astimezone().replace(tzinfo=None)
    document |= {"timestamp": local.isoformat(), "total_scenes": len(entries)}
    if form.after is not None:
        document["last_completed_scene"] = max(
            (each["scene_index"] for each in entries), default=-1
        )
    return document


def _entry(form: Format, scene: RecordedScene, title: str) -> dict[str, Any]:
    result = _result(form, scene)
    if not isinstance(result, form.result_type):
        kind = "text" if form.result_type is str else "an object"
        why = f"the result of scene {scene.place} is not {kind}, as {form.result} is"
        raise NoOldForm(title, file=form.file_name, why=why)
    return {
        "scene_index": scene.place,
        "scene_info": scene.content,
        form.result: result,
    }


def _result(form: Format, scene: RecordedScene) -> JsonValue:
    """Return a result; what a command printed is text, and may say an object."""
    if form.result_type is not str and isinstance(scene.result, str):
        with suppress(ValueError, RecursionError):
            said: JsonValue = json.loads(scene.result)
            return said
    return scene.result


def _has_texts(files: Collection[str]) -> bool:
    return any(form.after is None and form.file_name in files for form in FORMATS.values())


def _text_name(scene: RecordedScene) -> str:
    return f"storyboard/scene_{scene.place + 1}_storyboard.txt"


def _text(scene: RecordedScene) -> str:
    info = scene.content
    name = info.get("scene_name") if isinstance(info, dict) else None
    heading = " ".join(str(name or f"场景{scene.place + 1}").split())
    return f"# {heading}\n\n{scene.result}"


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _is_below(name: str) -> bool:
    """A note is a file as any other: it names nothing outside of what is written here."""
    return name in {each.file_name for each in FORMATS.values()} or (
        Path(name).parent == Path("storyboard") and Path(name).name.startswith("scene_")
    )
