"""`resumelog pause`, `resume`, `stop`, `retry` and `regenerate`, beside workers and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import JOB, RECORDS, Cli, finished, line, require_refused, wait_for
from support.hosts import SmallHost

import resumelog

MEETS = ("sh", "-c", "touch began; until [ -e go ]; do sleep 0.02; done; rm -f go began")
FAILS_ONCE = (
    "sh",
    "-c",
    'echo "$1" >> ran; [ "$1" = 1 ] || [ -e mended ] || exit 7',
    "sh",
    "{id}",
)
BY_ANN = ("--actor", "ann", "--reason", "lunch")


# pause, resume, stop


def test_a_paused_batch_is_left_after_the_scene_in_flight_and_says_by_whom_and_why(
    cli: Cli,
) -> None:
    with cli.started(*line(*MEETS)) as process:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        asked = cli("pause", JOB, *BY_ANN)
        assert (asked.code, asked.err) == (0, "")
        assert f"{JOB}: is paused; pid {process.pid} on" in asked.out
        cli.write("go", "")
        ran = finished(process)
    assert ran.code == 3
    assert f"2 remain, paused by ann: lunch; resumelog resume {JOB}" in ran.err
    assert cli("resume", JOB).out == f"{JOB}: may go on; run the same command to go on\n"
    assert "going on" not in cli.run("true").err


def test_a_stopped_batch_is_left_and_can_be_run_again(cli: Cli) -> None:
    with cli.started(*line(*MEETS)) as process:
        wait_for(lambda: "began" in cli.files(), "the first scene")
        assert cli("stop", JOB, "--actor", "ann").code == 0
        cli.write("go", "")
        ran = finished(process)
    assert ran.code == 3
    assert "stopped by ann" in ran.err
    assert cli("stop", JOB).out == f"{JOB}: is stopped already\n"
    assert "was stopped by ann; going on" in cli.run("true").err


def test_an_export_is_paused_by_its_name(cli: Cli) -> None:
    script = (
        "echo units 1; touch began; until [ -e go ]; do sleep 0.02; done; echo units 2; sleep 60"
    )
    with cli.started("export", "reel.txt", "--total", "9", "--", "sh", "-c", script) as process:
        wait_for(lambda: "began" in cli.files(), "the first unit")
        document = cli("pause", "reel.txt", *BY_ANN, "--json").document
        cli.write("go", "")
        assert finished(process).code == 3
    assert document.items() >= {"job": "reel.txt", "status": "paused", "changed": True}.items()


def test_what_nobody_works_on_cannot_be_paused(cli: Cli) -> None:
    cli.run("true")
    ran = cli("pause", JOB)
    assert ran.code == 2
    assert "pause" in ran.err


def test_a_run_has_commands_of_its_own(cli: Cli) -> None:
    with resumelog.open(cli.folder / "resumelog.db") as log:
        log.autopilot(SmallHost()).configure("sim_1", mode="auto")
    for verb in ("pause", "resume", "stop"):
        require_refused(cli, [verb, "sim_1"], f"of the autopilot; resumelog pilot {verb} sim_1")


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "retry"])
def test_a_job_that_is_not_there_is_refused(cli: Cli, verb: str) -> None:
    cli.run("true")
    require_refused(cli, [verb, "reel/sound"], "reel/sound")


# retry, regenerate


def test_what_failed_is_run_again_as_the_log_has_it(cli: Cli) -> None:
    cli.run(*FAILS_ONCE, options=["--artifact", "out/{id}"], source="scenes.jsonl")
    cli.run(*FAILS_ONCE)
    cli.write("mended", "")
    cli.write("scenes.jsonl", "no scenes any more")
    ran = cli("retry", JOB)
    assert (ran.code, cli.lines("ran")) == (0, ["1", "2", "3", "2", "3"])
    assert cli.names()[-1] == "Completed"
    assert "PlanRevised" not in cli.names()


def test_it_is_run_in_the_folder_of_then(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    writes = '[ -e mended ] || exit 7; echo clip > "$1"'
    command = ("sh", "-c", writes, "sh", "{artifact}")
    cli.run(*command, options=["--artifact", "out/{id}"])
    cli.write("mended", "")
    elsewhere = Cli(tmp_path_factory.mktemp("elsewhere"))
    assert elsewhere("retry", JOB, "--db", cli.folder / "resumelog.db").code == 0
    assert sorted(path.name for path in (cli.folder / "out").iterdir()) == ["1", "2", "3"]
    assert cli.run(*command, options=["--artifact", "out/{id}"]).code == 0
    assert cli.names().count("SceneCompleted") == 3


def test_only_the_failed_scenes_that_are_named_are_run_again(cli: Cli) -> None:
    cli.run(*FAILS_ONCE)
    cli.write("mended", "")
    assert cli("retry", JOB, "3", "--workers", "2", "--json").document["done"] == 2
    assert cli.lines("ran") == ["1", "2", "3", "3"]


def test_another_check_is_recorded_and_makes_nothing_again(cli: Cli) -> None:
    cli.run(*RECORDS)
    cli.run(*RECORDS, options=["--check", "true"])
    assert cli.lines("ran") == ["1", "2", "3"]
    assert "PlanRevised" in cli.names()


def test_another_number_of_workers_is_not_another_plan(cli: Cli) -> None:
    cli.run(*RECORDS)
    before = cli.names()
    cli.run(*RECORDS, options=["--workers", "2"])
    assert cli.names() == before


def big(cli: Cli, text: str) -> None:
    cli.scenes(1, 2, 3, text=text * 2_000_000)


def test_scenes_that_are_too_large_for_the_log_are_read_again(cli: Cli) -> None:
    big(cli, "a")
    cli.run(*FAILS_ONCE)
    cli.write("mended", "")
    assert cli("retry", JOB).code == 0
    assert cli.lines("ran")[3:] == ["2", "3"]


def test_scenes_that_are_others_than_then_are_refused(cli: Cli) -> None:
    big(cli, "a")
    cli.run(*FAILS_ONCE)
    big(cli, "b")
    require_refused(
        cli, ["retry", JOB], "holds other scenes than it did; run the same command with"
    )


def test_scenes_that_came_by_standard_input_and_are_too_large_are_not_there(cli: Cli) -> None:
    big(cli, "a")
    scenes = Path(cli.folder / "scenes.jsonl").read_text()
    cli(*line(*FAILS_ONCE, source="-"), stdin=scenes)
    require_refused(cli, ["retry", JOB], "came by standard input; run the same command with")


def test_a_batch_of_a_program_has_no_command(cli: Cli) -> None:
    with resumelog.open(cli.folder / "resumelog.db") as log:
        batch = log.scenes.open(*JOB.split("/"), scenes=["a"])
        batch.leave("for a test")
    require_refused(cli, ["retry", JOB], "the log does not hold its command; run the same command")


@pytest.mark.parametrize(
    ("named", "again"), [(["2"], ["2"]), (["--all"], ["1", "2", "3"])], ids=["one", "all"]
)
def test_scenes_are_marked_to_be_made_again(cli: Cli, named: list[str], again: list[str]) -> None:
    cli.run(*RECORDS)
    marked = cli("regenerate", JOB, *named, "--reason", "another ending", "--json")
    assert marked.document == {"job": JOB, "marked": {"video": len(again)}}
    assert cli.lines("ran") == ["1", "2", "3"]
    cli.run(*RECORDS)
    assert cli.lines("ran")[3:] == again


def test_scenes_are_made_again_at_once(cli: Cli) -> None:
    cli.run(*RECORDS)
    ran = cli("regenerate", JOB, "2", "--run")
    assert (ran.code, cli.lines("ran")) == (0, ["1", "2", "3", "2"])


@pytest.mark.parametrize("named", [[], ["2", "--all"]], ids=["none", "both"])
def test_it_is_said_which_scenes(cli: Cli, named: list[str]) -> None:
    cli.run("true")
    both = ", not both" if len(named) > 1 else "\n"
    require_refused(cli, ["regenerate", JOB, *named], f"name the scenes or say --all{both}")
