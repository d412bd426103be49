"""An old scene folder begins batches in every store, and workers make only what is missing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from support.logs import events_of, names_of
from support.scene_files import FOLDER, content, enhanced, entry, scene, script, write, write_text

from resumelog import AlreadyRecorded, BadStateFile, ForeignFile, NoSceneContent, ResumeLog
from resumelog.domain.errors import BadKey
from resumelog.domain.events import Imported
from resumelog.domain.plan import Plan

PROJECT = "归途"
SCENES: list[JsonValue] = [scene(index) for index in range(4)]
LONG = "镜头，雾气贴着水面。" * 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of four scenes: two storyboards, one enhancement, and texts."""
    old = tmp_path / "old"
    write(old, "storyboard", entry(0), entry(1, storyboard_script=LONG))
    write(old, "enhancement", entry(0, "enhancement"))
    write_text(old, 0)
    write_text(old, 1, f"# 第2场\n\n{LONG}")
    return old


def work(log: ResumeLog, stage: str, scenes: list[JsonValue] = SCENES, **options: Any) -> list[int]:
    """Make what remains of a stage; return which scenes that was."""
    made = []
    with log.scenes.open(PROJECT, stage, scenes=scenes, **options) as batch:
        for each in batch.remaining():
            made.append(each.index)
            batch.complete(each, enhanced(each.index) if options.get("after") else "made")
    return made


def enhance(log: ResumeLog, style: str = "水墨", scenes: list[JsonValue] = SCENES) -> list[int]:
    return work(log, "enhancement", scenes, after="storyboard", params={"style": style})


def results(log: ResumeLog, stage: str, **options: Any) -> list[JsonValue]:
    with log.scenes.open(PROJECT, stage, scenes=SCENES, **options) as batch:
        return [result for _, result in batch.results()]


def stored(log: ResumeLog) -> list[object]:
    return [events_of(log, view.name) for view in log.queries.jobs()]


def test_an_import_is_in_the_log_with_where_it_came_from(
    log: ResumeLog, other: ResumeLog, folder: Path
) -> None:
    stages = log.import_scenes(folder, project=PROJECT)
    assert [stage.is_new for stage in stages.values()] == [True, True]
    scenes = ["SceneCompleted"]
    assert names_of(other, f"{PROJECT}/storyboard") == ["Imported", "Opened", *scenes * 2]
    assert names_of(other, f"{PROJECT}/enhancement") == ["Imported", "Opened", *scenes]
    imported = events_of(other, f"{PROJECT}/storyboard")[0]
    assert isinstance(imported, Imported)
    assert imported.source == str(folder / "storyboard_progress.json")
    assert imported.recorded["total_scenes"] == 2
    assert imported.recorded_at
    assert imported.recorded_at.astimezone().isoformat().startswith("2026-11-22T00:05:08.213063")


def test_only_what_is_missing_is_made_whatever_the_params(
    log: ResumeLog, other: ResumeLog, folder: Path
) -> None:
    log.import_scenes(folder, project=PROJECT)
    assert work(other, "storyboard") == [2, 3]
    assert results(log, "storyboard") == [script(0), LONG, "made", "made"]
    assert enhance(other) == [1, 2, 3]
    assert [view.done for view in log.queries.jobs()] == [4, 4]
    assert [view.status for view in log.queries.jobs()] == ["completed", "completed"]


def test_the_list_says_what_the_log_says_after_an_adoption(log: ResumeLog, folder: Path) -> None:
    log.import_scenes(folder, project=PROJECT)
    with log.scenes.open(PROJECT, "storyboard", scenes=SCENES[:2]) as batch:
        assert batch.report().done == 2
        (view,) = [each for each in log.queries.jobs() if each.name.endswith("storyboard")]
        assert (view.done, view.total) == (2, 2)


def test_another_style_makes_again_what_the_first_was_bound_to(
    log: ResumeLog, other: ResumeLog, folder: Path
) -> None:
    log.import_scenes(folder, project=PROJECT)
    work(log, "storyboard")
    assert enhance(log) == [1, 2, 3]
    assert enhance(other) == []
    assert enhance(other, "工笔") == [0, 1, 2, 3]


def test_a_storyboard_that_is_made_again_makes_its_enhancement_again(
    log: ResumeLog, folder: Path
) -> None:
    log.import_scenes(folder, project=PROJECT)
    edited: list[JsonValue] = [{"scene_name": "另一场"}, *SCENES[1:]]
    work(log, "storyboard", edited)
    assert enhance(log, scenes=edited) == [0, 1, 2, 3]


def test_another_selection_does_not_get_the_old_results(log: ResumeLog, folder: Path) -> None:
    log.import_scenes(folder, project=PROJECT)
    assert work(log, "storyboard", [scene(7), scene(1), scene(8)]) == [0, 2]


