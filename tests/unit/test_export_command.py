"""What `resumelog export` binds a job to, and what it fills in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resumelog.infrastructure.cli.export_command import ExportCommand
from resumelog.infrastructure.cli.options import InputError

COMMAND = ExportCommand("reel", ("render", "{output}"))


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """A file that is an input."""
    path = tmp_path / "clip.mov"
    path.write_bytes(b"frames")
    return str(path)


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{output}", "/a/b"),
        ("--to={output}", "--to=/a/b"),
        ("{{output}}", "{output}"),
        ("${output}", "${output}"),
        ("{other} {} {{other}}", "{other} {} {{other}}"),
    ],
)
def test_the_output_is_filled_in_and_all_else_stays(written: str, filled: str) -> None:
    assert COMMAND._replace(argv=("x", written)).filled(Path("/a/b")) == ["x", filled]


@pytest.mark.parametrize(
    ("written", "fills"), [("{output}", True), ("{{output}}", False), ("${output}", False)]
)
def test_only_the_output_itself_is_moved_into_place(written: str, fills: bool) -> None:
    assert COMMAND._replace(argv=("x", written)).fills_output is fills


CHANGES: dict[str, Callable[[str], tuple[ExportCommand, list[str]]]] = {
    "a file's content": lambda clip: (Path(clip).write_bytes(b"other"), (COMMAND, [clip, "24"]))[1],
    "a value": lambda clip: (COMMAND, [clip, "25"]),
    "fewer inputs": lambda clip: (COMMAND, [clip]),
    "their order": lambda clip: (COMMAND, ["24", clip]),
    "an argument": lambda clip: (COMMAND._replace(argv=("render", "x")), [clip, "24"]),
    "the number of units": lambda clip: (COMMAND._replace(total=3), [clip, "24"]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_input_is_another_work(
    clip: str, change: Callable[[str], tuple[ExportCommand, list[str]]]
) -> None:
    before = COMMAND.work([clip, "24"])
    command, inputs = change(clip)
    assert command.work(inputs) != before


def test_a_file_is_known_by_what_it_holds(clip: str, tmp_path: Path) -> None:
    before = COMMAND.work([clip])
    moved = Path(clip).rename(tmp_path / "moved.mov")
    assert COMMAND.work([str(moved)]) == before


def test_a_value_is_known_by_what_it_says() -> None:
    assert COMMAND.work(['{"a": 1, "b": 2}']) == COMMAND.work(['{ "b":2, "a":1 }'])


@pytest.mark.parametrize("given", ["nowhere.mov", "{'a': 1}", "a\0b", "/", "", "[" * 100_000])
def test_what_is_neither_a_file_nor_json_is_refused(given: str) -> None:
    with pytest.raises(InputError, match=r"is no file .*, and not JSON"):
        COMMAND.work([given])
