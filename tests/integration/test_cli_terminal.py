"""What `resumelog run` shows: a bar on a real terminal, a line for each scene elsewhere."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

import pytest
from support.cli import JOB, PATIENCE_S, SCENES, Cli, line, wait_for
from support.terminals import CTRL_C, Terminal

FAILS_AT_2 = ("sh", "-c", '[ "$1" != 2 ] || { echo no >&2; exit 7; }', "sh", "{id}")


def terminal(cli: Cli, *command: object, source: str = SCENES) -> AbstractContextManager[Terminal]:
    """Run a command for each scene in a new terminal."""
    return cli.in_terminal(*line(*command, source=source))


def test_a_bar_shows_what_is_done_failed_and_remaining_and_the_time_left(cli: Cli) -> None:
    with terminal(cli, *FAILS_AT_2) as shown:
        text = shown.ends()
    assert re.search(
        JOB + r" .*━.* 0 done, 0 failed, 0 running, 3 remaining +(-:--:--|\d:\d\d:\d\d)", text
    )
    assert re.search(JOB + r" .*━.* 2 done, 1 failed, 0 running, 0 remaining +\d:\d\d:\d\d", text)
    assert re.search(r"[\r\n]failed  2: exit code 7: no *\r", text)
    assert f"{JOB}: 2 of 3 scenes done (2 now, 0 before), 1 failed; run the same command" in text


def test_the_bar_begins_with_what_was_done_before(cli: Cli) -> None:
    cli.run(*FAILS_AT_2)
    with terminal(cli, *FAILS_AT_2) as shown:
        text = shown.ends()
    assert (
        re.findall(r"\d done, \d failed, \d running, \d remaining", text)[0]
        == "2 done, 1 failed, 0 running, 0 remaining"
    )


def test_the_bar_names_the_scene_in_work(cli: Cli) -> None:
    with terminal(cli, "sh", "-c", "until [ -e go ]; do sleep 0.02; done") as shown:
        shown.shows(f"{JOB}  1 ")
        cli.write("go", "")
        assert f"{JOB}  3 " in shown.ends()


def test_ctrl_c_lets_the_running_scene_finish(cli: Cli) -> None:
    with terminal(cli, "sh", "-c", "touch began; until [ -e go ]; do sleep 0.02; done") as shown:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        shown.types(CTRL_C)
        shown.shows("finishing the running scene; Ctrl+C again ends it")
        cli.write("go", "")
        assert "2 remain after SIGINT" in shown.ends()
    assert cli.names() == ["Opened", "Resumed", "SceneCompleted", "Interrupted"]


def test_a_second_ctrl_c_ends_the_running_scene(cli: Cli) -> None:
    with terminal(cli, "sh", "-c", "touch began; sleep 60") as shown:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        shown.types(CTRL_C)
        shown.shows("finishing the running scene; Ctrl+C again ends it")
        shown.types(CTRL_C)
        assert "3 remain after SIGINT" in shown.ends()
    assert cli.names() == ["Opened", "Resumed", "Interrupted"]


def test_a_terminal_that_is_closed_ends_the_running_scene(cli: Cli) -> None:
    with terminal(cli, "sh", "-c", "touch began; sleep 60") as shown:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        shown.close()
        shown.process.wait(timeout=PATIENCE_S)
    assert cli.names() == ["Opened", "Resumed", "Interrupted"]


def test_elsewhere_each_scene_is_one_line(cli: Cli) -> None:
    *each, end = cli.run(*FAILS_AT_2).err.splitlines()
    assert [re.sub(r"\d+\.\d s", "… s", line) for line in each] == [
        "[1/3] done    1  (… s)",
        "[2/3] failed  2: exit code 7: no",
        "[3/3] done    3  (… s)",
    ]
    assert end.startswith(f"{JOB}: 2 of 3 scenes done")


@pytest.mark.parametrize(
    ("content", "labels"),
    [("intro 🎬\nrain\n", ["intro 🎬", "rain"]), ('{"id": "s1", "a": 0}\n{"key": 7}', ["s1", "7"])],
)
def test_a_scene_is_called_by_its_own_key_or_else_by_its_line(
    cli: Cli, content: str, labels: list[str]
) -> None:
    cli.write("shots", content)
    *each, _ = cli.run("true", source="shots").err.splitlines()
    assert [line[len("[1/2] done    ") : -len("  (0.0 s)")] for line in each] == labels


def test_what_a_scene_is_called_cannot_drive_the_terminal(cli: Cli) -> None:
    cli.write("shots", "a\x1b[31m\x07b\n")
    with terminal(cli, "false", source="shots") as shown:
        text = shown.ends()
    assert "\x1b[31m\x07" not in shown.screen
    assert "a�[31m�b" in text


LONG = ("sh", "-c", "seq 200 >&2; echo the reason 🌧 >&2; exit 7")


def test_a_failed_scene_is_told_with_the_last_that_its_command_said(cli: Cli) -> None:
    err = cli.run(*LONG).err
    assert "failed  1: exit code 7: … the reason 🌧\n" in err
    assert "�" not in err


def test_a_failed_scene_is_shown_with_its_error_in_one_line(cli: Cli) -> None:
    cli.run(*LONG)
    out = cli("show", JOB).out
    assert re.search(r"^failed +1: .* ⏎ 199 ⏎ 200 ⏎ the reason 🌧$", out, re.M)
    assert "�" not in out
