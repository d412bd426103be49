"""resumelog import DIR and export-progress: what they say, what they write, and what they refuse."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from support.cli import RECORDS, Cli, require_one_line, require_refused
from support.scene_files import FOLDER, entry, scene, write

IMPORT = ("import", "old", "--project", "归途")


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """`resumelog` beside an old project of twelve scenes, of which nine are done."""
    shutil.copytree(FOLDER / "project_9of12", tmp_path / "old")
    whole = json.loads((FOLDER / "project_12of12/storyboard_progress.json").read_bytes())
    plan = [each["scene_info"] for each in whole["storyboard_results"]]
    (tmp_path / "plan.json").write_text(json.dumps(plan, ensure_ascii=False))
    return Cli(tmp_path)


def test_it_says_what_was_imported(cli: Cli) -> None:
    code, out, err = cli(*IMPORT)
    assert (code, err) == (0, "")
    old = cli.folder / "old"
    assert out.splitlines() == [
        f"batch 归途/storyboard: imported 9 of 9 scenes from {old}/storyboard_progress.json",
        f"batch 归途/enhancement: imported 7 of 9 scenes from {old}/enhancement_progress.json",
    ]
    assert cli("verify").code == 0


def test_with_a_plan_it_counts_the_scenes_of_the_plan(cli: Cli) -> None:
    assert "storyboard: imported 9 of 12 scenes" in cli(*IMPORT, "--plan", "plan.json").out


def test_the_same_folder_again_changes_nothing_and_says_so(cli: Cli) -> None:
    cli(*IMPORT)
    before = cli.names("归途/storyboard")
    ran = cli(*IMPORT)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("this file was imported before, and nothing changed") == 2
    assert cli.names("归途/storyboard") == before


def test_its_document_has_every_fact(cli: Cli) -> None:
    old = cli.folder / "damaged"
    write(old, "storyboard", entry(0), entry(3), entry(3), 7, timestamp=...)
    document = cli("import", "damaged", "--project", "p", "--json").document
    (stage,) = document["stages"]
    sha256, keys = stage.pop("sha256"), stage.pop("keys")
    assert (len(sha256), len(keys), document["project"]) == (64, 2, "p")
    assert stage == {
        "stage": "storyboard",
        "job": "p/storyboard",
        "imported": True,
        "scenes": 2,
        "of": 2,
        "holes": [1, 2],
        "duplicates": [3],
        "doubts": [
            "storyboard_progress.json: entry 4 is not taken: it is no object, but 7",
            "the content of scenes 1, 2 is not known; --plan tells",
        ],
        "source": str(old / "storyboard_progress.json"),
        "recorded_at": None,
        "version": 4,
    }


def test_holes_duplicates_and_doubts_are_told_in_lines(cli: Cli) -> None:
    bad = [{"scene_index": "\x1b[31m"} for _ in range(25)]
    write(cli.folder / "damaged", "storyboard", entry(0), entry(3), entry(3), *bad)
    out = cli("import", "damaged", "--project", "p").out
    assert (
        "  2 scenes without an entry: index 1, 2\n  1 scene with several entries: index 3\n" in out
    )
    assert out.count("  doubt: storyboard_progress.json: entry ") == 20
    assert "more doubts; --json tells all" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("name", ["storyboard_progress.json", "enhancement_progress.json"])
def test_one_of_its_files_means_the_folder(cli: Cli, name: str) -> None:
    assert cli("import", f"old/{name}", "--project", "归途").code == 0
    listed = cli("jobs").out
    assert "归途/storyboard" in listed
    assert "归途/enhancement" in listed


def test_the_folder_stays_as_it_is(cli: Cli) -> None:
    def old() -> dict[str, bytes | None]:
        return {name: found for name, found in cli.files().items() if name.startswith("old")}

    before = old()
    cli(*IMPORT)
    assert old() == before


def test_run_makes_only_what_is_missing(cli: Cli) -> None:
    planned = [{"id": f"s{index}", **scene(index)} for index in range(3)]
    cli.write("scenes.jsonl", "".join(f"{json.dumps(each)}\n" for each in planned))
    write(cli.folder / "mine", "storyboard", entry(0), entry(2))
    cli("import", "mine", "--project", "reel", "--plan", "scenes.jsonl")
    ran = cli("run", "scenes.jsonl", "--project", "reel", "--stage", "storyboard", "--", *RECORDS)
    assert ran.code == 0
    assert cli.lines("ran") == ["s1"]


def test_run_makes_the_files_that_an_import_has_none_of(cli: Cli) -> None:
    cli.scenes("s0", **scene(0))
    write(cli.folder / "mine", "storyboard", entry(0))
    cli("import", "mine", "--project", "reel", "--plan", "scenes.jsonl")
    to_file = ("--project", "reel", "--stage", "storyboard", "--artifact", "{id}.txt")
    ran = cli("run", "scenes.jsonl", *to_file, "--", "touch", "{artifact}")
    assert ran.code == 0
    assert (cli.folder / "s0.txt").exists()
    invalidated = [name for name in cli.names("reel/storyboard") if name == "SceneInvalidated"]
    assert len(invalidated) == 1


def test_a_folder_of_which_nothing_can_be_taken_is_refused(cli: Cli) -> None:
    (cli.folder / "empty").mkdir()
    (cli.folder / "empty/storyboard_progress.json").write_bytes(b"")
    refused = ("import", "empty", "--project", "p")
    require_refused(cli, refused, r"nothing of .*/empty can be imported: storyboard_.* is empty; ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("import", "old"), "a folder of scenes belongs to a project; name it with --project"),
        (("import", "old", "--key", "x"), "scenes have no --key; name the project"),
        (
            ("import", "old/storyboard_progress.json", "--key", "x", "--project", "p"),
            "scenes have no --key",
        ),
        (("import", "old", "--project", ""), "can't name a job"),
        (("import", ".", "--project", "p"), "there is no storyboard_progress.json nor enh"),
        (("import", "nowhere", "--project", "p"), "there is no storyboard_progress.json nor enh"),
        ((*IMPORT, "--plan", "nowhere"), "nowhere can't be read"),
    ],
)
def test_wrong_usage_is_refused(cli: Cli, arguments: tuple[str, ...], why: str) -> None:
    require_refused(cli, arguments, why)


@pytest.mark.parametrize(
    "option", [("--project", "p"), ("--plan", "plan.json"), ("--trust-index",)]
)
def test_options_of_scenes_are_none_of_an_export(cli: Cli, option: tuple[str, ...]) -> None:
    before = cli.files()
    ran = cli("import", ".export_state", "--key", "x", *option)
    assert (ran.code, ran.out, cli.files()) == (2, "", before)
    assert "are for a folder of scenes" in ran.err


def test_a_file_without_permission_is_refused(cli: Cli, bound: tuple[str, ...]) -> None:
    (cli.folder / "old/storyboard_progress.json").chmod(0)
    require_one_line(cli(*IMPORT, through=bound), "can't be read: Permission denied")
    assert not (cli.folder / "resumelog.db").exists()


def test_a_pipe_is_not_waited_for(cli: Cli) -> None:
    (cli.folder / "old/storyboard_progress.json").unlink()
    os.mkfifo(cli.folder / "old/storyboard_progress.json")
    require_one_line(cli(*IMPORT), "it is no regular file")


# Back into old files


def test_it_says_what_was_written(cli: Cli) -> None:
    cli(*IMPORT)
    assert cli("export-progress", "归途", "new") == (0, "new: 11 written\n", "")
    assert cli("export-progress", "归途", "new") == (0, "new: 11 unchanged\n", "")
    document = cli("export-progress", "归途", "new", "--json").document
    assert (document["project"], document["folder"]) == ("归途", str(cli.folder / "new"))
    assert (document["written"], len(document["unchanged"])) == ([], 11)


def test_what_run_made_is_written_with_its_plan(cli: Cli) -> None:
    cli.scenes(1, 2)
    assert cli.run(*RECORDS).code == 0
    cli("run", "scenes.jsonl", "--project", "reel", "--stage", "storyboard", "--", *RECORDS)
    require_refused(cli, ("export-progress", "reel", "new"), r"is not in the log; hand in the plan")
    assert cli("export-progress", "reel", "new", "--plan", "scenes.jsonl").code == 0
    text = (cli.folder / "new/storyboard/scene_2_storyboard.txt").read_text()
    assert text == "# 场景2\n\nmade 2\n"


def test_a_result_that_the_old_files_can_not_hold_is_refused(cli: Cli) -> None:
    cli.scenes(1)
    cli("run", "scenes.jsonl", "--project", "reel", "--stage", "enhancement", "--", *RECORDS)
    line = ("export-progress", "reel", "new", "--plan", "scenes.jsonl")
    require_refused(cli, line, "can't be written as enhancement_progress.json: the result of scene")


def test_an_object_that_a_command_printed_is_written_as_one(cli: Cli) -> None:
    cli.scenes(1)
    prints = ("echo", '{"enhanced_description": "好"}')
    cli("run", "scenes.jsonl", "--project", "reel", "--stage", "enhancement", "--", *prints)
    assert cli("export-progress", "reel", "new", "--plan", "scenes.jsonl").code == 0
    written = json.loads((cli.folder / "new/enhancement_progress.json").read_text())
    assert written["enhanced_results"][0]["enhanced_result"] == {"enhanced_description": "好"}


def test_a_file_of_another_program_is_refused_unless_forced(cli: Cli) -> None:
    cli(*IMPORT)
    line = ("export-progress", "归途", "old")
    require_refused(cli, line, r"was written or changed by another program; .*--force")
    assert cli(*line, "--force").code == 0
    assert cli("export-progress", "归途", "old").out == "old: 11 unchanged\n"


def test_an_unknown_project_is_refused(cli: Cli) -> None:
    cli(*IMPORT)
    require_refused(cli, ("export-progress", "other", "new"), "no job is named 'other/storyboard'")
    (cli.folder / "resumelog.db").unlink()
    ran = cli("export-progress", "归途", "new")
    assert (ran.code, ran.out) == (2, "")


def test_a_folder_that_can_not_be_written_is_told(cli: Cli) -> None:
    cli(*IMPORT)
    cli.write("taken", "a file")
    ran = cli("export-progress", "归途", "taken")
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" not in ran.err
