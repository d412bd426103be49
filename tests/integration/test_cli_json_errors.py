"""With --json every end but a good one has a document too, and only one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from support.cli import RECORDS, Cli, line, wait_for
from support.exporting import KEY, WAITS_AT_7, arguments, exported, recorded

FIELDS = {"error", "message", "next", "job", "exit_code"}


@pytest.mark.parametrize(
    ("arguments", "error", "following"),
    [
        (("show", "nothing", "--json"), "NoLog", "name it with --db or RESUMELOG_URL"),
        (("jobs", "--json", "--db", "mysql://x/y"), "UnknownStore", "use a path, sqlite:///PATH"),
        (("import", "nowhere", "--key", "x", "--json"), "NoStateFile", "name the one that the old"),
        (("import", "t", "--key", "x", "--json"), "ForeignStateFile", "name the one that the old"),
        (("import", "t", "--json"), "UsageError", "resumelog import --help tells how"),
        (("show", "--json"), "MissingParameter", "resumelog show --help tells how"),
        (("verify", "--json", "--manifest", ""), "BadParameter", "name a file, or leave"),
        (("export", KEY, "--json", "--", "nowhere"), "InputError", "install it, or name its path"),
        (("export", KEY, "--output=", "--json", "--", "true"), "BadParameter", "name a file"),
        (("export", "a\tb", "--json", "--", "true"), "BadKey", None),
        (line(*RECORDS, source="gone", options=["--json"]), "InputError", ""),
        (("rum", "--json"), "NoSuchCommand", "resumelog --help tells how it is used"),
    ],
)
def test_what_is_refused_is_a_document(
    bare: Cli, arguments: Sequence[object], error: str, following: str | None
) -> None:
    bare.write("t", "only text")
    ran = bare(*arguments)
    document = ran.document
    assert document.keys() == FIELDS
    assert (document["error"], document["exit_code"], ran.code) == (error, 2, 2)
    assert document["message"] in ran.err
    assert document["next"] is None if following is None else following in document["next"]


def test_a_job_that_another_worker_holds_is_a_document(bare: Cli) -> None:
    with bare.started(*arguments(WAITS_AT_7, "--total", 20)) as holder:
        wait_for(lambda: recorded(bare) == 7, "a worker that waits")
        ran = exported(bare, "true", "--json")
        holder.terminate()
        holder.wait()
    assert ran.code == ran.document["exit_code"] == 1
    assert ran.document["error"] == "AlreadyRunning"
    assert ran.document["job"] == f"export {KEY}"
    assert ran.document["next"] == "wait for it, or stop it first"
    assert re.search(rf"is being worked on by .*pid {holder.pid}", ran.document["message"])


def test_a_command_that_failed_has_its_own_document_and_no_second(bare: Cli) -> None:
    ran = exported(bare, "exit 7", "--json")
    assert (ran.code, ran.document["status"], ran.document["exit_code"]) == (1, "failed", 1)
    assert ran.document["command_exit_code"] == 7


def test_json_behind_the_dashes_is_the_commands(bare: Cli) -> None:
    ran = bare("export", KEY, "--", "nowhere", "--json")
    assert (ran.code, ran.out) == (2, "")


def test_an_error_without_json_prints_nothing_to_standard_output(bare: Cli) -> None:
    assert bare("show", "nothing").out == ""
