"""resumelog clean: what it says, removes and leaves, and what it refuses."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.cli import JOB, Cli, finished, line, require_one_line, wait_for

import resumelog
from resumelog.infrastructure import processes

LONG = ("sh", "-c", "seq 2000", "sh", "{id}")
HANGS = ("sh", "-c", 'echo half > "$2"; echo $$ > pid; sleep 600', "sh", "{id}", "{artifact}")
WRITES = ("sh", "-c", 'echo whole > "$2"', "sh", "{id}", "{artifact}")
CLIPS = ("--artifact", "clips/{id}.mp4")
CLEAN = ("clean", "--older-than", "0s")


@pytest.fixture
def done(cli: Cli) -> Cli:
    """A finished batch whose three results stand beside their events."""
    assert cli.run(*LONG).code == 0
    return cli


def size_of(cli: Cli) -> int:
    with resumelog.open(cli.folder / "resumelog.db") as log:
        return log.log.count_payloads(log.queries.find(JOB).id)[1]


def test_it_says_what_it_removed(done: Cli) -> None:
    code, out, err = done(*CLEAN)
    assert (code, err) == (0, "")
    first, last = out.splitlines()
    assert first.startswith(f"{JOB}: 3 values (")
    assert first.endswith(") removed")
    assert last.startswith("removed 3 values (")
    assert last.endswith(") of 1 finished job")
    assert done.names()[-1] == "PayloadsRemoved"
    assert done("verify").code == 0


def test_a_dry_run_says_what_would_go_and_changes_no_byte(done: Cli) -> None:
    before = done.files()
    code, out, err = done(*CLEAN, "--dry-run")
    assert (code, err) == (0, "")
    assert done.files() == before
    really = done(*CLEAN).out
    assert out == really.replace("removed 3", "would remove 3").replace(
        ") removed", ") would be removed"
    )


def test_its_document_has_every_fact(done: Cli) -> None:
    size = size_of(done)
    document = done(*CLEAN, "--json").document
    (job,) = document.pop("finished")
    assert (job["job"], job["kind"], job["payloads"], job["bytes"]) == (JOB, "SceneBatch", 3, size)
    assert document == {
        "dry_run": False,
        "older_than_s": 0.0,
        "dead": [],
        "left_alone": [],
        "payloads": 3,
        "payload_bytes": size,
        "files": 0,
        "file_bytes": 0,
    }


@pytest.mark.parametrize("options", [("30d",), ("0s", "--kind", "ExportJob")])
def test_a_young_job_and_another_kind_are_left_as_they_are(
    done: Cli, options: Sequence[str]
) -> None:
    before = done.files()
    ran = done("clean", "--older-than", *options)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "removed nothing\n"
    assert done.files() == before


@pytest.mark.parametrize("age", ["0s", "0.5s", "0m", "0h", "0d", "0w"])
def test_every_unit_is_an_age(done: Cli, age: str) -> None:
    assert done("clean", "--older-than", age).code == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "Missing option '--older-than'"),
        (("--older-than", "30"), "'30' is no age: write a number and s, m, h, d or w"),
        (("--older-than", "30 d"), "'30 d' is no age"),
        (("--older-than", "-1d"), "'-1d' is no age"),
        (("--older-than", "1y"), "'1y' is no age"),
        (("--older-than", "1e3d"), "'1e3d' is no age"),
        (("--older-than", "٣d"), "'٣d' is no age"),
        (("--older-than", "nand"), "'nand' is no age"),
        (("--older-than", "9" * 30 + "w"), "is older than anything"),
        (("--older-than", "9" * 400 + "w"), "is older than anything"),
        (("--older-than", "1d", "--kind", "Film"), "'Film' is not one of"),
    ],
)
def test_what_is_no_age_or_kind_is_refused(done: Cli, options: Sequence[str], why: str) -> None:
    before = done.files()
    code, out, err = done("clean", *options)
    assert (code, out) == (2, "")
    assert why in err
    assert "Traceback" not in err
    assert done.files() == before


def test_where_there_is_no_log_none_is_made(bare: Cli) -> None:
    require_one_line(bare(*CLEAN), "there is no log")
    assert bare.files() == {}


def test_the_batch_is_shown_and_goes_on_without_its_values(done: Cli) -> None:
    done(*CLEAN)
    assert "3 of 3 done" in done("show", JOB).out
    done.scenes(1, 2, 3, 4)
    ran = done.run(*LONG)
    assert ran.code == 0
    assert "4 of 4 scenes done (1 now, 3 before)" in ran.err


def killed_in_a_scene(cli: Cli) -> tuple[Path, int]:
    """Kill `resumelog run` in its first scene; return the partial file and the group it leaves."""
    with cli.started(*run_line(HANGS)) as process:
        wait_for(lambda: cli.lines("pid"), "the first scene")
        process.send_signal(signal.SIGKILL)
        process.wait()
        (partial,) = (cli.folder / "clips").glob(".*")
        group = int(cli.lines("pid")[0])
    return partial, group


def run_line(command: Sequence[str]) -> list[object]:
    return line(*command, options=CLIPS)


def test_what_a_killed_worker_left_goes_and_the_next_one_records_what_was_cut_off(
    cli: Cli,
) -> None:
    partial, group = killed_in_a_scene(cli)
    before = cli.names()
    told = cli(*CLEAN, "--dry-run").out
    assert f"{JOB}: {partial} (5 bytes) would be removed" in told
    assert f"{JOB}: process group {group} would be ended" in told
    assert partial.exists()
    assert processes.started(group) is not None
    (dead,) = cli(*CLEAN, "--json").document["dead"]
    assert (dead["files"], dead["groups"]) == ([{"path": str(partial), "bytes": 5}], [group])
    assert not partial.exists()
    assert processes.started(group) is None
    assert cli.names() == before
    with cli.started(*run_line(WRITES)) as process:
        ran = finished(process)
    assert "the last worker ended without a word at 1" in ran.err
    assert "Interrupted" in cli.names()
    assert "1: 2" in cli("show", JOB).out, "attempts"


def test_the_output_that_a_killed_command_appends_to_stays(bare: Cli) -> None:
    appends = 'echo "part $RESUMELOG_UNITS_DONE" >> "$1"; echo units 1; echo $$ > pid; sleep 600'
    export = ("export", "reel.txt", "--total", "2", "--keep-partial", "--")
    with bare.started(*export, "sh", "-c", appends, "sh", "{output}") as process:
        wait_for(lambda: bare.lines("pid"), "the command")
        wait_for(lambda: "ProgressSaved" in names(bare), "its report")
        process.send_signal(signal.SIGKILL)
        process.wait()
    (kept,) = (each for each in bare.folder.glob(".reel*") if each.suffix == ".txt")
    (dead,) = bare(*CLEAN, "--json").document["dead"]
    assert (dead["files"], dead["groups"]) == ([], [int(bare.lines("pid")[0])])
    assert kept.read_text() == "part 0\n"


def names(cli: Cli) -> list[str]:
    try:
        return cli.names("reel.txt")
    except resumelog.ResumelogError:
        return []
