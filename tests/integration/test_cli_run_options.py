"""`resumelog run` with its options: scenes at once, again, checked, within their time, after a stage."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Sequence

import pytest
from pydantic import JsonValue
from support.cli import JOB, RECORDS, Cli, Ran, finished, line, require_refused, wait_for

from resumelog.domain.scene_events import Interrupted, SceneCompleted, SceneFailed
from resumelog.infrastructure import processes

MEETS_OTHERS = ("sh", "-c", 'touch "at-$1"; until [ -e go ]; do sleep 0.02; done', "sh", "{id}")
AT_ONCE = ("--workers", "3")
NOW = ("--backoff", "0")


def results(cli: Cli, job: str = JOB) -> dict[str, JsonValue]:
    completed = [event for event in cli.events(job) if isinstance(event, SceneCompleted)]
    return {each.scene: each.result.inline if each.result else None for each in completed}


def errors(cli: Cli, job: str = JOB) -> list[str]:
    return [event.error for event in cli.events(job) if isinstance(event, SceneFailed)]


def run_stage(cli: Cli, stage: str, *command: str, options: Sequence[str] = ()) -> Ran:
    return cli.run(*command, options=["--stage", stage, *options])


# --workers


def test_as_many_scenes_as_there_are_workers_are_made_at_once(cli: Cli) -> None:
    with cli.started(*line(*MEETS_OTHERS, options=AT_ONCE)) as process:
        wait_for(lambda: {"at-1", "at-2", "at-3"} <= cli.files().keys(), "all three")
        cli.write("go", "")
        assert finished(process).code == 0
    assert cli.names().count("SceneCompleted") == 3


@pytest.mark.kills
@pytest.mark.parametrize(
    ("signals", "cut_off"),
    [([signal.SIGTERM], 3), ([signal.SIGINT, signal.SIGINT], 3), ([signal.SIGINT], 0)],
    ids=["SIGTERM", "two interrupts", "an interrupt"],
)
def test_signals_reach_all_that_run(
    cli: Cli, signals: Sequence[signal.Signals], cut_off: int
) -> None:
    stays = "trap '' TERM; echo $$ >> pids; until [ -e go ]; do sleep 0.02; done"
    cli.scenes(*range(5))
    with cli.started(*line("sh", "-c", stays, options=AT_ONCE)) as process:
        wait_for(lambda: len(cli.lines("pids")) == 3, "three commands")
        for number, name in enumerate(signals):
            if number:
                assert process.stderr
                assert "scenes; Ctrl+C again ends them" in process.stderr.readline()
            process.send_signal(name)
        if not cut_off:
            time.sleep(0.1)
            cli.write("go", "")
        assert finished(process).code == 3
    assert [pid for pid in map(int, cli.lines("pids")) if processes.started(pid)] == []
    assert len(cli.lines("pids")) == 3
    (interrupted,) = [event for event in cli.events() if isinstance(event, Interrupted)]
    assert len(interrupted.in_flight) == cut_off
    assert len(results(cli)) == 3 - cut_off


# --retries, --backoff, --timeout, --stop-after-failures


def test_a_scene_that_fails_is_tried_again_in_the_same_run(cli: Cli) -> None:
    second = ("sh", "-c", 'echo "$1" >> ran; [ $(grep -c "$1" ran) = 2 ] || exit 7', "sh", "{id}")
    ran = cli.run(*second, options=["--retries", "1", *NOW])
    assert (ran.code, sorted(cli.lines("ran"))) == (0, ["1", "1", "2", "2", "3", "3"])
    assert "again   1: retrying 2 of 2 at once: exit code 7\n" in ran.err
    assert errors(cli) == ["exit code 7"] * 3


@pytest.mark.parametrize(
    ("script", "options", "tries"),
    [
        ("exit 7", (), 1),
        ("exit 75", (), 3),
        ("echo retry-after 0.1 >&2; exit 1", (), 3),
        ("exit 75", ("--retries", "0"), 1),
        ("exit 7", ("--retries", "3"), 4),
    ],
)
def test_a_command_can_ask_for_another_try(
    cli: Cli, script: str, options: Sequence[str], tries: int
) -> None:
    cli.scenes(1)
    assert cli.run("sh", "-c", script, options=[*NOW, *options]).code == 1
    assert len(errors(cli)) == tries


def test_a_command_says_how_long_to_wait(cli: Cli) -> None:
    cli.scenes(1)
    script = '[ -e second ] || { touch second; echo "retry-after 1" >&2; exit 75; }'
    ran = cli.run("sh", "-c", script, options=[*NOW])
    assert ran.code == 0
    assert "retrying 2 of 3 in 1 s" in ran.err
    failed, completed = (
        event for event in cli.events() if isinstance(event, SceneFailed | SceneCompleted)
    )
    assert (completed.timestamp - failed.timestamp).total_seconds() >= 1


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(cli: Cli) -> None:
    cli.scenes(1)
    script = "echo slow >&2; sleep 60 & echo $! >> pids; wait"
    assert cli.run("sh", "-c", script, options=["--timeout", "0.3"]).code == 1
    assert errors(cli) == ["it took longer than 0.3 s: slow"]
    assert processes.started(int(cli.lines("pids")[0])) is None


def test_no_more_are_begun_after_so_many_failures(cli: Cli) -> None:
    cli.scenes(*range(10))
    ran = cli.run("false", options=["--stop-after-failures", "2"])
    assert (ran.code, len(errors(cli))) == (1, 2)
    assert "10 remain, stopped after 2 failures; run the same command to go on" in ran.err


# --check


def test_a_result_that_the_check_refuses_is_a_failure_for_the_reason_that_it_gave(cli: Cli) -> None:
    check = 'sh -c \'read it; [ "$it" != "made 2" ] || { echo "$1: too short"; exit 1; }\' sh {id}'
    ran = cli.run(*RECORDS, options=["--check", check])
    assert (ran.code, [*results(cli)]) == (1, ["1", "3"])
    assert errors(cli) == ["the check refused it: 2: too short"]


def test_a_check_sees_the_file_and_the_scene(cli: Cli) -> None:
    writes = ("sh", "-c", 'echo clip > "$1"', "sh", "{artifact}")
    check = 'sh -c \'echo $RESUMELOG_SCENE $(cat "$1") $(cat "$RESUMELOG_ARTIFACT") >> seen\' sh {artifact}'
    cli.run(*writes, options=["--artifact", "out/{id}", "--check", check])
    assert cli.lines("seen") == ["1 clip clip", "2 clip clip", "3 clip clip"]


def test_a_file_that_the_check_refuses_is_not_moved_into_place(cli: Cli) -> None:
    writes = ("sh", "-c", 'echo clip > "$1"', "sh", "{artifact}")
    cli.run(*writes, options=["--artifact", "out/{id}", "--check", "false"])
    assert [name for name in cli.files() if name.startswith("out/")] == []


# --after


def test_a_command_gets_what_its_scene_made_in_the_stage_before(cli: Cli) -> None:
    writes = ("sh", "-c", 'echo "text $1" > "$2"; printf "made $1"', "sh", "{id}", "{artifact}")
    assert run_stage(cli, "text", *writes, options=["--artifact", "{id}.txt"]).code == 0
    reads = 'echo "$1|$(cat)|$RESUMELOG_BEFORE|$(cat "$2")|$(cat "$RESUMELOG_BEFORE_FILE")"'
    command = ("sh", "-c", reads, "sh", "{before}", "{before_file}")
    assert run_stage(cli, "video", *command, options=["--after", "text"]).code == 0
    told = {key: f"{'|'.join([f'made {key}'] * 3 + [f'text {key}'] * 2)}\n" for key in "123"}
    assert results(cli) == told


def test_a_scene_waits_until_it_is_done_in_the_stage_before(cli: Cli) -> None:
    run_stage(cli, "text", "sh", "-c", '[ "$1" = 2 ]', "sh", "{id}")
    ran = run_stage(cli, "video", *RECORDS, options=["--after", "text"])
    assert (ran.code, cli.lines("ran")) == (1, ["2"])
    assert "2 scenes wait for text" in ran.err


def test_a_stage_is_made_again_where_the_one_before_made_something_else(cli: Cli) -> None:
    after = ("--after", "text")
    run_stage(cli, "text", "echo", "one")
    run_stage(cli, "video", *RECORDS, options=after)
    run_stage(cli, "text", "sh", "-c", '[ "$1" = 2 ] && echo two || echo one', "sh", "{id}")
    assert run_stage(cli, "video", *RECORDS, options=after).code == 0
    assert cli.lines("ran") == ["1", "2", "3", "2"]


# --only, --regenerate, --retry-failed, --params


@pytest.mark.parametrize("only", [["--only", "3,1"], ["--only", "3", "--only", "1"]])
def test_only_the_scenes_that_are_named_are_made(cli: Cli, only: list[str]) -> None:
    ran = cli.run(*RECORDS, options=only)
    assert (ran.code, sorted(cli.lines("ran"))) == (0, ["1", "3"])
    assert "1 remains; run it without --only to make them" in ran.err


def test_a_scene_without_a_key_is_named_by_its_line(cli: Cli) -> None:
    cli.write("shots", "intro, dark\nrain\n")
    cli.run(
        "sh", "-c", 'echo "$1" >> ran', "sh", "{line}", source="shots", options=["--only", "rain"]
    )
    cli.run(
        "sh",
        "-c",
        'echo "$1" >> ran',
        "sh",
        "{line}",
        source="shots",
        options=["--only", "intro, dark"],
    )
    assert cli.lines("ran") == ["rain", "intro, dark"]


def test_a_scene_that_is_not_there_is_refused(cli: Cli) -> None:
    require_refused(cli, line("true", options=["--only", "9"]), "there is no scene '9' in INPUT")


@pytest.mark.parametrize(
    ("only", "again"), [((), ["1", "2", "3"]), (("--only", "2"), ["2"])], ids=["all", "one"]
)
def test_scenes_that_are_done_are_made_again_on_demand(
    cli: Cli, only: Sequence[str], again: list[str]
) -> None:
    cli.run(*RECORDS)
    assert cli.run(*RECORDS, options=["--regenerate", *only]).code == 0
    assert cli.lines("ran")[3:] == again
    assert cli.names()[-1] == "Completed"


def test_what_took_from_a_regenerated_scene_is_made_again(cli: Cli) -> None:
    run_stage(cli, "text", "true")
    run_stage(cli, "video", *RECORDS, options=["--after", "text"])
    run_stage(cli, "text", "true", options=["--regenerate", "--only", "2"])
    run_stage(cli, "video", *RECORDS, options=["--after", "text"])
    assert cli.lines("ran") == ["1", "2", "3", "2"]


def test_the_params_are_part_of_every_input(cli: Cli) -> None:
    for style in ("ink", "ink", "oil"):
        cli.write("style.json", json.dumps({"style": style}))
        assert cli.run(*RECORDS[:-1], "{style}", options=["--params", "style.json"]).code == 0
    assert cli.lines("ran") == ["ink"] * 3 + ["oil"] * 3


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--params", "[1]"], "is neither a JSON object nor the file of one"),
        (["--timeout", "0"], "give more than 0 seconds"),
        (["--check", "nowhere-to-be-found"], "there is no command 'nowhere-to-be-found'"),
        (["--check", "test -e {artifact}"], "name the file with --artifact"),
        (["--check", "a 'b"], "can't be split"),
        (["--workers", "0"], "not in the range"),
        (["--after", ""], "can't name a job"),
        (["--after", "video"], "is the stage itself; name one that is made before it"),
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(
    cli: Cli, options: Sequence[str], why: str
) -> None:
    before = cli.files()
    ran = cli.run("true", options=options)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err.splitlines()[-1]
    assert cli.files() == before
