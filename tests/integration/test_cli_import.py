"""resumelog import: what it says, what it writes, and what it refuses before there is a log."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.cli import Cli, finished, require_one_line, require_refused
from support.hostile import RUN
from support.legacy import Sample, samples, written

import resumelog
from resumelog.domain.export_job import ExportJob

IMPORT = ["Imported", "Started", "ProgressSaved", "Interrupted"]
FILE = ".export_state"
VALID = [sample for sample in samples().values() if sample.progress is not None]
GOES_ON = """
import sys, resumelog
with resumelog.open() as log, {} as job:
    print([*job.remaining(25)])
    raise SystemExit
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """`resumelog` beside a progress file at 64 %."""
    shutil.copyfile(samples()["p064"].path, tmp_path / FILE)
    return Cli(tmp_path)


def line(key: str = "reel", *options: str) -> tuple[str, ...]:
    return ("import", FILE, "--key", key, *options)


def test_it_says_what_was_imported_and_how_to_go_on(cli: Cli) -> None:
    code, out, err = cli(*line())
    assert (code, err) == (0, "")
    recorded = f"as {cli.folder / FILE} recorded it at 2026-11-22 00:05:09+0000"
    assert out.splitlines() == [
        f"export reel: imported at 64.0%, {recorded}",
        "go on with log.exports.resume(OUTPUT, key='reel')",
        "or from the shell with resumelog export reel -- COMMAND",
    ]
    assert cli.names("reel") == IMPORT


@pytest.mark.parametrize("sample", VALID, ids=lambda sample: sample.path.stem)
def test_its_document_has_every_fact(cli: Cli, sample: Sample) -> None:
    ran = cli("import", sample.path, "--key", "片", "--json")
    assert (ran.code, ran.err) == (0, "")
    document = ran.document
    recorded, recorded_at = document.pop("recorded"), document.pop("recorded_at")
    assert (recorded["progress"], recorded["date"]) == (sample.progress, "2026-11-22 00:05:09")
    assert recorded_at.startswith("2026-11-22T00:05:09.86")
    assert document == {
        "imported": True,
        "job": "片",
        "id": str(ExportJob.named("片").id),
        "status": "interrupted",
        "progress": sample.progress,
        "version": 4,
        "source": str(sample.path),
        "sha256": sample.sha256,
    }


def test_the_way_to_go_on_that_it_names_goes_on(cli: Cli) -> None:
    told = cli(*line('it\'s a "reel"')).out.splitlines()[-2]
    call = told.removeprefix("go on with ").replace("OUTPUT", "'reel.mp4'")
    cli.write("goes_on.py", GOES_ON.format(call))
    ran = cli(through=("sh", "-c", 'exec "$0" goes_on.py', sys.executable))
    assert (ran.code, ran.out) == (0, f"{[*range(16, 25)]}\n")
    assert cli.names('it\'s a "reel"') == [*IMPORT, "Started", "Interrupted"]


def test_the_way_to_go_on_from_the_shell_goes_on(cli: Cli) -> None:
    told = cli(*line("it's a reel")).out.splitlines()[-1]
    call = told.removeprefix("or from the shell with ").replace("COMMAND", "env")
    ran = cli(through=("sh", "-c", call.replace("resumelog", '"$0"', 1)))
    assert "RESUMELOG_PROGRESS=0.64\n" in ran.out
    assert cli.names("it's a reel") == [*IMPORT, "Started", "Completed"]


def test_what_an_import_brought_is_seen_in_the_list_of_events(cli: Cli) -> None:
    cli(*line())
    imported = cli("log", "reel").out.splitlines()[1]
    assert "progress=0.64" in imported


def test_the_same_file_again_appends_nothing_and_says_so(cli: Cli) -> None:
    cli(*line())
    ran = cli(*line())
    assert (ran.code, ran.err) == (0, "")
    assert "export reel: this file was imported before; now interrupted at 64.0%" in ran.out
    again = cli(*line("reel", "--json")).document
    assert (again["imported"], again["version"]) == (False, 4)
    assert cli.names("reel") == IMPORT


def test_the_file_stays_as_it_is(cli: Cli) -> None:
    before = cli.files()[FILE]
    cli(*line())
    assert cli.files()[FILE] == before


def test_what_was_imported_is_shown_listed_and_verified(cli: Cli) -> None:
    cli(*line())
    assert "next      from 64.0% on" in cli("show", "reel").out
    assert re.search(r"reel +ExportJob +interrupted +64%", cli("jobs").out)
    assert re.search(r"Imported .*\.export_state", cli("log", "reel").out)
    assert cli("verify").code == 0


