"""Placeholders of a command, filled in without a shell."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from resumelog.infrastructure.cli.inputs import InputScene
from resumelog.infrastructure.cli.options import InputError
from resumelog.infrastructure.cli.template import artifact_path, filled, names, values_of

WHERE = "shots.csv, line 7"
VALUES = {"index": "6", "key": "s7", "line": "s7,雨夜", "title": "雨夜 🌧", "empty": ""}
SHELL = ["$(touch x)", "`touch x`", "; rm -rf x", "a b", "'", '"', "$HOME", "*", "\n", "-rf", "\\"]


def of(content: JsonValue, line: str = "") -> dict[str, str]:
    return values_of(InputScene(content, line, WHERE), 6, "s7")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{title}", "雨夜 🌧"),
        ("--text={title}.png", "--text=雨夜 🌧.png"),
        ("{index}{key}{index}", "6s76"),
        ("[{empty}]", "[]"),
        ("no placeholder", "no placeholder"),
        ("", ""),
    ],
)
def test_placeholders_are_filled_in(template: str, text: str) -> None:
    assert filled(template, VALUES, WHERE) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{title}}", "{title}"),
        ("{{unknown}}", "{unknown}"),
        ("{{title}} {title}", "{title} 雨夜 🌧"),
    ],
)
def test_a_word_in_two_braces_stays_in_one(template: str, text: str) -> None:
    assert filled(template, VALUES, WHERE) == text


@pytest.mark.parametrize(
    "template",
    [
        "{print $1}",
        "{}",
        "{ title }",
        "{title",
        "title}",
        '{"a": 1}',
        "${HOME:-x}",
        "{1,2}",
        "{a-b}",
    ],
)
def test_other_braces_stay_as_they_are(template: str) -> None:
    assert filled(template, VALUES, WHERE) == template


@pytest.mark.parametrize("text", [*SHELL, "{key}", "{{key}}", r"\1", r"\g<0>"])
def test_a_value_is_passed_as_it_is(text: str) -> None:
    assert filled("<{title}>", {**VALUES, "title": text}, WHERE) == f"<{text}>"


def test_a_placeholder_that_names_no_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError) as refused:
        filled("{titel}", VALUES, WHERE)
    assert str(refused.value) == (
        f"{WHERE} has no field {{titel}}; it has {{index}}, {{key}}, {{line}}, {{title}}, {{empty}}"
    )


def test_the_names_of_placeholders_are_known_without_filling_them_in() -> None:
    assert names(["{a}{b}", "{{c}}", "{print $1}", "{a}"]) == {"a", "b"}


def test_every_scene_has_an_index_a_key_and_its_line() -> None:
    assert of("雨夜", "雨夜") == {"index": "6", "key": "s7", "line": "雨夜"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("雨夜 🌧", "雨夜 🌧"),
        ("7", "7"),
        (7, "7"),
        (0.5, "0.5"),
        (True, "true"),
        (None, "null"),
        ([1, "雨"], '[1, "雨"]'),
        ({"a": {"b": 1}}, '{"a": {"b": 1}}'),
    ],
)
def test_text_stands_for_itself_and_all_else_for_its_json(value: JsonValue, text: str) -> None:
    assert of({"field": value})["field"] == text


@pytest.mark.parametrize("name", ["index", "key", "line"])
def test_a_field_comes_before_what_every_scene_has(name: str) -> None:
    assert of({name: "its own"})[name] == "its own"


@pytest.mark.parametrize("text", SHELL)
def test_a_file_may_be_named_by_any_value(text: str) -> None:
    assert artifact_path("out/{title}.mp4", {"title": text}, WHERE) == f"out/{text}.mp4"


@pytest.mark.parametrize("text", ["../x", "/etc/passwd", "a/b", "..", ".", "a\0b"])
def test_a_value_that_is_no_file_name_is_refused_in_a_path(text: str) -> None:
    with pytest.raises(InputError, match=r"^shots\.csv, line 7: \{title\} is .*no file name"):
        artifact_path("out/{title}", {"title": text}, WHERE)


def test_the_template_itself_may_lead_to_any_folder() -> None:
    assert artifact_path("../{key}/{index}.mp4", VALUES, WHERE) == "../s7/6.mp4"
