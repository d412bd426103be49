"""`storyboard_progress.json` and `enhancement_progress.json`, the progress files of the old scene writer.

What stands whole in a file that is torn is taken; what is wrong with it is told, one doubt a
sentence, and nothing is raised for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from resumelog.application.errors import NoStateFile
from resumelog.domain.errors import BadInput
from resumelog.domain.scene_match import CONTEXT_FIELDS
from resumelog.domain.scene_progress import SceneEntry, SceneProgress, SceneText
from resumelog.domain.values import PAYLOAD_BYTES_MAX, canonical_json, require_size, validation_text
from resumelog.infrastructure.transfer.json_salvage import whole_parts
from resumelog.infrastructure.transfer.old_file import OldFile, read_old_file

BYTES_MAX = 256 * 1024 * 1024
TEXT_BYTES_MAX = 16 * 1024 * 1024
TEXT_NAME = re.compile(r"scene_([1-9]\d{0,6})_storyboard\.txt")
TEXT = re.compile(r"# ([^\n]*)\n\n(.*)", re.DOTALL)
SHOWN_CHARS = 60
DOUBT_CHARS_MAX = 300


class Format(NamedTuple):
    """How the file of one stage is called, its list, and a result in an entry of it."""

    file_name: str
    entries: str
    result: str
    result_type: type
    after: str | None = None


FORMATS = {
    "storyboard": Format(
        "storyboard_progress.json", "storyboard_results", "storyboard_script", str
    ),
    "enhancement": Format(
        "enhancement_progress.json", "enhanced_results", "enhanced_result", dict, "storyboard"
    ),
}
"""The stages that the old scene writer had, in their order."""


def read_scene_folder(folder: str | Path) -> dict[str, SceneProgress]:
    """Return what the progress files of a project say, by stage; they stay as they are.

    Raises NoStateFile where there is none, or one can't be read, and ForeignStateFile for one over
    BYTES_MAX.
    """
    place = Path(folder)
    there = {stage: place / each.file_name for stage, each in FORMATS.items()}
    there = {stage: path for stage, path in there.items() if path.exists() or path.is_symlink()}
    if not there:
        names = " nor ".join(each.file_name for each in FORMATS.values())
        raise NoStateFile(path=str(place.absolute()), why=f"there is no {names}")
    files = {
        stage: scene_progress_in(read_old_file(path, BYTES_MAX), stage)
        for stage, path in there.items()
    }
    if "storyboard" in files:
        files["storyboard"] = _with_texts(files["storyboard"], place / "storyboard")
    return files


def scene_progress_in(file: OldFile, stage: str) -> SceneProgress:
    """Return what stands whole in a file that was read, and every doubt about it."""
    form, (fields, fault) = FORMATS[stage], whole_parts(file.content)
    doubts = [fault and f"{form.file_name}: {fault}; what stands whole before that is read"]
    if not file.content.strip():
        doubts = [f"{form.file_name}: it is empty"]
    listed = fields.get(form.entries, [])
    if not isinstance(listed, list):
        doubts.append(f"{form.file_name}: {form.entries} is no list")
        listed = []
    elif form.entries not in fields and not doubts[0]:
        doubts.append(f"{form.file_name}: it has no {form.entries}")
    entries = [*_entries(listed, form, doubts)]
    recorded_at = _recorded_at(fields.get("timestamp"), doubts) if "timestamp" in fields else None
    if not fault:
        doubts += _contradictions(fields, entries, len(listed))
    claimed = {
        name: fields.get(name) for name in ("timestamp", "total_scenes", "last_completed_scene")
    }
    context = {name: fields[name] for name in CONTEXT_FIELDS if fields.get(name)}
    for name in [name for name, value in context.items() if not _is_json(value)]:
        doubts.append(f"its {name} can't be kept as JSON")
        del context[name]
    return SceneProgress(
        source=file.path,
        sha256=file.sha256,
        entries=tuple(entries),
        context=context,
        claimed={name: value for name, value in claimed.items() if _is_short(value)},
        recorded_at=recorded_at,
        doubts=tuple(map(_printed, filter(None, doubts))),
    )


def _entries(listed: list[Any], form: Format, doubts: list[str]) -> Iterator[SceneEntry]:
    for number, each in enumerate(listed, 1):
        try:
            yield _entry(each, form)
        except (BadInput, TypeError, ValueError) as error:
            why = validation_text(error) if isinstance(error, ValidationError) else str(error)
            doubts.append(f"{form.file_name}: entry {number} is not taken: {why}")


def _entry(entry: Any, form: Format) -> SceneEntry:
    if not isinstance(entry, dict):
        raise TypeError(f"it is no object, but {_shown(entry)}")
    if missing := {"scene_index", form.result} - entry.keys():
        raise ValueError(f"it has no {' and no '.join(sorted(missing))}")
    result = entry[form.result]
    said = result.strip() if isinstance(result, str) else result
    if not said or not isinstance(result, form.result_type):
        raise ValueError(f"its {form.result} is {_shown(result)}, which is no result")
    info = entry.get("scene_info")
    canonical_json(info, "its scene_info")
    size = len(canonical_json(result, f"its {form.result}"))
    require_size(f"its {form.result}", size, PAYLOAD_BYTES_MAX)
    return SceneEntry(scene_index=entry["scene_index"], scene_info=info, result=result)


def _contradictions(
    fields: dict[str, Any], entries: list[SceneEntry], listed: int
) -> Iterator[str]:
    total, last = fields.get("total_scenes"), fields.get("last_completed_scene")
    if "total_scenes" not in fields:
        yield f"it does not say its total_scenes; the {listed} entries that it holds count"
    elif total != listed:
        yield f"it says total_scenes {_shown(total)}, and holds {listed} entries; those count"
    highest = max((entry.scene_index for entry in entries), default=None)
    latest = entries[-1].scene_index if entries else None
    if "last_completed_scene" in fields and last not in (highest, latest):
        yield f"it says last_completed_scene {_shown(last)}, and its last entry is {latest}; that counts"


def _recorded_at(timestamp: Any, doubts: list[str]) -> datetime | None:
    """Naive local time, as the old system wrote it; one with an offset is brought there."""
    try:
        recorded_at = datetime.fromisoformat(timestamp)
        if recorded_at.tzinfo:
            recorded_at = recorded_at.astimezone().replace(tzinfo=None)
        recorded_at.astimezone()  # a year that no clock had
    except (TypeError, ValueError, OverflowError, OSError):
        doubts.append(f"its timestamp {_shown(timestamp)} is no time")
        return None
    return recorded_at


def _with_texts(file: SceneProgress, folder: Path) -> SceneProgress:
    texts: list[SceneText] = []
    doubts = [*file.doubts]
    for index, path in _text_files(folder):
        content = read_old_file(path, TEXT_BYTES_MAX).content
        try:
            found = TEXT.fullmatch(content.decode().replace("\r\n", "\n"))
        except UnicodeDecodeError:
            found = None
        if found:
            texts.append(SceneText(scene_index=index, name=found[1], script=found[2]))
        else:
            doubts.append(f"{path.name}: it is no text of a scene")
    return file.model_copy(update={"texts": tuple(texts), "doubts": tuple(doubts)})


def _text_files(folder: Path) -> list[tuple[int, Path]]:
    try:
        found = [(TEXT_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    except OSError:
        return []
    return sorted((int(named[1]) - 1, path) for named, path in found if named)


def _is_json(value: Any) -> bool:
    try:
        return bool(canonical_json(value))
    except BadInput:
        return False


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= SHOWN_CHARS and _is_json(value)
    return isinstance(value, int) and abs(value) < 1 << 53


def _printed(doubt: str) -> str:
    """A doubt may name a field of the file, which may be anything."""
    return doubt.encode(errors="backslashreplace").decode()[:DOUBT_CHARS_MAX]


def _shown(value: Any) -> str:
    return repr(value)[:SHOWN_CHARS]