def test_a_plan_that_is_reordered_later_keeps_what_was_imported(
    log: ResumeLog, folder: Path
) -> None:
    log.import_scenes(folder, project=PROJECT, plan=SCENES)
    assert work(log, "storyboard", SCENES[::-1]) == [0, 1]


def test_a_scene_that_wants_a_file_is_made(log: ResumeLog, folder: Path) -> None:
    log.import_scenes(folder, project=PROJECT)
    plan = Plan(SCENES, makes_files=True)
    with log.scenes.open(PROJECT, "storyboard", scenes=plan) as batch:
        assert [each.index for each in batch.remaining()] == [0, 1, 2, 3]
        assert {*batch.stale.values()} == {"it was imported without its file"}


def test_the_same_folder_is_imported_once(log: ResumeLog, other: ResumeLog, folder: Path) -> None:
    log.import_scenes(folder, project=PROJECT)
    before = events_of(log, f"{PROJECT}/enhancement")
    for handle in (log, other):
        again = handle.import_scenes(folder, project=PROJECT)
        assert [stage.is_new for stage in again.values()] == [False, False]
    work(log, "storyboard")
    assert not other.import_scenes(folder, project=PROJECT)["storyboard"].is_new
    assert events_of(log, f"{PROJECT}/enhancement") == before


def test_a_folder_imported_by_many_at_once_is_there_once(
    log: ResumeLog, other: ResumeLog, folder: Path
) -> None:
    def import_by(one: ResumeLog) -> int:
        return sum(each.is_new for each in one.import_scenes(folder, project=PROJECT).values())

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(import_by, [log, other] * 3)) == 2
    assert names_of(log, f"{PROJECT}/enhancement") == ["Imported", "Opened", "SceneCompleted"]


@pytest.mark.parametrize("stage", ["storyboard", "enhancement"])
def test_a_stage_that_is_in_use_refuses_the_whole_folder(
    log: ResumeLog, folder: Path, stage: str
) -> None:
    work(log, stage)
    before = stored(log)
    with pytest.raises(AlreadyRecorded):
        log.import_scenes(folder, project=PROJECT)
    assert stored(log) == before


def test_another_file_of_an_imported_stage_is_refused(log: ResumeLog, folder: Path) -> None:
    log.import_scenes(folder, project=PROJECT)
    write(folder, "storyboard", entry(0))
    with pytest.raises(AlreadyRecorded):
        log.import_scenes(folder, project=PROJECT)


@pytest.mark.parametrize("found", [b"", b"not JSON", b"[]", b'{"storyboard_results": []}'])
def test_a_folder_of_which_nothing_can_be_taken_leaves_the_log_as_it_was(
    log: ResumeLog, tmp_path: Path, found: bytes
) -> None:
    (tmp_path / "storyboard_progress.json").write_bytes(found)
    with pytest.raises(BadStateFile, match=r"nothing of .* can be imported: "):
        log.import_scenes(tmp_path, project=PROJECT)
    assert log.queries.jobs() == []


def test_a_stage_of_which_nothing_can_be_taken_leaves_the_other(
    log: ResumeLog, folder: Path
) -> None:
    (folder / "enhancement_progress.json").write_bytes(b"")
    stages = log.import_scenes(folder, project=PROJECT)
    assert [stage.is_new for stage in stages.values()] == [True, False]
    assert stages["enhancement"].found.doubts == ("enhancement_progress.json: it is empty",)
    assert [view.name for view in log.queries.jobs()] == [f"{PROJECT}/storyboard"]


def test_a_project_that_can_name_nothing_is_refused(log: ResumeLog, folder: Path) -> None:
    with pytest.raises(BadKey):
        log.import_scenes(folder, project="")
    assert log.queries.jobs() == []


# Back into old files


@pytest.mark.parametrize("project", ["project_9of12", "project_12of12"])
def test_what_was_imported_is_written_as_it_was(
    log: ResumeLog, tmp_path: Path, project: str
) -> None:
    log.import_scenes(FOLDER / project, project=PROJECT)
    written = log.export_scenes(PROJECT, tmp_path / "out").written
    for name in ("storyboard_progress.json", "enhancement_progress.json"):
        new, old = (
            json.loads((place / name).read_bytes())
            for place in (tmp_path / "out", FOLDER / project)
        )
        assert new == old
        assert [*new] == [*old]
    for text in (FOLDER / project).glob("storyboard/*.txt"):
        assert (tmp_path / "out/storyboard" / text.name).read_bytes() == text.read_bytes()
    assert len(written) == 2 + int(project.split("_")[1].split("of")[0])


