"""What is read of the old scene writer's files, and the doubt that is told for all else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.scene_files import (
    FOLDER,
    WRITTEN_AT,
    content,
    document,
    entry,
    read,
    script,
    write,
    write_text,
)

from resumelog.application.errors import ForeignStateFile, NoStateFile
from resumelog.infrastructure.transfer import scene_progress
from resumelog.infrastructure.transfer.scene_progress import read_scene_folder

WHOLE = document("storyboard", entry(0), entry(1))


@pytest.mark.parametrize(
    ("project", "stage", "indexes"),
    [
        ("project_9of12", "storyboard", range(9)),
        ("project_9of12", "enhancement", range(7)),
        ("project_12of12", "storyboard", range(12)),
        ("project_12of12", "enhancement", range(12)),
    ],
)
def test_a_whole_file_is_read_without_a_doubt(project: str, stage: str, indexes: range) -> None:
    file = read_scene_folder(FOLDER / project)[stage]
    assert [each.scene_index for each in file.entries] == [*indexes]
    assert file.doubts == ()
    assert str(file.recorded_at).startswith("2026-11-22 00:05:08.2")
    assert [*file.context] == (["world_bible", "scenes_analysis"] if stage == "storyboard" else [])


def test_the_whole_entries_of_a_torn_file_are_read() -> None:
    files, whole = (read_scene_folder(FOLDER / f"project_{of}") for of in ("truncated", "9of12"))
    assert len(files["storyboard"].entries) == len(files["enhancement"].entries) == 6
    for stage, file in files.items():
        assert file.entries == whole[stage].entries[:6]
        assert "it is cut off after " in file.doubts[0]


def test_an_empty_file_has_no_entries_and_says_so() -> None:
    file = read_scene_folder(FOLDER / "project_empty")["storyboard"]
    assert (file.entries, file.doubts) == ((), ("storyboard_progress.json: it is empty",))


def test_what_the_file_says_of_itself_is_kept() -> None:
    file = read(WHOLE)
    assert file.recorded_at == datetime.fromisoformat(WRITTEN_AT)
    assert file.claimed == {"timestamp": WRITTEN_AT, "total_scenes": 2}
    assert file.context == {"world_bible": "## 世界", "scenes_analysis": "### 场景1：渡口"}


def test_a_scene_that_is_text_is_read() -> None:
    (found,) = read(document("storyboard", entry(0, scene_info="清晨的渡口"))).entries
    assert found.scene_info == "清晨的渡口"


BAD_ENTRIES = {
    "it is no object, but 7": 7,
    "it has no storyboard_script": entry(0, storyboard_script=...),
    "it has no scene_index": entry(0, scene_index=...),
    "its storyboard_script is '', which is no result": entry(0, storyboard_script=""),
    "its storyboard_script is ' \\n', which is no result": entry(0, storyboard_script=" \n"),
    "its storyboard_script is ['镜头'], which is no result": entry(0, storyboard_script=["镜头"]),
    "its storyboard_script is None, which is no result": entry(0, storyboard_script=None),
    "scene_index: Input should be a valid integer": entry("0"),
    "scene_index: Input should be greater than or equal to 0": entry(-1),
    "scene_index: Input should be less than 1000000": entry(10**9),
    "its scene_info can't be kept as JSON": entry(0, scene_info={"score": float("nan")}),
    "its scene_info can't be kept as JSON: ": entry(0, scene_info={"\ud800": [float("nan")]}),
    "its storyboard_script can't be kept as JSON": entry(0, storyboard_script="\ud800"),
}


@pytest.mark.parametrize(("why", "bad"), BAD_ENTRIES.items())
def test_an_entry_that_is_none_is_told_and_the_others_are_read(why: str, bad: Any) -> None:
    file = read(document("storyboard", bad, entry(1)))
    assert [each.scene_index for each in file.entries] == [1]
    (doubt,) = file.doubts
    assert doubt.startswith("storyboard_progress.json: entry 1 is not taken: ")
    assert why in doubt


@pytest.mark.parametrize(
    "result", [{}, "text", None, [1], {"score": float("inf")}, {"enhanced_description": "\ud800"}]
)
def test_an_enhancement_that_is_no_object_is_told(result: Any) -> None:
    bad = entry(0, "enhancement", enhanced_result=result)
    file = read(document("enhancement", bad, entry(1, "enhancement")), "enhancement")
    assert [each.scene_index for each in file.entries] == [1]
    assert "enhancement_progress.json: entry 1 is not taken: its enhanced_result" in file.doubts[0]


CONTRADICTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("it says total_scenes 12, and holds 2 entries", "storyboard", {"total_scenes": 12}),
    ("it says total_scenes '2', and holds 2 entries", "storyboard", {"total_scenes": "2"}),
    ("it says total_scenes None, and holds", "enhancement", {"total_scenes": None}),
    ("it says last_completed_scene 9, and", "enhancement", {"last_completed_scene": 9}),
    ("its timestamp 'gestern' is no time", "storyboard", {"timestamp": "gestern"}),
    ("its timestamp 12.5 is no time", "storyboard", {"timestamp": 12.5}),
    ("its world_bible can't be kept", "storyboard", {"world_bible": {"a": float("nan")}}),
]


@pytest.mark.parametrize(("why", "stage", "fields"), CONTRADICTIONS)
def test_a_file_that_contradicts_itself_is_read_with_a_doubt(
    why: str, stage: str, fields: dict[str, Any]
) -> None:
    file = read(document(stage, entry(0, stage), entry(1, stage), **fields), stage)
    assert len(file.entries) == 2
    (doubt,) = file.doubts
    assert doubt.startswith(why)


@pytest.mark.parametrize(
    ("found", "doubt"),
    [
        (b"\x89PNG\r\n", "it is not UTF-8 at byte 0"),
        (b"[1, 2]", "altered at line 1, column 1"),
        (b"null", "altered at line 1, column 1"),
        (b"<html>", "altered at line 1, column 1"),
        (b"{}", "it has no storyboard_results"),
        (b'{"storyboard_results": {"0": "x"}}', "storyboard_results is no list"),
        (b'{"storyboard_results": "x"}', "storyboard_results is no list"),
        (b'{"storyboard_results": [' + b"[" * 100_000, "it is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "it has a value that can't be read"),
        (b" \n ", "it is empty"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_progress_file_has_no_entries(found: bytes, doubt: str) -> None:
    file = read(found)
    assert file.entries == ()
    assert doubt in file.doubts[0]


def test_a_file_is_read_with_the_mark_of_windows_before_it() -> None:
    assert read(b"\xef\xbb\xbf" + content(WHOLE)).entries == read(WHOLE).entries


def test_a_file_over_its_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "storyboard", entry(0))
    monkeypatch.setattr(scene_progress, "BYTES_MAX", path.stat().st_size)
    assert read_scene_folder(tmp_path)["storyboard"].entries
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ForeignStateFile, match="it has more than "):
        read_scene_folder(tmp_path)


def test_a_folder_without_a_progress_file_is_refused(tmp_path: Path) -> None:
    write_text(tmp_path, 0)
    with pytest.raises(NoStateFile, match=r"there is no storyboard_progress\.json nor enhancement"):
        read_scene_folder(tmp_path)


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "storyboard_progress.json").symlink_to("nowhere")
    with pytest.raises(NoStateFile, match="No such file"):
        read_scene_folder(tmp_path)


def test_the_texts_beside_a_file_are_read_and_others_are_told(tmp_path: Path) -> None:
    write(tmp_path, "storyboard", entry(0), entry(1))
    write_text(tmp_path, 0)
    write_text(
        tmp_path, 1, f"# 渡口\r\n\r\n{script(1)}".replace("\n", "\r\n").replace("\r\r", "\r")
    )
    write_text(tmp_path, 2, "no heading")
    (tmp_path / "storyboard/notes.txt").write_text("mine")
    file = read_scene_folder(tmp_path)["storyboard"]
    assert [(text.scene_index, text.script) for text in file.texts] == [
        (0, script(0)),
        (1, script(1)),
    ]
    assert file.doubts == ("scene_3_storyboard.txt: it is no text of a scene",)
