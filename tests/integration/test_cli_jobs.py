"""`resumelog jobs` with its options."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import runs
from support.cli import Cli
from support.listed_logs import begun

import resumelog
from resumelog.domain.autopilot_run import AutoPilotRun

JOBS = 105
"""More than are listed without being asked for."""


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A log of many exports that run, a batch and a run; nobody works on any."""
    cli = Cli(tmp_path_factory.mktemp("many"))
    with resumelog.open(cli.folder / "resumelog.db", root=cli.folder) as log:
        log.scenes.open("电影", "分镜", scenes=["1"]).leave("enough")
        log.log.decide(AutoPilotRun.named("sim-1"), runs.configure("auto"))
        for number in range(JOBS):
            begun(log, f"clip-{number}")
    return cli


def names(cli: Cli, *options: object) -> tuple[list[str], str]:
    ran = cli("jobs", "--json", *options)
    assert ran.code == 0
    return [job["name"] for job in ran.document], ran.err


def test_the_hundred_jobs_that_changed_last_are_listed_and_the_others_counted(cli: Cli) -> None:
    listed, told = names(cli)
    assert listed == [f"clip-{number}" for number in reversed(range(5, JOBS))]
    assert told == "resumelog: 7 more; --limit 0 lists all\n"


def test_the_table_obeys_the_limit_too(cli: Cli) -> None:
    ran = cli("jobs", "--limit", 2)
    assert [line.split()[0] for line in ran.out.splitlines()] == ["JOB", "clip-104", "clip-103"]
    assert ran.err == "resumelog: 105 more; --limit 0 lists all\n"


@pytest.mark.parametrize("limit", [0, JOBS + 2, 9999])
def test_all_jobs_are_listed_when_the_limit_allows(cli: Cli, limit: int) -> None:
    listed, told = names(cli, "--limit", limit)
    assert (len(listed), listed[-1], told) == (JOBS + 2, "电影/分镜", "")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--kind", "SceneBatch"), ["电影/分镜"]),
        (("--kind", "SceneBatch", "--kind", "AutoPilotRun"), ["sim-1", "电影/分镜"]),
        (("--status", "open", "--status", "inactive"), ["sim-1", "电影/分镜"]),
        (("--status", "open", "--kind", "AutoPilotRun"), []),
        (("--status", "completed"), []),
    ],
    ids=str,
)
def test_jobs_are_listed_by_kind_and_status(
    cli: Cli, options: tuple[str, ...], expected: list[str]
) -> None:
    assert names(cli, *options) == (expected, "")


def test_what_a_filter_leaves_out_is_not_counted(cli: Cli) -> None:
    listed, told = names(cli, "--status", "running", "--status", "open", "--limit", 100)
    assert (len(listed), told) == (100, "resumelog: 6 more; --limit 0 lists all\n")


@pytest.mark.parametrize("option", [("--kind", "job"), ("--status", "busy"), ("--limit", "-1")])
def test_a_choice_that_there_is_not_is_wrong_usage(cli: Cli, option: tuple[str, str]) -> None:
    ran = cli("jobs", *option)
    assert (ran.code, ran.out) == (2, "")
    assert option[1] in ran.err


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("resumelog jobs --status pa", ["paused"]),
        ("resumelog jobs --kind S", ["SceneBatch"]),
        ("resumelog jobs --re", ["--rebuild"]),
    ],
)
def test_options_and_their_values_are_offered(cli: Cli, words: str, offered: list[str]) -> None:
    asks = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    shell = Cli(cli.folder, _RESUMELOG_COMPLETE="bash_complete", **asks)
    assert shell().out.split() == [f"plain,{each}" for each in offered]


def test_a_job_in_the_list_is_a_document_of_plain_values(cli: Cli) -> None:
    job: dict[str, Any] = cli("jobs", "--json", "--limit", 1).document[0]
    assert json.dumps(job["created_at"]) == '"2025-03-01T08:30:00Z"'
    assert {*job} == {
        *("kind", "name", "id", "status", "progress", "done", "failed", "total", "attempts"),
        *("worker", "version", "created_at", "modified_at", "error"),
    }


def test_a_rebuilt_list_says_the_same(cli: Cli) -> None:
    before = cli("jobs", "--limit", 0).out
    assert cli("jobs", "--limit", 0, "--rebuild").out == before
    assert cli("jobs", "--limit", 0).out == before
