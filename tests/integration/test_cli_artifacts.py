"""`resumelog run --artifact`: files moved into place when they are whole, made again when they differ."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest
from support.cli import Cli, Ran

from resumelog.domain.scene_events import SceneCompleted, SceneFailed, SceneInvalidated

WRITES = 'echo "$1" >> ran; echo "clip $1" > "$2"; echo "$2"'
PLACE = "out/{id}.mp4"


def make(cli: Cli, script: str = WRITES, place: str = PLACE) -> Ran:
    command = ("sh", "-c", script, "sh", "{id}", "{artifact}")
    return cli.run(*command, options=["--artifact", place])


def made(cli: Cli) -> dict[str, bytes | None]:
    """Return the files that were made, hidden ones too."""
    return {name: content for name, content in cli.files().items() if name.startswith("out/")}


def completed(cli: Cli) -> list[SceneCompleted]:
    return [event for event in cli.events() if isinstance(event, SceneCompleted)]


ALL = {f"out/{key}.mp4": f"clip {key}\n".encode() for key in (1, 2, 3)}


def test_each_file_is_in_its_place_and_nothing_beside_it(cli: Cli) -> None:
    assert make(cli).code == 0
    assert made(cli) == ALL


def test_a_file_is_recorded_with_what_tells_it_from_another(cli: Cli) -> None:
    make(cli)
    artifact = completed(cli)[0].artifact
    stat = (cli.folder / "out/1.mp4").stat()
    digest = hashlib.sha256(b"clip 1\n").hexdigest()
    assert artifact is not None
    assert artifact.model_dump() == {
        "root": str(cli.folder),
        "path": "out/1.mp4",
        "size": 7,
        "mtime_ns": stat.st_mtime_ns,
        "sha256": digest,
    }


def test_a_command_writes_beside_the_place_to_a_name_with_the_same_suffix(cli: Cli) -> None:
    make(cli)
    result = completed(cli)[0].result
    assert result is not None
    written = Path(str(result.inline).strip())
    assert (written.parent, written.suffix) == (cli.folder / "out", ".mp4")
    assert written.name != "1.mp4"


@pytest.mark.parametrize(
    "script",
    ['echo half > "$2"; exit 1', 'mkdir "$2"', 'mkdir "$2"; touch "$2/1"; exit 1', "true"],
    ids=["half a file", "a folder", "a folder and a failure", "nothing"],
)
def test_a_scene_that_fails_leaves_no_file(cli: Cli, script: str) -> None:
    cli.scenes(1)
    assert make(cli, script).code == 1
    assert made(cli) == {}


def test_a_command_that_wrote_nothing_failed(cli: Cli) -> None:
    cli.scenes(1)
    make(cli, "true")
    failed = [event.error for event in cli.events() if isinstance(event, SceneFailed)]
    assert failed == ["it ended well, but wrote no file to {artifact}"]


def test_a_file_that_is_there_stays_until_a_new_one_is_whole(cli: Cli) -> None:
    make(cli)
    cli.scenes(1, 2, 3, text="changed")
    make(cli, 'echo half > "$2"; exit 1')
    assert made(cli) == ALL


def deleted(path: Path) -> None:
    path.unlink()


def altered(path: Path) -> None:
    times = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1))


def cut(path: Path) -> None:
    times = path.stat()
    path.write_bytes(b"clip")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def touched(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def replaced_by_a_copy(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def test_files_that_are_gone_or_differ_are_made_again_and_no_other(cli: Cli) -> None:
    cli.scenes(1, 2, 3, 4, 5)
    make(cli)
    before = made(cli)
    for key, damage in ((2, deleted), (3, altered), (5, cut)):
        damage(cli.folder / f"out/{key}.mp4")
    again = make(cli)
    assert cli.lines("ran") == ["1", "2", "3", "4", "5", "2", "3", "5"]
    assert made(cli) == before
    told = re.findall(r"^scene (\d) is made again: (out/\d\.mp4 \w+ \w+)", again.err, re.M)
    assert told == [
        ("2", "out/2.mp4 is gone"),
        ("3", "out/3.mp4 was altered"),
        ("5", "out/5.mp4 has 4"),
    ]


def test_a_file_with_the_same_content_is_not_made_again(cli: Cli) -> None:
    make(cli)
    touched(cli.folder / "out/1.mp4")
    replaced_by_a_copy(cli.folder / "out/2.mp4")
    assert make(cli).code == 0
    assert cli.lines("ran") == ["1", "2", "3"]
    assert not any(isinstance(event, SceneInvalidated) for event in cli.events())


def test_another_place_is_another_input(cli: Cli) -> None:
    make(cli)
    make(cli, place="out/again-{index}.mp4")
    assert {f"out/again-{index}.mp4" for index in range(3)} <= made(cli).keys()
    assert cli.lines("ran") == ["1", "2", "3"] * 2


@pytest.mark.parametrize(
    ("there", "why"),
    [("out", "out"), ("out/2.mp4/x", "out/2.mp4")],
    ids=["a file for its folder", "a folder for its file"],
)
def test_a_place_that_is_taken_is_told_in_one_line(cli: Cli, there: str, why: str) -> None:
    path = cli.folder / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    ran = make(cli)
    assert ran.code in (1, 2)
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert path.read_text() == "mine"


def test_one_place_that_is_taken_keeps_no_other_scene_from_its_own(cli: Cli) -> None:
    (cli.folder / "out/2.mp4").mkdir(parents=True)
    make(cli)
    assert made(cli) == {**ALL, "out/2.mp4": None}


def numbered(cli: Cli, *texts: str) -> Ran:
    """Write each text to a file that is named by its place."""
    cli.write("texts", "\n".join(texts))
    command = ("sh", "-c", 'printf "$1" > "$2"', "sh", "{line}", "{artifact}")
    return cli.run(*command, options=["--artifact", "out/{index}"], source="texts")


def test_scenes_that_moved_are_made_in_their_new_places_by_one_run(cli: Cli) -> None:
    numbered(cli, "a", "b")
    assert numbered(cli, "new", "a", "b").code == 0
    assert made(cli) == {"out/0": b"new", "out/1": b"a", "out/2": b"b"}


def test_from_another_folder_the_same_command_makes_its_files_there(cli: Cli) -> None:
    make(cli)
    elsewhere = cli.folder / "elsewhere"
    elsewhere.mkdir()
    there = Cli(elsewhere, RESUMELOG_URL=str(cli.folder / "resumelog.db"))
    there.scenes(1, 2, 3)
    assert make(there).code == 0
    assert made(there) == ALL
