"""Signals to a real `resumelog run`, and what a successor does after a kill."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from support.children import child
from support.cli import JOB, Cli, finished, line, wait_for

from resumelog.domain.scene_events import Interrupted, SceneFailed
from resumelog.infrastructure import processes

WAITS = (
    'echo $$ >> pids; echo "$1" >> began; until [ -e go ]; do sleep 0.02; done; echo "$1" >> ran'
)
STAYS = "echo $$ >> pids; [ -e go ] || sleep 60"
STAYS_WITH_ANOTHER = f"[ -e go ] || sleep 60 & echo $! >> pids; {STAYS}"
TWICE = [signal.SIGINT, signal.SIGINT]


def command(script: str) -> list[object]:
    return line("sh", "-c", script, "sh", "{id}")


@contextmanager
def at_first_scene(
    cli: Cli, script: str, *, through: Sequence[str] = (), told: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """Yield a run whose first scene is in work, once its command told so many process numbers."""
    with cli.started(*command(script), through=through) as process:
        wait_for(lambda: len(cli.lines("pids")) == told, "the first scene")
        yield process


def with_file(script: str) -> list[object]:
    """Return the arguments of a run that writes half of each file and then does this."""
    half = f'echo half > "$2"; {script}'
    options = ["--artifact", "out/{id}"]
    return line("sh", "-c", half, "sh", "{id}", "{artifact}", options=options)


def made(cli: Cli) -> dict[str, str]:
    return {path.name: path.read_text() for path in (cli.folder / "out").iterdir()}


def send(process: subprocess.Popen[str], signals: Sequence[signal.Signals]) -> None:
    """Send signals, each once the one before has been answered."""
    for number, name in enumerate(signals):
        if number:
            assert process.stderr is not None
            assert "Ctrl+C again ends it" in process.stderr.readline()
        process.send_signal(name)


def running(cli: Cli) -> list[int]:
    """Return the commands that still run, by the numbers that they told."""
    return [pid for pid in map(int, cli.lines("pids")) if processes.started(pid) is not None]


def interruptions(cli: Cli) -> list[tuple[str, ...]]:
    return [event.in_flight for event in cli.events() if isinstance(event, Interrupted)]


# Interrupts


def test_an_interrupt_lets_the_running_scene_finish(cli: Cli) -> None:
    with at_first_scene(cli, WAITS) as process:
        send(process, [signal.SIGINT])
        cli.write("go", "")
        ran = finished(process)
    assert (ran.code, cli.lines("ran")) == (3, ["1"])
    assert "2 remain after SIGINT; run the same command to go on" in ran.err
    assert cli.names() == ["Opened", "Resumed", "SceneCompleted", "Interrupted"]
    assert interruptions(cli) == [()]


def test_an_interrupt_in_the_last_scene_leaves_a_completed_batch(cli: Cli) -> None:
    cli.scenes(1)
    with at_first_scene(cli, WAITS) as process:
        send(process, [signal.SIGINT])
        cli.write("go", "")
        assert finished(process).code == 0
    assert cli.names()[-1] == "Completed"


@pytest.mark.kills
@pytest.mark.parametrize(
    ("script", "signals"),
    [
        (STAYS, TWICE),
        (STAYS, [signal.SIGTERM]),
        (STAYS, [signal.SIGHUP]),
        ("sleep 60 & echo $! >> pids; wait", [signal.SIGTERM]),
        (f"trap '' TERM INT HUP; {STAYS}", TWICE),
    ],
    ids=["two interrupts", "SIGTERM", "SIGHUP", "a grandchild", "a command that ignores it"],
)
def test_a_running_command_is_ended(
    cli: Cli, script: str, signals: Sequence[signal.Signals]
) -> None:
    with at_first_scene(cli, script) as process:
        send(process, signals)
        assert finished(process).code == 3
    assert running(cli) == []
    assert interruptions(cli) == [("1",)]
    assert not any(isinstance(event, SceneFailed) for event in cli.events())


def test_the_outcome_of_an_interrupted_run_is_one_document(cli: Cli) -> None:
    cli.write("go", "")
    with cli.started(
        *line("sh", "-c", "kill -TERM $PPID; sleep 60", options=["--json"])
    ) as process:
        document = finished(process).document
    assert document.items() >= {"interrupted": "SIGTERM", "done": 0, "remaining": 3}.items()


def test_the_same_command_goes_on_after_an_interrupt(cli: Cli) -> None:
    with at_first_scene(cli, WAITS) as process:
        send(process, TWICE)
        finished(process)
    cli.write("go", "")
    assert cli(*command(WAITS)).code == 0
    assert (cli.lines("began"), cli.lines("ran")) == (["1", "1", "2", "3"], ["1", "2", "3"])


@pytest.mark.parametrize("name", ["HUP", "INT"])
def test_a_signal_that_was_ignored_from_the_start_stays_ignored(cli: Cli, name: str) -> None:
    ignoring = ("sh", "-c", f'trap "" {name}; exec "$@"', "sh")
    with at_first_scene(cli, WAITS, through=ignoring) as process:
        send(process, [signal.Signals[f"SIG{name}"]])
        cli.write("go", "")
        assert finished(process).code == 0
    assert cli.lines("ran") == ["1", "2", "3"]


def test_a_half_written_file_is_gone_after_an_interrupt(cli: Cli) -> None:
    with cli.started(*with_file(STAYS)) as process:
        wait_for(lambda: cli.lines("pids"), "half a file")
        assert made(cli)
        send(process, [signal.SIGTERM])
        finished(process)
    assert made(cli) == {}


def test_an_interrupt_between_two_scenes_begins_no_other(cli: Cli) -> None:
    with child("interrupted_between", "resumelog.db", cwd=cli.folder) as process:
        assert finished(process).out == "INTERRUPTED\n"
    assert cli.names("电影/分镜") == ["Opened", "Resumed", "Interrupted"]


def test_a_command_that_ends_well_when_it_is_ended_is_not_done(cli: Cli) -> None:
    with cli.started(*with_file(f'trap "exit 0" TERM; {STAYS}')) as process:
        wait_for(lambda: cli.lines("pids"), "half a file")
        send(process, [signal.SIGTERM])
        assert finished(process).code == 3
    assert (made(cli), interruptions(cli)) == ({}, [("1",)])


# Kills


def killed(cli: Cli, script: str, *, told: int = 1) -> None:
    """Kill a run in its first scene; its command runs on."""
    with at_first_scene(cli, script, told=told) as process:
        process.kill()
        process.wait()
    assert len(running(cli)) == told
    cli.write("go", "")


@pytest.mark.kills
@pytest.mark.parametrize(
    ("script", "told", "leader_dies"),
    [
        (STAYS, 1, False),
        (f"trap '' TERM; {STAYS}", 1, False),
        (STAYS_WITH_ANOTHER, 2, False),
        (STAYS_WITH_ANOTHER, 2, True),
    ],
    ids=["a command", "one that ignores SIGTERM", "with a grandchild", "a grandchild alone"],
)
def test_what_a_killed_run_left_running_is_ended_by_its_successor(
    cli: Cli, script: str, told: int, leader_dies: bool
) -> None:
    killed(cli, script, told=told)
    if leader_dies:
        leader = running(cli)[-1]
        os.kill(leader, signal.SIGKILL)
        wait_for(lambda: leader not in running(cli), "the end of the leader")
    assert cli(*command(script)).code == 0
    assert running(cli) == []
    assert interruptions(cli) == [("1",)]


def test_a_scene_begins_again_only_once_its_orphan_has_ended(cli: Cli) -> None:
    slowly = 'trap "sleep 0.5; echo ended $1 >> order; exit 1" TERM'
    script = f'{slowly}; echo "began $1" >> order; {STAYS}; echo "ran $1" >> order'
    killed(cli, script)
    assert cli(*command(script)).code == 0
    scenes = [f"{word} {scene}" for scene in (1, 2, 3) for word in ("began", "ran")]
    assert cli.lines("order") == ["began 1", "ended 1", *scenes]


def test_the_half_written_file_of_a_killed_run_is_removed_by_its_successor(cli: Cli) -> None:
    arguments = with_file(f'{STAYS}; echo whole > "$2"')
    with cli.started(*arguments) as process:
        wait_for(lambda: cli.lines("pids"), "half a file")
        process.kill()
        process.wait()
    cli.write("go", "")
    assert cli(*arguments).code == 0
    assert made(cli) == dict.fromkeys(("1", "2", "3"), "whole\n")


def test_a_killed_run_is_shown_as_nobodys_and_a_living_one_with_its_worker(cli: Cli) -> None:
    with at_first_scene(cli, WAITS) as process:
        assert f"pid {process.pid} on" in cli("show", JOB, "--json").document["worker"]
        process.kill()
        process.wait()
        assert cli("show", JOB, "--json").document["worker"] is None
    cli.write("go", "")


def test_a_killed_run_is_listed_as_gone(cli: Cli) -> None:
    killed(cli, WAITS)
    assert re.search(r"\(0/3\) +gone ", cli("jobs").out)
    assert cli("jobs", "--json").document[0]["worker"] is None


def test_the_successor_of_a_killed_run_says_what_was_cut_off(cli: Cli) -> None:
    killed(cli, WAITS)
    assert f"{JOB}: the last worker ended without a word at 1\n" in cli(*command(WAITS)).err
