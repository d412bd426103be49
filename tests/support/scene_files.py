"""Progress files of the old scene writer: the samples, and others like them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from support.canonical import DIGEST

from resumelog.domain.scene_progress import SceneEntry, SceneProgress
from resumelog.infrastructure.transfer.old_file import OldFile
from resumelog.infrastructure.transfer.scene_progress import FORMATS, scene_progress_in

FOLDER = Path(__file__).parents[1] / "golden/legacy/scenes"
WRITTEN_AT = "2026-11-22T00:05:08.213063"


def scene(index: int) -> dict[str, JsonValue]:
    """Return what the old files say of a scene."""
    return {"scene_name": f"第{index + 1}场", "full_content": f"### 场景{index + 1}：渡口 🎬"}


def script(index: int) -> str:
    """Return its storyboard."""
    return f"## 场景分镜脚本\n\n### 镜头1\n- 第{index + 1}场，雾气贴着水面。\n"


def enhanced(index: int, **others: JsonValue) -> dict[str, JsonValue]:
    """Return its enhancement."""
    text = f"第{index + 1}场，侧逆光。"
    return {"enhanced_description": text, "original_description": script(index), **others}


def entry(index: Any, stage: str = "storyboard", **fields: Any) -> dict[str, Any]:
    """Return one entry as the old scene writer wrote it; `fields` are others, or None to leave out."""
    at = index if isinstance(index, int) else 0
    result = script(at) if stage == "storyboard" else enhanced(at)
    entry = {"scene_index": index, "scene_info": scene(at), FORMATS[stage].result: result}
    return {name: value for name, value in (entry | fields).items() if value is not ...}


def document(stage: str, *entries: Any, **fields: Any) -> dict[str, Any]:
    """Return a whole file."""
    indexes = [each.get("scene_index") for each in entries if isinstance(each, dict)]
    more: dict[str, Any] = {"world_bible": "## 世界", "scenes_analysis": "### 场景1：渡口"}
    if stage == "enhancement":
        more = {"last_completed_scene": indexes[-1] if indexes else -1}
    about = {"timestamp": WRITTEN_AT, "total_scenes": len(entries)}
    whole = {FORMATS[stage].entries: [*entries], **more, **about, **fields}
    return {name: value for name, value in whole.items() if value is not ...}


def content(document: Any) -> bytes:
    """Return a file's bytes as the old scene writer wrote them."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode(errors="backslashreplace")


def read(document: Any, stage: str = "storyboard") -> SceneProgress:
    """Return what is read of a file, given by its bytes or by what they say."""
    found = document if isinstance(document, bytes) else content(document)
    return scene_progress_in(OldFile(f"/旧/{FORMATS[stage].file_name}", found, DIGEST), stage)


def progress(*entries: SceneEntry, **fields: Any) -> SceneProgress:
    """Return what a file said, without a file."""
    return SceneProgress(source="/旧/progress.json", sha256=DIGEST, entries=entries, **fields)


def said(index: int, result: Any = None, info: Any = ...) -> SceneEntry:
    """Return one entry that was read."""
    return SceneEntry(
        scene_index=index,
        scene_info=scene(index) if info is ... else info,
        result=script(index) if result is None else result,
    )


def write(folder: Path, stage: str, *entries: Any, **fields: Any) -> Path:
    """Write the file of a stage to a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / FORMATS[stage].file_name
    path.write_bytes(content(document(stage, *entries, **fields)))
    return path


def write_text(folder: Path, index: int, text: str | None = None, name: str | None = None) -> None:
    """Write the text of a scene as the old scene writer did."""
    path = folder / f"storyboard/scene_{index + 1}_storyboard.txt"
    path.parent.mkdir(exist_ok=True)
    made = f"# {name or scene(index)['scene_name']}\n\n{script(index)}"
    path.write_bytes((made if text is None else text).encode())
