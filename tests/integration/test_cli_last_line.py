"""The last line of a run says how it stands and the one thing to do next; scenes are named as people know them."""

from __future__ import annotations

import pytest
from support.cli import JOB, RECORDS, RESUMELOG, Cli, Ran

FAILS = ("false",)
PICKY = ("sh", "-c", '[ "$1" != 2 ]', "sh", "{id}")
TEXTS = ("echo", "{line}")


def last(ran: Ran) -> str:
    """What stands after the counts."""
    return ran.err.splitlines()[-1].partition(" before), ")[2]


@pytest.mark.parametrize(
    ("options", "command", "said"),
    [
        (["--only", "1"], RECORDS, "2 remain; run it without --only to make them"),
        (["--only", "1,3"], RECORDS, "1 remains; run it without --only to make them"),
        (["--retry-failed"], RECORDS, "3 remain; run it without --retry-failed to make them"),
        (
            ["--retry-failed", "--only", "1"],
            RECORDS,
            "3 remain; run it without --only and --retry-failed to make them",
        ),
        ([], PICKY, f"1 failed; run the same command, or resumelog retry {JOB}"),
        (
            ["--only", "2"],
            PICKY,
            f"1 failed, 2 not made; run the same command, or resumelog retry {JOB}",
        ),
        (
            ["--stop-after-failures", "1"],
            FAILS,
            "3 remain, stopped after 1 failure; run the same command to go on",
        ),
        (
            ["--after", "text"],
            RECORDS,
            (
                "3 remain, 3 scenes wait for text, a stage that was never opened; run the same command once"
                " they are done there"
            ),
        ),
        ([], RECORDS, "complete"),
    ],
    ids=str,
)
def test_it_names_what_remains_why_and_what_to_do(
    cli: Cli, options: list[str], command: tuple[str, ...], said: str
) -> None:
    assert last(cli.run(*command, options=options)) == said


def test_a_retry_of_nothing_says_so_and_names_no_option_that_nobody_gave(cli: Cli) -> None:
    cli.run(*RECORDS)
    cli("regenerate", JOB, "--all")
    ran = cli("retry", JOB)
    assert f"{JOB}: nothing to retry, none of these scenes failed last\n" in ran.err
    assert last(ran) == "3 remain; retry makes no others, the command of the batch does"


def test_one_scene_is_one(cli: Cli) -> None:
    cli.scenes(1)
    assert f"{JOB}: 1 of 1 scene done (1 now, 0 before), complete\n" in cli.run(*RECORDS).err


def test_a_wait_that_is_none_is_not_told_in_seconds(cli: Cli) -> None:
    cli.scenes(1)
    ran = cli.run(*FAILS, options=["--retries", "1", "--backoff", "0"])
    assert "retrying 2 of 2 at once: exit code 1" in ran.err


def test_a_scene_without_an_id_is_named_by_its_line_wherever_it_is_named(cli: Cli) -> None:
    cli.write("shots", "dawn\nroad\n")
    cli.run(*TEXTS, source="shots")
    again = cli.run("echo", "so: {line}", source="shots")
    assert "scene dawn and 1 more are made again: its input or its command changed" in again.err
    unknown = cli.run(*TEXTS, source="shots", options=["--only", "2"])
    assert "there is no scene '2' in INPUT; it begins with dawn, road\n" in unknown.err


def test_a_scene_without_an_id_that_a_kill_cut_off_is_named_by_its_line(cli: Cli) -> None:
    cli.write("shots", "dawn\nroad\n")
    cli.run("sh", "-c", "kill -9 $PPID", source="shots")
    again = cli.run(*TEXTS, source="shots")
    assert f"{JOB}: the last worker ended without a word at dawn\n" in again.err


def test_a_scene_without_an_id_is_made_again_by_its_line(cli: Cli) -> None:
    cli.write("shots", "dawn\nroad\n")
    cli.run(*TEXTS, source="shots")
    ran = cli("regenerate", JOB, "road", "--json")
    assert (ran.code, ran.document["marked"]) == (0, {"video": 1})
    assert "[2/2] done    road" in cli.run(*TEXTS, source="shots").err


def test_a_paused_batch_is_shown_with_who_and_why(cli: Cli) -> None:
    cli.run(RESUMELOG, "pause", JOB, "--reason", "lunch", "--actor", "ann")
    shown = cli("show", JOB)
    assert shown.out.splitlines()[1].startswith(
        "status    paused by ann (lunch), 1 of 3 done, 0 failed  (Paused, version "
    )


def test_what_was_done_before_and_is_made_again_counts_once(cli: Cli) -> None:
    cli.run(*PICKY)
    ran = cli.run(*PICKY, options=["--only", "1", "--regenerate", "--json"])
    assert f"{JOB}: 2 of 3 scenes done (1 now, 1 before), 1 failed" in ran.err
    assert ran.document["skipped"] == 1


def test_of_scenes_with_another_command_those_are_named_that_are_made(cli: Cli) -> None:
    cli.run(*RECORDS)
    said = cli.run("echo", "{id}", options=["--only", "2"]).err
    assert "scene 2 is made again: its input or its command changed\n" in said
    assert "scene 1" not in said
    assert last(cli.run("echo", "{id}", options=["--only", "2"])).startswith("2 remain; run it")
