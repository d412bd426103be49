"""Bad input: one line on standard error that says what to do, and nothing written anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from support.cli import Cli, line, require_refused

ARTIFACT = ("sh", "-c", 'touch "$1"', "sh", "{artifact}")


# INPUT


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"id": 1}\n{"id": \n', r"scenes\.jsonl, line 2: not JSON"),
        ('{"id": 1}\n{"a": 1e999}\n', r"scenes\.jsonl, line 2: "),
        ('{"id": 1}\n{"a": "\\ud800"}\n', r"scenes\.jsonl, line 2: "),
        ("", r"holds no scenes; give it at least one line"),
        ('{"id": 1}\n{"id": 1}\n', r"both have the key '1'; give each scene its own id"),
        ('{"id": 1}\n{"id": true}\n', r"the scene's id True can't name a job: it is neither text"),
    ],
    ids=str,
)
def test_scenes_that_cannot_be_used_are_refused(cli: Cli, content: str | bytes, why: str) -> None:
    cli.write("scenes.jsonl", content)
    require_refused(cli, line("touch", "x"), why)


def test_an_input_that_is_not_there_is_refused(cli: Cli) -> None:
    require_refused(
        cli, line("touch", "x", source="nowhere"), "nowhere can't be read: No such file"
    )


def test_a_nul_that_no_command_can_take_is_refused(cli: Cli) -> None:
    cli.scenes(1, text="a\0b")
    require_refused(cli, line("touch", "x", "--text={text}"), r"scenes\.jsonl, line 1")


def test_a_scene_that_no_command_can_take_is_told(cli: Cli) -> None:
    cli.scenes(1, text="a" * 4_000_000)
    ran = cli.run("echo", "{text}")
    assert "Traceback" not in ran.err
    assert ran.code in (1, 2)
    assert "rgument list too long" in ran.err


# The command, its placeholders and its file


@pytest.mark.parametrize(
    ("command", "options", "why"),
    [
        (("echo", "{nope}"), (), r"scenes\.jsonl, line 1 has no field \{nope\}; it has .*\{id\}"),
        (("nowhere-to-be-found",), (), "there is no command 'nowhere-to-be-found' on the PATH; in"),
        ((".",), (), "'.' is a folder, not a command; name the program in it"),
        (("",), (), "there is no command"),
        (("touch", "{artifact}"), (), "name the file with --artifact"),
        (("touch", "x"), ("--artifact", "{id}"), r"COMMAND has no \{artifact\}"),
        (ARTIFACT, ("--artifact", "out/{nope}"), r"line 1 has no field \{nope\}"),
        (ARTIFACT, ("--artifact", "out/x"), r"line 1 and .*line 2 would both write out/x"),
        (ARTIFACT, ("--artifact", "out/{line}"), r"no file name"),
        (("touch", "x"), ("--db", ""), "names no store"),
        (("touch", "x"), ("--db", "postgres:foo"), "'postgres:foo' names no store; use a path"),
        (("touch", "x"), ("--db", "sqlite:jobs.db"), "'sqlite:jobs.db' names no store"),
        (("touch", "x"), ("--db", "mysql://x/y"), "'mysql://x/y' names no store; use a path"),
        (("touch", "x"), ("--db", "no/jobs.db"), "there is no folder .*no; make it first"),
    ],
    ids=str,
)
def test_what_could_never_run_is_refused_before_anything_is_written(
    cli: Cli, command: tuple[str, ...], options: tuple[str, ...], why: str
) -> None:
    cli.scenes(1, 2, path="../x")
    require_refused(cli, line(*command, options=options), why)


@pytest.mark.parametrize(
    ("option", "name"),
    [("--project", ""), ("--stage", ""), ("--project", "a\tb"), ("--stage", "a" * 513)],
    ids=["no project", "no stage", "a control character", "too long"],
)
def test_a_name_that_cannot_name_a_job_is_refused(cli: Cli, option: str, name: str) -> None:
    require_refused(cli, line("touch", "x", options=[option, name]), "can't name a job: it ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("RESUMELOG_LEASE_S", "soon"), ("RESUMELOG_LEASE_S", "-1"), ("PERSISTENCE_MODULE", "nowhere")],
)
def test_a_setting_that_cannot_be_used_is_named(cli: Cli, name: str, value: str) -> None:
    wrong = Cli(cli.folder, **{name: value})
    require_refused(wrong, line("touch", "x"), re.escape(name))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("run", "scenes.jsonl", "--project", "p", "--stage", "s"), "Missing argument"),
        (("run", "scenes.jsonl", "--stage", "s", "--", "touch", "x"), "Missing option '--project'"),
        (line("touch", "x", options=["--format", "xml"]), "'xml' is not one of 'auto'"),
        (line("touch", "x", options=["--retry"]), "No such option"),
        (("rum",), "No such command 'rum'"),
        (("show",), "Missing argument 'JOB'"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_written(
    cli: Cli, arguments: Sequence[object], why: str
) -> None:
    before = cli.files()
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err.splitlines()[-1]
    assert cli.files() == before