def test_what_was_written_is_imported_as_it_was(
    log: ResumeLog, folder: Path, tmp_path: Path
) -> None:
    write(folder, "storyboard", entry(1), entry(3))
    log.import_scenes(folder, project=PROJECT)
    log.export_scenes(PROJECT, tmp_path / "out")
    again = log.import_scenes(tmp_path / "out", project="again")
    first = log.import_scenes(folder, project=PROJECT)
    for stage in first:
        new, old = again[stage].found, first[stage].found
        assert (new.results, [*new.plan.values()]) == (old.results, [*old.plan.values()])
        assert (new.holes, new.recorded_at) == (old.holes, old.recorded_at)


def test_what_was_made_here_is_written_with_its_plan_or_not_at_all(
    log: ResumeLog, tmp_path: Path
) -> None:
    work(log, "storyboard", context={"world_bible": "江湖"})
    with pytest.raises(NoSceneContent, match=r"what scene .* says, as it was when it was made"):
        log.export_scenes(PROJECT, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    log.export_scenes(PROJECT, tmp_path / "out", plan=SCENES)
    new = json.loads((tmp_path / "out/storyboard_progress.json").read_bytes())
    timestamp = new.pop("timestamp")
    entries = [entry(index, storyboard_script="made") for index in range(4)]
    assert new == {
        "storyboard_results": entries,
        "world_bible": "江湖",
        "scenes_analysis": "",
        "total_scenes": 4,
    }
    assert "+" not in timestamp
    assert "Z" not in timestamp


def test_a_plan_that_says_something_else_is_not_written(log: ResumeLog, tmp_path: Path) -> None:
    planned: list[JsonValue] = [{"id": "s1", **scene(0)}]
    work(log, "storyboard", planned)
    for plan in ([scene(0)], [{"id": "s1", **scene(1)}]):
        with pytest.raises(NoSceneContent):
            log.export_scenes(PROJECT, tmp_path / "out", plan=plan)
    assert log.export_scenes(PROJECT, tmp_path / "out", plan=planned).written


def test_a_file_of_another_program_is_not_replaced(log: ResumeLog, folder: Path) -> None:
    log.import_scenes(folder, project=PROJECT)
    path = write(folder, "storyboard", entry(0), entry(1), entry(2))
    before = path.read_bytes()
    with pytest.raises(ForeignFile, match=r"storyboard_progress\.json was written or changed"):
        log.export_scenes(PROJECT, folder)
    assert path.read_bytes() == before
    assert not (folder / ".resumelog-files.json").exists()
    log.export_scenes(PROJECT, folder, force=True)
    assert json.loads(path.read_bytes())["total_scenes"] == 2


def test_what_was_written_here_is_replaced_and_what_is_no_longer_done_goes(
    log: ResumeLog, folder: Path, tmp_path: Path
) -> None:
    log.import_scenes(folder, project=PROJECT)
    out = tmp_path / "out"
    log.export_scenes(PROJECT, out)
    assert log.export_scenes(PROJECT, out).written == ()
    (out / "storyboard/mine.txt").write_text("mine")
    work(log, "storyboard", [SCENES[2]])
    done = log.export_scenes(PROJECT, out, plan=[SCENES[2]], stages=["storyboard"])
    assert done.written == ("storyboard_progress.json", "storyboard/scene_1_storyboard.txt")
    assert done.removed == ("storyboard/scene_2_storyboard.txt",)
    texts = {path.name: path.read_text() for path in out.glob("storyboard/scene*")}
    assert texts == {"scene_1_storyboard.txt": "# 第3场\n\nmade"}
    assert (out / "enhancement_progress.json").exists()
    assert (out / "storyboard/mine.txt").read_text() == "mine"


def test_a_written_file_that_was_changed_since_is_not_replaced(
    log: ResumeLog, folder: Path, tmp_path: Path
) -> None:
    log.import_scenes(folder, project=PROJECT)
    log.export_scenes(PROJECT, tmp_path / "out")
    (tmp_path / "out/storyboard/scene_1_storyboard.txt").write_text("by hand")
    with pytest.raises(ForeignFile, match="scene_1_storyboard"):
        log.export_scenes(PROJECT, tmp_path / "out")


def test_a_note_that_names_other_files_removes_none(
    log: ResumeLog, folder: Path, tmp_path: Path
) -> None:
    log.import_scenes(folder, project=PROJECT)
    out, victim = tmp_path / "out", tmp_path / "victim"
    out.mkdir()
    victim.write_text("")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    note = {"../victim": [empty], "storyboard/../../victim": [empty], str(victim): [empty]}
    (out / ".resumelog-files.json").write_bytes(content(note))
    assert log.export_scenes(PROJECT, out).removed == ()
    assert victim.exists()
