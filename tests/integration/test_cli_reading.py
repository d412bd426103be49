"""`resumelog jobs`, `show` and `log`: what they tell, to people and to programs, changing nothing."""

from __future__ import annotations

import re
import sys

import pytest
from support.cli import JOB, Cli

import resumelog

ESCAPES = "\x1b[31m\x07\x9b\u202e"
FAILS_AT_2 = ("sh", "-c", '[ "$1" != 2 ] || { printf "$2" >&2; exit 7; }', "sh", "{id}", ESCAPES)
READS = [("jobs",), ("show", JOB), ("log", JOB)]


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A log with one batch, whose second scene failed with an error that could drive a terminal."""
    cli = Cli(tmp_path_factory.mktemp("reading"))
    cli.scenes(1, 2, 3)
    assert cli.run(*FAILS_AT_2).code == 1
    return cli


def job_id(cli: Cli) -> str:
    return str(cli.events()[0].originator_id)


@pytest.mark.parametrize("json_too", [(), ("--json",)])
@pytest.mark.parametrize("read", READS)
def test_reading_changes_nothing(
    cli: Cli, read: tuple[str, ...], json_too: tuple[str, ...]
) -> None:
    before = cli.files()
    ran = cli(*read, *json_too)
    assert (ran.code, ran.err) == (0, "")
    assert cli.files() == before


@pytest.mark.parametrize("read", READS)
def test_nothing_that_is_read_drives_the_terminal(cli: Cli, read: tuple[str, ...]) -> None:
    assert not [char for char in cli(*read).out if not char.isprintable() and char != "\n"]


def test_the_jobs_are_a_table(cli: Cli) -> None:
    header, row = cli("jobs").out.splitlines()
    assert header.split() == [
        "JOB",
        "KIND",
        "STATUS",
        "PROGRESS",
        "FAILED",
        "WORKER",
        "CHANGED",
        "ID",
    ]
    assert row.split()[:6] == [JOB, "SceneBatch", "open", "67%", "(2/3)", "1"]


def test_the_jobs_are_a_json_array(cli: Cli) -> None:
    (job,) = cli("jobs", "--json").document
    facts = {
        "name": JOB,
        "kind": "SceneBatch",
        "status": "open",
        "done": 2,
        "failed": 1,
        "total": 3,
    }
    assert job.items() >= facts.items()


def test_a_log_without_a_job_has_an_empty_list(cli: Cli) -> None:
    with resumelog.open(cli.folder / "empty.db"):
        pass
    assert cli("jobs", "--json", "--db", "empty.db").document == []


def test_a_job_is_shown_with_what_is_next_and_the_event_that_decided_it(cli: Cli) -> None:
    out = cli("show", JOB).out
    assert out.startswith(f"batch {JOB}, version 6\n")
    assert re.search(r"^status +open, 2 of 3 done, 1 failed +\(Interrupted, version 6, ", out, re.M)
    assert re.search(r"^next +2: failed 1 time +\(SceneFailed, version 4, ", out, re.M)
    assert re.search(r"^worker +nobody works on it$", out, re.M)


def test_a_resume_point_is_a_json_document(cli: Cli) -> None:
    point = cli("show", JOB, "--json").document
    assert [fact["value"] for fact in point["done"]] == ["1", "3"]
    assert [(fact["value"], fact["version"]) for fact in point["next"]] == [("2", 4)]
    assert (point["id"], point["worker"]) == (job_id(cli), None)


@pytest.mark.parametrize("characters", [4, 36])
def test_a_job_can_be_named_by_the_beginning_of_its_id(cli: Cli, characters: int) -> None:
    shown = cli("show", job_id(cli)[:characters].upper(), "--json").document
    assert shown["job"] == f"batch {JOB}"


def test_the_log_has_a_row_for_each_event(cli: Cli) -> None:
    header, *rows = cli("log", JOB).out.splitlines()
    assert header.split() == ["VERSION", "TIME", "EVENT", "EPOCH", "FACTS"]
    told = [(row.split()[0], row.split()[3]) for row in rows]
    assert told == [(str(version), name) for version, name in enumerate(cli.names(), 1)]


def test_the_log_is_a_json_array_of_every_event(cli: Cli) -> None:
    events = cli("log", JOB, "--json").document
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event["event"] for event in events] == cli.names()
    assert {event["stream"] for event in events} == {job_id(cli)}
    assert events[3].items() >= {"scene": "2", "attempt": 1, "epoch": 1}.items()
    assert ESCAPES in events[3]["error"]


def test_the_log_can_be_named_by_the_environment(cli: Cli) -> None:
    elsewhere = cli.folder / "elsewhere"
    elsewhere.mkdir()
    there = Cli(elsewhere, RESUMELOG_URL=str(cli.folder / "resumelog.db"))
    assert there("jobs").out == cli("jobs").out


def test_a_name_that_two_jobs_have_is_refused_with_both(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    cli = Cli(tmp_path_factory.mktemp("two"))
    with resumelog.open(cli.folder / "resumelog.db", root=cli.folder) as log:
        log.scenes.open("a", "b", scenes=["1"]).leave("enough")
        with log.exports.resume("out.mp4", key="a/b"):
            pass
    refused = cli("show", "a/b")
    assert (refused.code, refused.out) == (2, "")
    assert re.search(
        r"^resumelog: 'a/b' names several jobs; name one by its id: .*\(.*\(.*\n$", refused.err
    )


@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_a_reader_that_has_gone_is_told_nothing(cli: Cli, json_too: tuple[str, ...]) -> None:
    nobody_reads = "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1)"
    program = f"{nobody_reads}; os.execv(sys.argv[1], sys.argv[1:])"
    ran = cli("log", JOB, *json_too, through=(sys.executable, "-c", program))
    assert ran.err == ""