def test_a_key_in_use_is_refused(cli: Cli) -> None:
    cli(*line())
    cli.write(FILE, written(0.9))
    before = cli.names("reel")
    require_one_line(
        cli(*line()), "export reel: has 4 events already; choose a key that is not in use"
    )
    assert cli.names("reel") == before


# Refused before a log is made


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", r"\.export_state can't be used: it is empty; nothing was imported; stop the old"),
        (written()[:70], "can't be used: it is cut off: 62 bytes are missing"),
        (written(checksum="0" * 32), "can't be used: its checksum is not that of its progress"),
        (written(7.5), "says 7.5, which is no number from 0.0 to 1.0"),
        (written(float("nan")), "says nan, which is no number from 0.0 to 1.0"),
        (written("half"), "says 'half', which is no number from 0.0 to 1.0"),
        (
            written(more=1),
            "it is a pickle of another dict: its fields are not progress, timestamp, date",
        ),
        (
            b'{"progress": 0.5}',
            "is no progress file: it is text, and the old exporter wrote pickles",
        ),
        (
            b"\x80\x04]\x94.",
            "it is a pickle of something else than the old .* nothing of it was run",
        ),
        (b"\x80\x04" + bytes(5000), "is no progress file: it has more than 4096 bytes"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_file_that_cannot_be_imported_is_refused(cli: Cli, content: bytes, why: str) -> None:
    cli.write(FILE, content)
    require_refused(cli, line(), why)


@pytest.mark.parametrize("name", ["a call, protocol 4", "GLOBAL and REDUCE", "INST", "BUILD"])
def test_a_file_that_would_run_code_is_refused_and_nothing_runs(cli: Cli, name: str) -> None:
    cli.write(FILE, RUN[name](str(cli.folder / "mark")))
    require_refused(cli, line(), r"is an instruction .*nothing in it was run\. Don't open it")
    assert not (cli.folder / "mark").exists()


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("nowhere", "nowhere can't be read: No such file or directory; name the one"),
        (".", "can't be read: Is a directory"),
        ("", "can't be read: No such file"),
        ("/dev/zero", "can't be read: it is no regular file"),
    ],
)
def test_what_is_no_file_is_refused(cli: Cli, file: str, why: str) -> None:
    require_refused(cli, ("import", file, "--key", "reel"), why)


def test_a_pipe_is_not_waited_for(cli: Cli) -> None:
    os.mkfifo(cli.folder / "pipe")
    require_one_line(cli("import", "pipe", "--key", "reel"), "it is no regular file")


def test_a_file_without_permission_is_refused(cli: Cli, bound: Sequence[str]) -> None:
    before = cli.files()
    (cli.folder / FILE).chmod(0)
    ran = cli(*line(), through=bound)
    (cli.folder / FILE).chmod(0o644)
    require_one_line(ran, "can't be read: Permission denied")
    assert cli.files() == before


@pytest.mark.parametrize("key", ["", "a\nb", "x" * 513])
def test_a_key_that_can_name_no_job_is_refused(cli: Cli, key: str) -> None:
    require_refused(cli, line(key), "can't name a job: it ")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(("import", FILE), "Missing option '--key'"), (("import", "--key", "x"), "Missing argument")],
)
def test_wrong_usage_is_told(cli: Cli, arguments: tuple[str, ...], why: str) -> None:
    before = cli.files()
    ran = cli(*arguments)
    assert (ran.code, ran.out, cli.files()) == (2, "", before)
    assert why in ran.err


def test_names_in_no_encoding_are_told_and_recorded(cli: Cli) -> None:
    name = os.fsdecode(b"\xff.export_state")
    shutil.copyfile(cli.folder / FILE, cli.folder / name)
    ran = cli("import", name, "--key", "reel")
    assert (ran.code, ran.err) == (0, "")
    with resumelog.open(cli.folder / "resumelog.db") as log:
        assert log.queries.find("reel").version == len(IMPORT)


def test_many_imports_at_once_leave_one(cli: Cli) -> None:
    with ExitStack() as stack:
        started = [stack.enter_context(cli.started(*line("reel", "--json"))) for _ in range(6)]
        documents = [finished(each).document for each in started]
    assert sorted(each["imported"] for each in documents) == [False] * 5 + [True]
    assert cli.names("reel") == IMPORT
