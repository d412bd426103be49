"""INPUT as scenes: every format, how it is guessed, and what is wrong with a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from resumelog.infrastructure.cli.inputs import InputScene, read_scenes
from resumelog.infrastructure.cli.options import InputError

TWO: list[JsonValue] = [{"id": "a", "text": "雨夜 🌧"}, {"id": "b", "text": "x, y"}]
JSON_LINES = '{"id": "a", "text": "雨夜 🌧"}\n{"id": "b", "text": "x, y"}\n'
SAME = {
    "s.jsonl": JSON_LINES,
    "s.ndjson": JSON_LINES,
    "s.json": '[\n  {"id": "a", "text": "雨夜 🌧"},\n  {"id": "b", "text": "x, y"}\n]\n',
    "s.csv": 'id,text\na,雨夜 🌧\nb,"x, y"\n',
}


def read(folder: Path, name: str, content: str | bytes, form: str = "auto") -> list[InputScene]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_scenes(str(path), form)


def contents(folder: Path, name: str, content: str | bytes, form: str = "auto") -> list[JsonValue]:
    return [scene.content for scene in read(folder, name, content, form)]


@pytest.mark.parametrize("name", SAME)
def test_the_same_scenes_can_be_given_in_each_format(tmp_path: Path, name: str) -> None:
    assert contents(tmp_path, name, SAME[name]) == TWO


@pytest.mark.parametrize("name", SAME)
def test_a_byte_order_mark_is_no_part_of_the_first_scene(tmp_path: Path, name: str) -> None:
    assert contents(tmp_path, name, b"\xef\xbb\xbf" + SAME[name].encode()) == TWO


@pytest.mark.parametrize("name", SAME)
def test_line_ends_of_another_system_are_no_part_of_a_scene(tmp_path: Path, name: str) -> None:
    assert contents(tmp_path, name, SAME[name].replace("\n", "\r\n")) == TWO


@pytest.mark.parametrize("name", SAME)
def test_the_last_line_needs_no_end(tmp_path: Path, name: str) -> None:
    assert contents(tmp_path, name, SAME[name].rstrip("\n")) == TWO


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_plain_lines_are_scenes_as_they_are(tmp_path: Path, ending: str) -> None:
    scenes = read(tmp_path, "shots.txt", f" one {ending}二 🎬{ending}")
    assert [scene.content for scene in scenes] == [" one ", "二 🎬"]
    assert [scene.line for scene in scenes] == [" one ", "二 🎬"]


@pytest.mark.parametrize("inside", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_a_line_end_ends_a_plain_line(tmp_path: Path, inside: str) -> None:
    assert contents(tmp_path, "shots.txt", f"a{inside}b\nc\n") == [f"a{inside}b", "c"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.jsonl", '\n{"a": 1}\n \t\n\n{"a": 2}\n\n'),
        ("s.csv", "a\n\n1\n\n\n2\n\n"),
        ("s.txt", "\n1\n \t\n\n2\n\n"),
    ],
)
def test_blank_lines_are_no_scenes_but_count_as_lines(
    tmp_path: Path, name: str, content: str
) -> None:
    scenes = read(tmp_path, name, content)
    numbers = [number for number, each in enumerate(content.split("\n"), 1) if "2" in each]
    assert len(scenes) == 2
    assert scenes[1].where == f"{tmp_path / name}, line {numbers[0]}"


def test_a_quoted_line_end_stays_in_its_csv_value(tmp_path: Path) -> None:
    scenes = contents(tmp_path, "s.csv", 'id,text\na,"one\ntwo ""2"""\nb,\n')
    assert scenes == [{"id": "a", "text": 'one\ntwo "2"'}, {"id": "b", "text": ""}]


@pytest.mark.parametrize("value", ["null", "true", "0.1", '"text"', "[1, [2]]", "{}"])
def test_a_json_scene_may_be_any_value(tmp_path: Path, value: str) -> None:
    scenes = [read(tmp_path, name, f"[{value}]")[0] for name in ("s.json", "s.jsonl")]
    assert [[scenes[0].content], scenes[1].content] == [scenes[1].content] * 2


