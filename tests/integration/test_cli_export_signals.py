"""Signals to a real `resumelog export`, and what a successor does after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.cli import Cli, finished, wait_for
from support.exporting import (
    COUNTED,
    INTO_OUTPUT,
    KEY,
    UNITS,
    WAITS_AT_7,
    arguments,
    exported,
    numbers,
    recorded,
    reports,
    running,
    whys,
)

STAYS = "echo progress 0.1; echo progress 0.2; echo $$ >> pids; [ -e go ] || exec sleep 60"
IGNORES = f"trap '' INT TERM HUP; {STAYS}"
FINISHES = f"trap 'echo units 8; exit 0' INT; {WAITS_AT_7}"


@contextmanager
def at_work(
    bare: Cli, script: str, *options: object, through: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Yield an export whose command has told its process number."""
    with bare.started(*arguments(script, *options), through=through) as process:
        wait_for(lambda: bare.lines("pids"), "the command")
        yield process


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_command_and_what_it_reported_is_on_record(bare: Cli, name: str) -> None:
    with at_work(bare, STAYS, INTO_OUTPUT) as process:
        process.send_signal(signal.Signals[name])
        ran = finished(process)
    assert ran.code == 3
    assert f"interrupted at 20.0%: {name}; run the same command to go on" in ran.err
    assert running(bare) == []
    assert whys(bare) == [f"Terminated: {name}"]
    assert reports(bare)[-1].progress == 0.2
    assert not any("partial" in name for name in bare.files())


def test_what_comes_after_an_interrupt_goes_on_at_the_exact_unit(bare: Cli) -> None:
    with at_work(bare, WAITS_AT_7, *COUNTED) as process:
        process.send_signal(signal.SIGINT)
        assert finished(process).code == 3
    bare.write("go", "")
    assert exported(bare, WAITS_AT_7, *COUNTED).code == 0
    assert bare.lines("made") == numbers(range(UNITS))


def test_a_command_may_report_what_it_finished_after_a_signal(bare: Cli) -> None:
    with at_work(bare, FINISHES, *COUNTED) as process:
        process.send_signal(signal.SIGINT)
        ran = finished(process)
    assert ran.code == 3
    assert "interrupted at 8 of 20 units: SIGINT" in ran.err
    assert reports(bare)[-1].units_done == 8


def test_a_command_that_completes_its_work_after_a_signal_is_done(bare: Cli) -> None:
    script = FINISHES.replace("units 8", "units 20")
    with at_work(bare, script, *COUNTED) as process:
        process.send_signal(signal.SIGINT)
        assert finished(process).code == 0
    assert bare.names(KEY)[-1] == "Completed"


def test_a_command_that_ignores_a_signal_is_killed_after_its_grace(bare: Cli) -> None:
    with at_work(bare, IGNORES, "--grace", 0.1, "--json") as process:
        process.send_signal(signal.SIGTERM)
        ran = finished(process)
    assert (ran.code, ran.document["command_exit_code"]) == (3, -signal.SIGKILL)
    assert ran.document["exit_code"] == 3
    assert running(bare) == []


def test_what_was_reported_is_on_record_as_soon_as_a_signal_comes(bare: Cli) -> None:
    with at_work(bare, IGNORES, "--grace", 3600, "--save-interval", 3600) as process:
        wait_for(lambda: recorded(bare) == 0.1, "the first report")
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: recorded(bare) == 0.2, "the last report")
        assert bare.names(KEY)[-1] == "ProgressSaved", "it was recorded at its end only"
        process.send_signal(signal.SIGINT)
        assert finished(process).code == 3


def test_what_is_reported_after_a_signal_is_on_record_at_once(bare: Cli) -> None:
    late = "trap '' TERM; echo progress 0.1; echo $$ >> pids; until [ -e go ]; do sleep 0.02; done"
    late += "; echo progress 0.2; exec sleep 60"
    with at_work(bare, late, "--grace", 3600, "--save-interval", 3600) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        assert "went on to the command" in process.stderr.readline()
        bare.write("go", "")
        wait_for(lambda: recorded(bare) == 0.2, "the last report")
        assert bare.names(KEY)[-1] == "ProgressSaved", "it was recorded at its end only"
        process.send_signal(signal.SIGINT)
        assert finished(process).code == 3


def test_a_second_interrupt_kills_at_once(bare: Cli) -> None:
    with at_work(bare, IGNORES, "--grace", 3600) as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline() == "SIGINT went on to the command; Ctrl+C kills it\n"
        process.send_signal(signal.SIGINT)
        assert finished(process).code == 3
    assert running(bare) == []


def test_a_signal_that_was_ignored_from_the_start_stays_ignored(bare: Cli) -> None:
    ignoring = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    with at_work(bare, WAITS_AT_7, *COUNTED, through=ignoring) as process:
        process.send_signal(signal.SIGHUP)
        bare.write("go", "")
        assert finished(process).code == 0


def test_what_a_command_leaves_running_is_ended(bare: Cli) -> None:
    script = "echo $$ >> pids; sleep 60 > /dev/null 2>&1 & echo units 20"
    assert exported(bare, script, *COUNTED).code == 0
    assert running(bare) == []


def test_a_killed_export_leaves_nothing_to_its_successor(bare: Cli) -> None:
    script = f'echo half > "$1"; {WAITS_AT_7}; echo whole > "$1"'
    with at_work(bare, script, *COUNTED, INTO_OUTPUT) as process:
        wait_for(lambda: recorded(bare) == 7, "the record of what was made")
        process.kill()
        process.wait()
    (orphan,) = running(bare)
    assert any("partial" in name for name in bare.files())
    with bare.started(*arguments(script, *COUNTED, INTO_OUTPUT)) as successor:
        wait_for(lambda: len(bare.lines("pids")) == 2, "the command of the successor")
        assert orphan not in running(bare)
        bare.write("go", "")
        ran = finished(successor)
    assert ran.code == 0
    assert "ended without a word" in ran.err
    assert bare.lines("made") == numbers(range(UNITS))
    assert bare.lines(KEY) == ["whole"]
    assert not any("partial" in name for name in bare.files())


def state(pid: int) -> str:
    """Return a process's state: S sleeps, T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


IN_A_GROUP = """
import pathlib, subprocess, sys
export = subprocess.Popen(sys.argv[1:], process_group=0)
pathlib.Path("export").write_text(f"{export.pid}\\n")
sys.exit(export.wait())
"""
"""As a shell with job control starts a job; a real one may leave once its job is stopped."""


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_ctrl_z_stops_the_command_too_and_both_go_on(bare: Cli) -> None:
    spins = WAITS_AT_7.replace(
        "sleep 0.02", ":"
    )  # one that waits for a fork is not seen as stopped
    shell = (sys.executable, "-c", IN_A_GROUP)
    with at_work(bare, spins, *COUNTED, through=shell) as process:
        export, command = int(bare.lines("export")[0]), int(bare.lines("pids")[0])
        os.kill(export, signal.SIGTSTP)
        wait_for(lambda: state(export) == state(command) == "T", "both to stop")
        os.kill(export, signal.SIGCONT)
        wait_for(lambda: state(command) != "T", "the command to go on")
        bare.write("go", "")
        assert "complete, 20 of 20 units" in finished(process).err
