"""Bad input of `resumelog export`: one line that says what to do, and nothing written anywhere."""

from __future__ import annotations

import pytest
from support.cli import Cli, require_refused
from support.exporting import INTO_OUTPUT, KEY, arguments


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            ["--output", "x" * 300],
            r"x… can't be the path of a file \(File name too long\); name a short",
        ),
        (["--output", "."], "is a folder; name a file with --output"),
        (["--input", "nowhere.mov"], "nowhere.mov is no file .No such file.*and not JSON"),
        (["--db", "mysql://x/y"], "names no store"),
    ],
)
def test_what_could_never_run_is_refused_before_anything_is_written(
    bare: Cli, options: list[object], why: str
) -> None:
    require_refused(bare, arguments("touch x", *options), why)


def test_a_key_that_cannot_name_a_job_is_refused(bare: Cli) -> None:
    require_refused(bare, arguments("touch x", key="a\tb"), "can't name a job: it ")


@pytest.mark.parametrize("options", [[], [INTO_OUTPUT]], ids=["", "output"])
def test_a_key_that_can_be_no_file_is_refused_unless_the_output_is_another(
    bare: Cli, options: list[object]
) -> None:
    key = "长" * 100
    require_refused(
        bare, arguments("touch x", *options, key=key), "name a shorter one with --output"
    )
    assert bare(*arguments("echo > reel.out", "--output", "reel.out", key=key)).code == 0


def test_a_command_that_is_not_there_is_refused(bare: Cli) -> None:
    require_refused(bare, ["export", KEY, "--", "nowhere-to-be-found"], "there is no command")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--total", 0], "0 is not in the range x>=1"),
        (["--total", "1.5"], "'1.5' is not a valid int"),
        (["--duration", "nan"], "nan is no number of seconds"),
        (["--save-interval", "inf"], "inf is no number of seconds"),
        (["--grace", -1], "-1.0 is not in the range x>=0"),
        (["--on-changed-inputs", "ask"], "'ask' is not one of 'restart', 'refuse'"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_written(
    bare: Cli, options: list[object], why: str
) -> None:
    ran = bare(*arguments("touch x", *options, INTO_OUTPUT))
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err.splitlines()[-1]
    assert bare.files() == {}
