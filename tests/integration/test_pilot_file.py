"""Runs that a pilot.toml drives through real commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.children import child
from support.hosts import until_asked
from support.pilots import HEAD, SIM, Piloted, processes_in, until, work

import resumelog
from resumelog import NoSuchSimulation
from resumelog.application.steps import Step
from resumelog.domain.autopilot_events import ProgressSaved, StepFailed
from resumelog.infrastructure import processes

# What a step's command gets and tells


def test_a_command_gets_the_id_as_one_argument_and_no_shell(tmp_path: Path) -> None:
    hostile = "sim; touch victim $(touch victim) `touch victim` 'x\""
    piloted = Piloted(tmp_path, work("draw", 'echo "$#: $1" > seen'))
    assert piloted.driven(hostile).status == "completed"
    assert piloted.lines("seen") == [f"1: {hostile}"]
    assert not (tmp_path / "victim").exists()


def test_a_command_is_told_what_it_works_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESUMELOG_TOKEN", "secret")
    told = "$RESUMELOG_SIMULATION_ID/$RESUMELOG_STEP/$RESUMELOG_ATTEMPT/$RESUMELOG_RESUME_DATA"
    script = f'echo "{told}/$COLOUR/$PLACE/${{RESUMELOG_TOKEN-none}}" >> seen; echo "{{\\"progress\\": 5, \\"resume_data\\": {{\\"n\\": 3}}}}"; test $RESUMELOG_ATTEMPT = 2'
    step = work("draw", script, "environment = {COLOUR = '红'}")
    piloted = Piloted(tmp_path, "[environment]\nPLACE = 'here'\n", step)
    assert piloted.driven().status == "completed"
    assert piloted.lines("seen") == [
        f"{SIM}/draw/1//红/here/none",
        f'{SIM}/draw/2/{{"n": 3}}/红/here/none',
    ]


def test_a_command_runs_in_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    piloted = Piloted(tmp_path, work("draw", "pwd > seen", "cwd = 'deep'", "done_when = 'seen'"))
    assert piloted.driven().status == "completed"
    assert piloted.lines("deep/seen") == [str(tmp_path / "deep")]
    assert piloted.result("draw") == {"file": str(tmp_path / "deep/seen")}


def test_progress_is_saved_and_all_other_text_is_the_result(tmp_path: Path) -> None:
    script = 'echo made; echo "progress 40 第四"; echo "{\\"progress\\": 41, \\"scene\\": 7, \\"resume_data\\": 4}"; echo well'
    piloted = Piloted(tmp_path, work("draw", script))
    assert piloted.driven().status == "completed"
    saved = [event for event in piloted.events() if isinstance(event, ProgressSaved)]
    assert (saved[-1].percent, saved[-1].detail, saved[-1].resume_data) == (41, {"scene": 7}, 4)
    assert piloted.result("draw") == {"printed": "made\nwell"}


def test_progress_that_is_out_of_range_costs_nothing(tmp_path: Path) -> None:
    script = 'echo "progress 140"; echo "progress 40"'
    piloted = Piloted(tmp_path, work("draw", script))
    assert piloted.driven().status == "completed"
    percents = [event.percent for event in piloted.events() if isinstance(event, ProgressSaved)]
    assert 140 not in percents


# Failing and skipping


def test_a_command_that_fails_fails_its_step_with_what_it_said_last(tmp_path: Path) -> None:
    piloted = Piloted(tmp_path, work("draw", "echo no ink >&2; echo 墨尽 >&2; exit 9"))
    run = piloted.driven()
    assert (run.status, run.error_step) == ("failed", "draw")
    assert run.error == "CommandFailed: exit code 9: no ink\n墨尽"
    failed = [event.attempt for event in piloted.events() if isinstance(event, StepFailed)]
    assert failed == [1, 2, 3]


def test_the_error_of_a_command_that_raised_shows_no_stack(tmp_path: Path) -> None:
    (tmp_path / "draw.py").write_text("try:\n    1 / 0\nfinally:\n    raise ValueError('墨尽')\n")
    run = Piloted(tmp_path, work("draw", "python3 draw.py")).driven()
    between = "During handling of the above exception, another exception occurred:"
    raised = f"ZeroDivisionError: division by zero\n\n{between}\n\nValueError: 墨尽"
    assert run.error == f"CommandFailed: exit code 1: {raised}"


def test_the_error_of_a_group_of_exceptions_shows_no_stack(tmp_path: Path) -> None:
    group = "raise ExceptionGroup('两个', [ValueError('墨尽'), OSError('no ink')])"
    (tmp_path / "draw.py").write_text(group)
    run = Piloted(tmp_path, work("draw", "python3 draw.py")).driven()
    assert run.error is not None
    assert "ExceptionGroup: 两个 (2 sub-exceptions)" in run.error
    assert "ValueError: 墨尽" in run.error
    assert "draw.py" not in run.error


def test_what_is_done_already_is_skipped(tmp_path: Path) -> None:
    (tmp_path / f"{SIM}.png").touch()
    step = work("draw", "touch ran", "done_when = '{simulation_id}.png'")
    checked = work("write", "touch ran", "check = ['test', '{simulation_id}', '=', 'sim-模拟 1']")
    piloted = Piloted(tmp_path, step, checked)
    assert piloted.driven().status == "completed"
    assert not (tmp_path / "ran").exists()
    assert piloted.result("draw") == {"skipped": True, "file": str(tmp_path / f"{SIM}.png")}
    assert piloted.result("write") == {"skipped": True}


def test_what_ends_well_without_being_done_has_failed(tmp_path: Path) -> None:
    piloted = Piloted(tmp_path, work("draw", "true", "done_when = 'drawn'"))
    assert "it ended well, but there is no " in str(piloted.driven().error)
    piloted = Piloted(tmp_path, work("draw", "true", "check = ['test', '-e', 'drawn']"))
    assert "its check, test, says that it is not done" in str(piloted.driven().error)


def test_a_check_that_can_not_tell_fails_the_step_and_nothing_is_run(tmp_path: Path) -> None:
    check = "check = ['sh', '-c', 'echo broken >&2; exit 2']"
    piloted = Piloted(tmp_path, work("draw", "touch ran", check))
    assert piloted.driven().error == "CommandFailed: exit code 2: broken"
    assert not (tmp_path / "ran").exists()


def test_a_step_that_takes_too_long_is_ended_and_the_run_fails(tmp_path: Path) -> None:
    piloted = Piloted(tmp_path, work("draw", "sleep 600", "limit_s = 1"))
    run = piloted.driven()
    assert (run.status, run.error) == ("failed", "the step took longer than 1 s")
    assert not processes_in(tmp_path)


# Stopping

HANGS = 'echo x >> begun; echo "{\\"progress\\": 30, \\"resume_data\\": 3}"; sleep 600'
IGNORES = f"trap '' TERM; {HANGS}"
SAVES = 'trap \'echo "{\\"progress\\": 31, \\"resume_data\\": 4}"; exit 0\' TERM; echo x >> begun; sleep 600 & wait'


@pytest.mark.kills
@pytest.mark.parametrize("script", [HANGS, IGNORES, SAVES], ids=["ends", "ignores", "saves"])
@pytest.mark.parametrize("verb", ["pause", "stop", "reset"])
def test_a_command_ends_when_its_run_should_stop(tmp_path: Path, script: str, verb: str) -> None:
    piloted = Piloted(tmp_path, work("draw", script))
    with piloted.pilot() as pilot, piloted.control() as other:
        pilot.configure(SIM, "auto")
        pilot.start(SIM)
        until(lambda: piloted.lines("begun"), "the command")
        getattr(other, verb)(SIM)
        run = pilot.wait(SIM, 60)
    assert run.status == ("paused" if verb == "pause" else "inactive")
    assert not processes_in(tmp_path)
    assert "StepCompleted" not in [type(event).__name__ for event in piloted.events()]


def test_what_a_command_saves_when_it_is_asked_to_end_is_what_it_goes_on_from(
    tmp_path: Path,
) -> None:
    goes_on = (
        'if [ -n "$RESUMELOG_RESUME_DATA" ]; then echo "from $RESUMELOG_RESUME_DATA"; exit 0; fi; '
    )
    piloted = Piloted(tmp_path, work("draw", goes_on + SAVES))
    with piloted.pilot() as pilot:
        pilot.configure(SIM, "auto")
        pilot.start(SIM)
        until(lambda: piloted.lines("begun"), "the command")
        pilot.pause(SIM)
        pilot.wait(SIM, 60)
        pilot.resume(SIM)
        assert pilot.wait(SIM, 60).status == "completed"
    assert piloted.result("draw") == {"printed": "from 4"}


@pytest.mark.kills
def test_a_closed_log_leaves_no_command_and_the_run_as_it_was(tmp_path: Path) -> None:
    piloted = Piloted(tmp_path, work("draw", IGNORES))
    with piloted.pilot() as pilot:
        pilot.configure(SIM, "auto")
        pilot.start(SIM)
        until(lambda: piloted.lines("begun"), "the command")
    assert not processes_in(tmp_path)
    with piloted.pilot() as pilot:
        assert pilot.status(SIM).status == "active"
        assert pilot.recover() == [SIM]
        until(lambda: len(piloted.lines("begun")) == 2, "the command again")


@pytest.mark.kills
def test_a_command_that_outlives_its_worker_is_ended_by_the_next(tmp_path: Path) -> None:
    piloted = Piloted(tmp_path, work("draw", f"echo $$ >> pids; {IGNORES}"))
    with child("drive", tmp_path, SIM, cwd=tmp_path, module="support.pilot_workers") as process:
        until(lambda: piloted.lines("begun"), "the command")
        process.kill()
        process.wait()
    (orphan,) = piloted.lines("pids")
    assert processes.started(int(orphan))
    with piloted.pilot() as pilot:
        pilot.recover()
        until(lambda: len(piloted.lines("begun")) == 2, "the command again")
        assert not processes.started(int(orphan))


# The monitor


def monitored(folder: Path, *states: object, start: str = "true") -> Piloted:
    """Return a default chain whose monitor prints these states in turn, the last one for ever."""
    for number, state in enumerate(states):
        text = state if isinstance(state, str) else json.dumps(state)
        (folder / f"state-{number}").write_text(text)
    look = "n=$(cat n 2>/dev/null || echo 0); test -e state-$((n + 1)) && echo $((n + 1)) > n; cat state-$n"
    chain = f"""
