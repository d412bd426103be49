"""`resumelog pilot` against a log: runs driven in the foreground, and controlled from elsewhere."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest
from support.cli import Cli, finished, require_one_line, require_refused, wait_for
from support.pilots import HEAD, Piloted, processes_in, work

SIM = "village"
VERBS = ["config", "start", "step", "resume", "pause", "stop", "reset", "status", "watch"]
QUICK = work("draw", "echo progress 50 half; echo x >> ran"), work("write", "true")
HANGS = 'echo x >> begun; test -e go || { echo "{\\"progress\\": 30, \\"resume_data\\": 3}"; sleep 600; }'
HERE = ("--pilot", "pilot.toml")


def piloted(tmp_path: Path, *steps: str, mode: str = "auto") -> Cli:
    """Return a folder with a pilot.toml and a run that is configured."""
    Piloted(tmp_path, *steps)
    cli = Cli(tmp_path)
    assert cli("pilot", "config", SIM, mode).code == 0
    return cli


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_each_command_has_examples(bare: Cli, verb: str) -> None:
    code, out, _ = bare("pilot", verb, "--help")
    assert code == 0
    assert re.search(rf"^ +resumelog pilot {verb} village", out.partition("Examples:\n")[2], re.M)


def test_the_exit_codes_are_told(bare: Cli) -> None:
    assert "Exit codes: 0 done; 1 the run or its step failed" in bare("pilot", "--help").out


# Driving


def test_a_run_is_driven_to_its_end(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    ran = cli("pilot", "start", SIM, *HERE)
    assert (ran.code, ran.out) == (0, "village: completed\n")
    assert "village: active at draw" in ran.err
    assert cli("pilot", "start", SIM, *HERE).code == 0
    assert cli.lines("ran") == ["x"]


def test_the_document_tells_how_it_ended(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    document = cli("pilot", "start", SIM, *HERE, "--json").document
    assert document["status"] == "completed"
    assert document == cli("pilot", "status", SIM, "--json").document


def test_force_begins_anew(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    for _ in range(2):
        assert cli("pilot", "start", SIM, *HERE, "--force").code == 0
    assert cli.lines("ran") == ["x", "x"]


def test_a_run_that_fails_ends_with_what_its_command_said(tmp_path: Path) -> None:
    cli = piloted(tmp_path, work("draw", "echo no ink >&2; exit 9"))
    ran = cli("pilot", "start", SIM, *HERE)
    assert (ran.code, ran.out) == (
        1,
        "village: failed at draw: CommandFailed: exit code 9: no ink\n",
    )
    assert "failed at draw" in cli("pilot", "status", SIM).out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.kills
def test_whoever_leaves_hands_the_run_back_and_the_same_command_goes_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    cli = piloted(tmp_path, work("draw", HANGS))
    with cli.started("pilot", "start", SIM, *HERE) as process:
        wait_for(lambda: cli.lines("begun"), "the command")
        process.send_signal(number)
        code, out, _ = finished(process)
    assert code == 3
    assert f"handed back after {number.name}; resumelog pilot start village" in out
    assert not processes_in(tmp_path)
    assert cli("pilot", "status", SIM, "--json").document["status"] == "active"
    cli.write("go", "")
    assert cli("pilot", "start", SIM, *HERE).code == 0


@pytest.mark.kills
def test_a_command_that_does_not_listen_ends_with_whoever_leaves(tmp_path: Path) -> None:
    deaf = work("draw", "trap '' TERM; echo x >> begun; sleep 600")
    Piloted(tmp_path, deaf, head=HEAD.replace("grace_s = 1", "grace_s = 600"))
    cli = Cli(tmp_path)
    cli("pilot", "config", SIM, "auto")
    with cli.started("pilot", "start", SIM, *HERE) as process:
        wait_for(lambda: cli.lines("begun"), "the command")
        process.send_signal(signal.SIGTERM)
        assert finished(process).code == 3
    assert not processes_in(tmp_path)


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("stop", "inactive")])
@pytest.mark.kills
def test_a_run_that_is_driven_elsewhere_is_asked_to_leave(
    tmp_path: Path, verb: str, status: str
) -> None:
    cli = piloted(tmp_path, work("draw", HANGS))
    with cli.started("pilot", "start", SIM, *HERE) as process:
        wait_for(lambda: cli.lines("begun"), "the command")
        assert cli("pilot", verb, SIM, "--json").document["status"] == status
        code, out, _ = finished(process)
    assert (code, processes_in(tmp_path)) == (3, {})
    cli.write("go", "")
    goes_on = "resume" if verb == "pause" else "start"
    assert f"resumelog pilot {goes_on} village" in out
    assert cli("pilot", goes_on, SIM, *HERE).code == 0


@pytest.mark.kills
def test_a_run_that_another_drives_is_watched(tmp_path: Path) -> None:
    cli = piloted(tmp_path, work("draw", "echo x >> begun; until test -e go; do sleep 0.05; done"))
    with cli.started("pilot", "start", SIM, *HERE) as first:
        wait_for(lambda: cli.lines("begun"), "the command")
        with cli.started("pilot", "start", SIM, *HERE) as second:
            assert second.stderr
            assert "is driven by " in second.stderr.readline()
            with cli.started("pilot", "watch", SIM, "--every", "0.1") as third:
                cli.write("go", "")
                ran = [finished(each) for each in (first, second, third)]
    assert [each.code for each in ran] == [0, 0, 0]
    assert cli.lines("begun") == ["x"]


def test_a_run_in_manual_mode_goes_step_by_step(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK, mode="manual")
    require_one_line(cli("pilot", "start", SIM, *HERE), "mode is manual, not auto")
    ran = cli("pilot", "step", SIM, *HERE)
    assert (ran.code, ran.out) == (0, "village: paused at write 0 %\n")
    assert (cli("pilot", "step", SIM, *HERE).out, cli.lines("ran")) == (
        "village: completed\n",
        ["x"],
    )


def test_a_step_by_hand_that_fails_is_a_failure(tmp_path: Path) -> None:
    cli = piloted(tmp_path, work("draw", "exit 9"), mode="manual")
    assert cli("pilot", "step", SIM, *HERE).code == 1


def test_a_resume_without_a_file_leaves_the_run_to_its_service(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK, mode="manual")
    cli("pilot", "step", SIM, *HERE)
    document = cli("pilot", "resume", SIM, "--json").document
    assert (document["status"], document["current_step"]) == ("active", "write")


def test_reset_forgets_all_but_the_mode(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    cli("pilot", "start", SIM, *HERE)
    document = cli("pilot", "reset", SIM, "--json").document
    assert (document["status"], document["mode"]) == ("inactive", "auto")


@pytest.mark.kills
def test_a_terminal_shows_a_live_row(tmp_path: Path) -> None:
    waits = "echo progress 40 drawing; until test -e go; do sleep 0.05; done"
    cli = piloted(tmp_path, work("draw", waits))
    with cli.in_terminal("pilot", "start", SIM, *HERE) as terminal:
        terminal.shows("draw 40 % · drawing")
        cli.write("go", "")
        assert "village: completed" in terminal.ends()


# What is refused


@pytest.mark.parametrize("verb", ["start", "step", "resume", "pause", "stop", "status", "watch"])
def test_without_a_log_there_is_nothing_to_do_and_none_is_made(tmp_path: Path, verb: str) -> None:
    Piloted(tmp_path, *QUICK)
    where = HERE if verb in ("start", "step", "resume") else ()
    require_refused(Cli(tmp_path), ["pilot", verb, SIM, *where], "there is no log at ")


@pytest.mark.parametrize("verb", ["start", "step"])
def test_what_drives_needs_a_file_of_steps(tmp_path: Path, verb: str) -> None:
    cli = piloted(tmp_path, *QUICK)
    require_refused(cli, ["pilot", verb, SIM], f"{verb} drives the run here; name its steps with")


def test_a_run_that_nobody_configured_is_not_watched(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    why = "no run of hamlet is configured; resumelog pilot config hamlet auto"
    require_refused(cli, ["pilot", "watch", "hamlet"], why)


@pytest.mark.parametrize("simulation", ["../../victim", "-rf", "hamlet"])
def test_a_simulation_that_is_not_there_is_not_configured(tmp_path: Path, simulation: str) -> None:
    cli = piloted(tmp_path, *QUICK)
    Piloted(tmp_path, *QUICK, head=HEAD.replace('"any"', '{ folder = "sims" }'))
    arguments = ["pilot", "config", *HERE, "--", simulation, "auto"]
    require_one_line(cli(*arguments), "the host knows no such simulation")


def test_a_bad_file_is_told_with_its_line_in_the_document_too(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    cli.write("pilot.toml", 'exists = "any"\nstep = 1\n')
    why = r"pilot\.toml, line 2: step: there is no such key; "
    require_refused(cli, ["pilot", "start", SIM, *HERE], why)
    document = cli("pilot", "start", SIM, *HERE, "--json").document
    assert document["error"] == "BadPilotFile"
    assert document["exit_code"] == 2


def test_simulations_are_offered_for_completion(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    words = "resumelog pilot start vil"
    asks = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    shell = Cli(cli.folder, _RESUMELOG_COMPLETE="bash_complete", **asks)
    assert shell().out.split() == ["plain,village"]


def test_the_document_of_a_status_is_json_alone(tmp_path: Path) -> None:
    cli = piloted(tmp_path, *QUICK)
    assert json.loads(cli("pilot", "status", "hamlet", "--json").out)["is_configured"] is False
