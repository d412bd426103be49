"""`resumelog run`: a command for each scene, each recorded the moment it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from pydantic import JsonValue
from support.cli import JOB, PATIENCE_S, RECORDS, RESUMELOG, Cli, finished, line, wait_for

import resumelog
from resumelog.application.scene_flights import LOOKS_S
from resumelog.domain.scene_events import SceneCompleted, SceneFailed

FAILS_AT_2 = ("sh", "-c", 'echo "$1" >> ran; [ "$1" != 2 ] || { echo no 🌧 >&2; exit 7; }', "sh")
MEETS = ("sh", "-c", "touch began; until [ -e go ]; do sleep 0.02; done; rm -f go began")


def results(cli: Cli) -> list[JsonValue]:
    """Return what the commands printed, in the order in which that was recorded."""
    completed = [event for event in cli.events() if isinstance(event, SceneCompleted)]
    return [event.result.inline if event.result else None for event in completed]


def errors(cli: Cli) -> list[str]:
    return [event.error for event in cli.events() if isinstance(event, SceneFailed)]


# What is done for each scene


def test_every_scene_is_recorded_with_what_its_command_printed(cli: Cli) -> None:
    assert cli.run(*RECORDS).code == 0
    assert results(cli) == ["made 1\n", "made 2\n", "made 3\n"]
    assert cli.names() == ["Opened", "Resumed", *["SceneCompleted"] * 3, "Completed"]


def test_a_scene_is_on_record_before_the_next_one_begins(cli: Cli) -> None:
    cli.run(RESUMELOG, "jobs", "--json")
    assert [json.loads(str(printed))[0]["done"] for printed in results(cli)] == [0, 1, 2]


def test_a_command_gets_its_scene_by_placeholders(cli: Cli) -> None:
    cli.write("shots.csv", "id,title\ns7,雨夜 🌧\n")
    cli.run("printf", "%s|", "{id}", "{title}", "{index}", "{key}", "{line}", source="shots.csv")
    assert results(cli) == ["s7|雨夜 🌧|0|s7|s7,雨夜 🌧|"]


def test_no_shell_sees_what_is_filled_in(cli: Cli) -> None:
    texts = ["$(touch x)", "`touch x`", "; touch x #", "' \"", "*", "-n", "\n", "a  b", "$HOME"]
    cli.write("texts.json", json.dumps([{"text": text} for text in texts]))
    before = cli.files().keys()
    assert cli.run("printf", "<%s>", "{text}", source="texts.json").code == 0
    assert results(cli) == [f"<{text}>" for text in texts]
    assert cli.files().keys() - before == {"resumelog.db"}


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (("awk", 'BEGIN {print "a" "b"}'), "ab\n"),
        (("printf", "%s", "{{id}}"), "{id}"),
        (("cat",), ""),
        (("printf", r"\351\0x"), "\\xe9\0x"),
    ],
    ids=["braces of awk", "doubled braces", "empty input", "not text"],
)
def test_a_command_is_run_as_it_stands(cli: Cli, command: tuple[str, ...], printed: str) -> None:
    cli.scenes(1)
    cli.run(*command)
    assert results(cli) == [printed]


@pytest.mark.parametrize("content", ["a\nb\n", '[{"id": 1}, {"id": 2}]', '{"id": 1}\n{"id": 2}'])
def test_scenes_may_come_from_standard_input(cli: Cli, content: str) -> None:
    assert cli(*line("cat", source="-"), stdin=content).code == 0
    assert results(cli) == ["", ""]


@pytest.mark.parametrize("options", [(), ("--verbose",)], ids=str)
def test_scenes_are_made_whoever_stops_reading_how_it_goes(
    cli: Cli, options: tuple[str, ...]
) -> None:
    with cli.started(*line(*RECORDS, options=options)) as process:
        assert process.stderr
        assert process.stderr.readline()
        process.stderr.close()
        assert process.wait(PATIENCE_S) == 0
    assert cli.lines("ran") == ["1", "2", "3"]
    assert cli.names()[-1] == "Completed"


# Going on


def test_the_same_command_line_repeats_nothing(cli: Cli) -> None:
    cli.run(*RECORDS)
    events = cli.events()
    again = cli.run(*RECORDS)
    assert (again.code, cli.lines("ran")) == (0, ["1", "2", "3"])
    assert "3 of 3 scenes done (0 now, 3 before), complete" in again.err
    assert cli.events() == events


def test_a_scene_that_fails_is_done_again_and_the_others_are_not(cli: Cli) -> None:
    for _ in range(2):
        assert cli.run(*FAILS_AT_2, "{id}").code == 1
    assert cli.lines("ran") == ["1", "2", "3", "2"]
    assert errors(cli) == ["exit code 7: no 🌧"] * 2


def test_only_failed_scenes_may_be_done_again(cli: Cli) -> None:
    cli.run(*FAILS_AT_2, "{id}")
    cli.scenes(0, 1, 2, 3, 4)
    cli.run(*FAILS_AT_2, "{id}", options=["--retry-failed"])
    assert cli.lines("ran") == ["1", "2", "3", "2"]


@pytest.mark.parametrize(
    ("change", "made_again"),
    [
        (lambda cli: cli.scenes(3, 2, 1), []),
        (lambda cli: cli.scenes(1, 3, 4), ["4"]),
        (lambda cli: cli.write("scenes.jsonl", '{"id":"1"}\n{"id":"2", "a":0}\n'), ["2"]),
    ],
    ids=["order", "another scene", "one field"],
)
def test_exactly_what_changed_is_made_again(
    cli: Cli, change: Callable[[Cli], None], made_again: list[str]
) -> None:
    cli.run(*RECORDS)
    change(cli)
    assert cli.run(*RECORDS).code == 0
    assert cli.lines("ran")[3:] == made_again


def test_another_command_is_another_input(cli: Cli) -> None:
    cli.run(*RECORDS)
    again = cli.run(*RECORDS, "more")
    assert cli.lines("ran") == ["1", "2", "3"] * 2
    assert "scene 1 and 2 more are made again: its input or its command changed" in again.err


def test_a_scene_whose_place_its_command_names_is_made_again_where_it_moves(cli: Cli) -> None:
    for keys in ((1, 2), (0, 1, 2)):
        cli.scenes(*keys)
        cli.run("sh", "-c", 'echo "$1 at $2" >> ran', "sh", "{id}", "{index}")
    assert cli.lines("ran")[2:] == ["0 at 0", "1 at 1", "2 at 2"]


# How it ends


def test_a_scene_fails_with_the_reason(cli: Cli) -> None:
    whys = {
        "exit 9": "exit code 9",
        "echo one >&2; echo two >&2; false": "exit code 1: one\ntwo",
        "kill -9 $$": "ended by SIGKILL",
        "nowhere-to-be-found": "exit code 127: ",
        "head -c 70000000 /dev/zero": "what the command printed takes 70000000 bytes",
    }
    cli.write("commands.json", json.dumps([{"command": command} for command in whys]))
    assert cli.run("sh", "-c", "{command}", source="commands.json").code == 1
    told = [error[: len(why)] for error, why in zip(errors(cli), whys.values(), strict=True)]
    assert told == [*whys.values()]


def test_the_outcome_is_one_json_document_and_all_else_on_standard_error(cli: Cli) -> None:
    ran = cli.run(*FAILS_AT_2, "{id}", options=["--json", "--verbose"])
    facts = {"total": 3, "done": 2, "failed": 1, "remaining": 1, "skipped": 0, "job": JOB}
    assert ran.document.items() >= facts.items()
    why = {"scene": "2", "error": "exit code 7: no 🌧", "attempts": 1}
    assert ran.document["failures"] == [why]
    assert ran.document["durations"].keys() == {"1", "3"}
    assert ran.document["next"] == ["2"]
    assert "SceneFailed" in ran.err


def test_a_second_worker_is_refused_and_the_first_goes_on(cli: Cli) -> None:
    cli.scenes(1)
    with cli.started(*line(*MEETS)) as first:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        second = cli.run(*MEETS)
        cli.write("go", "")
        assert finished(first).code == 0
    assert second.code == 1
    assert f"is being worked on by pid {first.pid} on" in second.err
    assert cli.names().count("Resumed") == 1


def test_a_pause_is_obeyed_after_the_running_scene(cli: Cli) -> None:
    with cli.started(*line(*MEETS)) as process:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        with resumelog.open(cli.folder / "resumelog.db") as log:
            log.scenes.pause("reel", "video", "lunch", "ann")
        time.sleep(2 * LOOKS_S)  # a scene that ends sooner may be followed by another
        cli.write("go", "")
        ran = finished(process)
    assert (ran.code, len(results(cli))) == (3, 1)
    assert (
        f"2 remain, paused by ann: lunch; resumelog resume {JOB}, or run the same command"
        in ran.err
    )
    again = cli.run("true")
    assert (again.code, cli.names()[-1]) == (0, "Completed")
    assert f"{JOB} was paused by ann: lunch; going on\n" in again.err


def test_what_could_not_be_written_is_told_at_the_end_and_done_again(cli: Cli) -> None:
    cli.scenes(*range(40))
    full = ("sh", "-c", 'ulimit -f 400; exec "$@"', "sh")
    ran = cli(*line(*RECORDS, options=["--json"]), through=full)
    assert ran.code == 4
    assert "scenes (" in ran.err
    assert "are not on disk" in ran.err
    assert ran.document["not_saved"]
    recorded = len(results(cli))
    assert 0 < recorded < 40
    assert cli.run(*RECORDS).code == 0
    assert len(cli.lines("ran")) == 80 - recorded