[start]
run = ["sh", "-c", "echo from $1 >> started; {start}", "sh", "{{from_round}}"]
[monitor]
run = ["sh", "-c", "{look}"]
every_s = 0.01
errors_max = 3
[report]
run = ["touch", "report-{{simulation_id}}"]
done_when = "report-{{simulation_id}}"
"""
    return Piloted(folder, chain)


def state(status: str, number: int = 0, **more: object) -> dict[str, object]:
    return {"status": status, "round": number, "rounds": 3, **more}


def test_the_default_chain_starts_watches_and_reports(tmp_path: Path) -> None:
    piloted = monitored(
        tmp_path, state("idle"), state("running", 1, mood="calm"), state("completed", 3)
    )
    assert piloted.driven().status == "completed"
    assert piloted.lines("started") == ["from 0"]
    first, *_ = [e for e in piloted.events() if isinstance(e, ProgressSaved) and e.percent]
    assert first.detail == {"current_round": 1, "total_rounds": 3, "mood": "calm"}
    assert (tmp_path / f"report-{SIM}").exists()


@pytest.mark.parametrize(
    ("found", "started"),
    [
        (state("running", 2), []),
        (state("idle", 2), ["from 2"]),
        (state("completed", 2), ["from 0"]),
        (state("completed", 3), []),
    ],
)
def test_a_simulation_is_started_where_that_is_needed(
    tmp_path: Path, found: object, started: list[str]
) -> None:
    piloted = monitored(tmp_path, found, state("completed", 3))
    assert piloted.driven().status == "completed"
    assert piloted.lines("started") == started


def test_a_simulation_that_runs_no_more_is_started_again_after_its_round(tmp_path: Path) -> None:
    running, gone = state("running", 1), state("idle", 1)
    piloted = monitored(
        tmp_path, running, running, gone, state("running", 2), state("completed", 3)
    )
    assert piloted.driven().status == "completed"
    assert piloted.lines("started") == ["from 1"]


def test_one_that_ends_with_too_few_rounds_while_it_is_watched_is_started_anew(
    tmp_path: Path,
) -> None:
    running, early = state("running", 1), state("completed", 2)
    piloted = monitored(tmp_path, running, running, early, running, state("completed", 3))
    assert piloted.driven().status == "completed"
    assert piloted.lines("started") == ["from 0"]


def test_the_time_that_a_service_was_down_counts_for_a_monitor_alone(tmp_path: Path) -> None:
    monitored(tmp_path, state("running", 1))
    host, _ = resumelog.read_pilot(tmp_path / "pilot.toml")
    counts = {
        name: step for name, step in host.steps.items() if getattr(step, "counts_downtime", False)
    }
    assert [*counts] == ["monitoring"]


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("no json", "the monitor printed no state of a simulation: Invalid JSON"),
        ("", "the monitor printed no state of a simulation: Invalid JSON"),
        ('{"round": 3}', "the monitor printed no state of a simulation: status: Field required"),
        (
            '{"status": "well"}',
            "the monitor printed no state of a simulation: status: Input should",
        ),
        ('{"status": "running", "round": -1}', "no state of a simulation: round: Input should be"),
        ('{"status": "running", "percent": 1}', "the monitor's key 'percent' has another meaning"),
    ],
)
def test_a_monitor_that_prints_no_state_is_asked_again_and_then_given_up(
    tmp_path: Path, printed: str, why: str
) -> None:
    run = monitored(tmp_path, state("running"), printed).driven()
    assert (run.status, run.error_step) == ("failed", "monitoring")
    assert why in str(run.error)
    assert "3 looks in a row failed" in str(run.error)


def test_a_simulation_that_failed_fails_its_run_at_once(tmp_path: Path) -> None:
    piloted = monitored(tmp_path, state("running"), state("failed", 2, error="瘟疫"))
    assert piloted.driven().error == "the simulation failed in round 2: 瘟疫"


# Which simulations there are

FOLDER = HEAD.replace('"any"', '{ folder = "sims" }')
PLAIN = work("draw", "touch ran")


def test_simulations_are_the_sub_folders_of_a_folder(tmp_path: Path) -> None:
    piloted = Piloted(tmp_path, PLAIN, head=FOLDER)
    (tmp_path / "sims" / SIM).mkdir(parents=True)
    (tmp_path / "sims" / "file").touch()
    assert piloted.driven().status == "completed"
    for unknown in ("file", "sim_2", "x" * 300):
        with pytest.raises(NoSuchSimulation):
            piloted.driven(unknown)


def test_a_command_tells_which_simulations_there_are(tmp_path: Path) -> None:
    ask = '{ run = ["test", "{simulation_id}", "=", "sim-模拟 1"] }'
    piloted = Piloted(tmp_path, PLAIN, head=HEAD.replace('"any"', ask))
    assert piloted.driven().status == "completed"
    with pytest.raises(NoSuchSimulation):
        piloted.driven("sim_2")


class AnyHost:
    """Knows every id; its step never ends by itself."""

    steps: Mapping[str, Step] = {"draw": until_asked}

    def exists(self, _: str) -> bool:
        return True


HOSTILE = ["../../victim", "..", ".", "/etc", "-rf", "--help", "a/b", "a\\b", "sims/../x"]


@pytest.mark.parametrize("head", [HEAD, FOLDER], ids=["any", "folder"])
@pytest.mark.parametrize("simulation_id", HOSTILE)
def test_an_id_that_is_a_path_or_an_option_is_unknown(
    tmp_path: Path, head: str, simulation_id: str
) -> None:
    (tmp_path / "sims" / "a" / "b").mkdir(parents=True)
    (tmp_path / "sims" / "-rf").mkdir()
    with pytest.raises(NoSuchSimulation):
        Piloted(tmp_path, PLAIN, head=head).driven(simulation_id)


@pytest.mark.parametrize("simulation_id", HOSTILE)
def test_an_id_that_was_begun_elsewhere_gets_to_no_command(
    tmp_path: Path, simulation_id: str
) -> None:
    piloted = Piloted(tmp_path, PLAIN)
    with resumelog.open(tmp_path / "resumelog.db") as log:
        other = log.autopilot(AnyHost())
        other.configure(simulation_id, "auto")
        other.start(simulation_id)
    with piloted.pilot() as pilot:
        with pytest.raises(NoSuchSimulation):
            pilot.start(simulation_id)
        assert pilot.recover() == [simulation_id]
        run = pilot.wait(simulation_id, 60)
    assert run.status == "failed"
    assert "can't be handed to a command" in str(run.error)
    assert not (tmp_path / "ran").exists()