def test_a_json_line_is_kept_as_it_was_written(tmp_path: Path) -> None:
    scenes = read(tmp_path, "s.jsonl", '  {"b": 1.0,   "a": "\\u96e8"}\n')
    assert scenes[0].line == '{"b": 1.0,   "a": "\\u96e8"}'


@pytest.mark.parametrize(
    ("name", "content", "scenes"),
    [
        ("s.txt", "[1, 2]", [1, 2]),
        ("s.txt", '{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        ("s.json", '{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        ("S.JSONL", "[1]\n[2]", [[1], [2]]),
        ("S.CSV", "[1]\n{2}", [{"[1]": "{2}"}]),
        ("s.unknown", "1\n2", ["1", "2"]),
        ("s", "1\n2", ["1", "2"]),
    ],
)
def test_the_format_goes_by_name_and_first_character(
    tmp_path: Path, name: str, content: str, scenes: list[JsonValue]
) -> None:
    assert contents(tmp_path, name, content) == scenes


@pytest.mark.parametrize(
    ("form", "scenes"),
    [
        ("lines", ["[1, 2]", "[3, 4]"]),
        ("jsonl", [[1, 2], [3, 4]]),
        ("csv", [{"[1": "[3", " 2]": " 4]"}]),
    ],
)
def test_a_format_that_is_named_counts_more_than_the_name(
    tmp_path: Path, form: str, scenes: list[JsonValue]
) -> None:
    assert contents(tmp_path, "s.json", "[1, 2]\n[3, 4]\n", form) == scenes


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (
            "s.jsonl",
            '{"a": 1}\n\n{"a": \n',
            r", line 3: not JSON: Expecting value at column 7; for plain lines say --format lines$",
        ),
        ("s.jsonl", "1\n2 3\n", r", line 2: not JSON: Extra data"),
        (
            "s.json",
            '[\n{"a": 1},\n{"a" 2}]',
            r", line 3: not JSON: .* at column 6; for plain lines say --format lines$",
        ),
        ("s.json", "7", r"not a JSON array; put the scenes between"),
        ("s.csv", "a,b\n1,2\n3\n", r", line 3: 1 values for 2 columns$"),
        ("s.csv", "a,b\n1,2,3\n", r", line 2: 3 values for 2 columns$"),
        ("s.csv", "a,b\n1,2\n3,'4\n5,\"6\n", r", line 4: unexpected end of data$"),
        ("s.csv", "a,a\n1,2\n", r", line 1: the header needs a name for each column$"),
        ("s.csv", "a,\n1,2\n", r", line 1: the header needs a name for each column$"),
        ("s.txt", b"1\n\xff\n", r", line 2: not UTF-8; convert the file$"),
        ("s.txt", "1\n2\n".encode("utf-16"), r", line 1: not UTF-8"),
        ("s.jsonl", b'1\n"\xe9"', r", line 2: not UTF-8"),
    ],
)
def test_a_malformed_input_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        read(tmp_path, name, content)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "7" * 5000])
def test_a_number_that_json_cannot_hold_is_refused_with_its_line(
    tmp_path: Path, number: str
) -> None:
    with pytest.raises(InputError, match=r", line 2: "):
        read(tmp_path, "s.jsonl", f'1\n{{"a": {number}}}\n')


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("name", ["s.json", "s.jsonl"])
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, name: str, opening: str) -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        read(tmp_path, name, opening * 100_000)


@pytest.mark.parametrize(
    ("name", "content"),
    [("s.jsonl", ""), ("s.jsonl", " \n\n"), ("s.json", "[]"), ("s.csv", "a,b\n"), ("s.txt", "\n")],
)
def test_an_input_without_a_scene_is_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(InputError, match="holds no scenes; give it at least one line"):
        read(tmp_path, name, content)


@pytest.mark.parametrize(("name", "why"), [("nowhere.csv", "No such file"), ("", "Is a directory")])
def test_an_input_that_is_no_file_is_refused(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"can't be read: {why}"):
        read_scenes(str(tmp_path / name))
