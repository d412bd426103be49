"""`resumelog verify` over logs that somebody changed with plain sqlite3, and over whole ones."""

from __future__ import annotations

import os
import pty
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.cli import JOB, Cli, require_one_line
from support.logs import make_scenes, make_units, scenes
from support.tampering import ALL, CONTENT, Tampering

import resumelog
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch

LOG = "resumelog.db"
BATCH = SceneBatch.named("reel", "video").id.hex
FILM = ExportJob.named("成片").id.hex
COUNTS = {"events": 26, "streams": 3, "payloads": 4}

Change = Callable[[Tampering], None]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A log of a batch with long results, an export and another batch; and its manifest."""
    cli = Cli(tmp_path_factory.mktemp("kept"))
    with resumelog.open(cli.folder / LOG, root=cli.folder) as log:
        batch = log.scenes.open("reel", "video", scenes=scenes(1, 2, 3, 4, 5))
        make_scenes(batch, fails=["2"], result=lambda key: key * 3000)
        make_units(log, cli.folder / "out", key="成片")
        make_scenes(log.scenes.open("reel", "text", scenes=scenes(1, 2, 3)))
    assert cli("seal", "heads", "--output", "heads.jsonl") == (0, "", "")
    return cli


@pytest.fixture
def cli(kept: Cli, tmp_path: Path) -> Cli:
    """A copy, to be changed."""
    return Cli(shutil.copytree(kept.folder, tmp_path / "copy"))


def faults(cli: Cli, *arguments: object) -> list[dict[str, Any]]:
    """Return the faults that are found, and expect the exit code that says so."""
    ran = cli("verify", "--json", *arguments)
    assert ran.err == ""
    assert (ran.code, ran.document["ok"]) == ((1, False) if ran.document["faults"] else (0, True))
    found: list[dict[str, Any]] = ran.document["faults"]
    assert all(fault["advice"] and fault["why"] for fault in found)
    return found


def told(found: list[dict[str, Any]]) -> list[tuple[str, str, int | None]]:
    return [(fault["job"], fault["kind"], fault["version"]) for fault in found]


# Whole logs


@pytest.mark.parametrize("job", [(), (JOB,), (BATCH[:6],)])
@pytest.mark.parametrize("options", [(), ("--manifest", "heads.jsonl"), ("--no-payloads",)])
def test_a_log_that_nobody_changed_is_whole_and_stays_as_it_is(
    kept: Cli, job: tuple[str, ...], options: tuple[str, ...]
) -> None:
    before = kept.files()
    assert faults(kept, *job, *options) == []
    assert kept.files() == before


def test_all_is_well_in_one_line(kept: Cli) -> None:
    code, out, err = kept("verify")
    assert (code, err) == (0, "")
    expected = r"26 events of 3 jobs and 4 values beside them checked: nothing was changed \([\d,]+ events/s\)\n"
    assert re.fullmatch(expected, out)


def test_the_document_says_what_was_checked(kept: Cli) -> None:
    document = kept("verify", "--json", "--manifest", "heads.jsonl").document
    assert document | {"ok": True, "faults": [], **COUNTS} == document
    assert document["manifest_made_at"].endswith("+00:00")
    assert kept("verify", "--json", "--no-payloads").document["payloads"] == 0
    alone = kept("verify", JOB, "--json").document
    assert (alone["events"], alone["streams"]) == (8, 1)


def test_a_log_without_an_event_is_whole(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    resumelog.open(tmp_path / LOG).close()
    assert cli("seal", "heads", "--output", "heads.jsonl").code == 0
    assert faults(cli, "--manifest", "heads.jsonl") == []


@pytest.mark.parametrize("options", [(), (JOB,), ("--manifest", "heads.jsonl")])
def test_a_log_that_has_grown_since_the_manifest_is_whole(
    cli: Cli, options: tuple[str, ...]
) -> None:
    with resumelog.open(cli.folder / LOG, root=cli.folder) as log:
        make_scenes(log.scenes.open("reel", "video", scenes=scenes(1, 2, 3, 4, 5, 6, 7)))
        make_scenes(log.scenes.open("reel", "audio", scenes=scenes(1)))
    assert faults(cli, *options) == []


def test_a_log_is_whole_while_a_worker_writes_it(cli: Cli) -> None:
    database = cli.folder / LOG
    with child("stage", database, 100_000, cwd=cli.folder) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen = set()
        for _ in range(5):
            cli("seal", "heads", "--output", "heads.jsonl")
            ran = cli("verify", "--json", "--manifest", "heads.jsonl")
            assert (ran.code, ran.document["faults"]) == (0, [])
            seen.add(ran.document["events"])
        assert writer.poll() is None
    assert len(seen) == 5, "it wrote all the time"


def test_a_bar_shows_how_far_it_is_on_a_terminal(kept: Cli) -> None:
    keyboard, its_end = pty.openpty()
    shown = b""
    with kept.started("verify", terminal=its_end), os.fdopen(keyboard, "rb", buffering=0) as screen:
        os.close(its_end)
        with suppress(OSError):  # Linux says so when the last process has gone
            while read := screen.read(65536):
                shown += read
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"26 events ━+ +0:00:00", text)
    assert text.splitlines()[-1].startswith("26 events of 3 jobs")


# Changed ones

CHANGES: dict[str, tuple[str, str, int, Change]] = {
    "a state": (BATCH, "altered", 4, lambda it: it.set(4, state=b'{"changed": true}')),
    "a topic": (FILM, "altered", 4, lambda it: it.set(4, topic="resumelog.ExportJob.Paused")),
    "a seal": (FILM, "altered", 5, lambda it: it.set(5, seal=bytes(32))),
    "the first event": (FILM, "missing", 1, lambda it: it.delete(1)),
    "an event": (BATCH, "missing", 5, lambda it: it.delete(5)),
    "an event, renumbered": (FILM, "missing", 5, lambda it: it.delete(5, renumbering=True)),
    "two events": (FILM, "reordered", 3, lambda it: it.swap(3, 7, *ALL)),
    "two contents": (FILM, "reordered", 3, lambda it: it.swap(3, 4, *CONTENT)),
    "two numbers": (FILM, "reordered", 3, lambda it: it.swap_numbers(3, 4)),
    "a position": (FILM, "reordered", 6, lambda it: it.set(5, position=10_000)),
    "one put in": (FILM, "inserted", 5, lambda it: it.insert(5, b"{}", sealed=False)),
    "a sealed one put in": (FILM, "inserted", 5, lambda it: it.insert(5, b"{}", sealed=True)),
    "one appended": (FILM, "altered", 13, lambda it: it.insert(13, b"{}", sealed=False)),
}


@pytest.mark.parametrize(("stream", "kind", "version", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_found_and_no_other_job_is_suspected(
    cli: Cli, stream: str, kind: str, version: int, change: Change
) -> None:
    change(Tampering(cli.folder / LOG, stream))
    (fault,) = faults(cli)
    assert (fault["stream"], fault["kind"], fault["version"]) == (stream, kind, version)
    assert faults(cli, stream, "--manifest", "heads.jsonl") == [fault]


def test_each_job_has_its_own_first_fault(cli: Cli) -> None:
    for stream in (BATCH, FILM):
        for version in (6, 3):
            Tampering(cli.folder / LOG, stream).set(version, state=b"{}")
    assert sorted(told(faults(cli))) == [(JOB, "altered", 3), ("成片", "altered", 3)]


def test_faults_are_a_table_with_what_to_do(cli: Cli) -> None:
    Tampering(cli.folder / LOG, FILM).delete(4)
    Tampering(cli.folder / LOG, BATCH).set(1, state=b"{}")
    code, out, err = cli("verify")
    assert (code, err) == (1, "")
    assert re.search(r"^成片 +missing +4 +the next event there is has version 5$", out, re.M)
    assert re.search(rf"^{BATCH} +altered +1 +1 +its content, ", out, re.M)
    assert re.search(r"^missing: restore the job from a copy", out, re.M)
    assert "25 events of 3 jobs" in out.splitlines()[-1]
    assert ": 2 faults found (" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("stream", "version"), [("x\x1b[31m", 1), (b"\x00\x01", 1), (BATCH.upper(), 1)]
)
def test_rows_that_no_event_has_are_found(cli: Cli, stream: object, version: object) -> None:
    Tampering(cli.folder / LOG).execute(
        "INSERT INTO stored_events (originator_id, originator_version, topic, state, seal)"
        " VALUES (?, ?, x'00', 'text', 7)",
        *(stream, version),
    )
    (fault,) = faults(cli)
    assert (fault["kind"], fault["stream"]) == ("altered", str(stream))
    out = cli("verify").out
    assert not [char for char in out if not char.isprintable() and char != "\n"]


# What only a manifest shows


def test_a_cut_tail_is_found_with_the_manifest(cli: Cli) -> None:
    film = Tampering(cli.folder / LOG, FILM)
    for version in (12, 11):
        film.delete(version)
    assert faults(cli) == []
    assert told(faults(cli, "--manifest", "heads.jsonl")) == [("成片", "cut", 11)]
    assert told(faults(cli, FILM, "--manifest", "heads.jsonl")) == [("成片", "cut", 11)]


@pytest.mark.parametrize("name", [JOB, BATCH[:8]])
def test_a_removed_job_is_found_with_the_manifest(cli: Cli, name: str) -> None:
    Tampering(cli.folder / LOG, BATCH).remove()
    assert faults(cli) == []
    for job in ((), (name,)):
        (fault,) = faults(cli, *job, "--manifest", "heads.jsonl")
        assert (fault["kind"], fault["stream"], fault["job"]) == ("removed", BATCH, None)
    require_one_line(cli("verify", name), "no job is named")


def test_a_job_that_was_written_anew_is_found_with_the_manifest(cli: Cli) -> None:
    film = Tampering(cli.folder / LOG, FILM)
    state = film.get(4, "state")[0]
    film.set(4, state=state.replace(b"0.", b"1."))
    film.seal_anew()
    assert faults(cli) == []
    assert told(faults(cli, "--manifest", "heads.jsonl")) == [("成片", "altered", 12)]


def test_one_that_was_written_anew_and_has_grown_is_found_with_the_manifest(cli: Cli) -> None:
    film = Tampering(cli.folder / LOG, FILM)
    film.set(4, topic="resumelog.ExportJob.Paused")
    film.seal_anew()
    film.insert(13, b"{}", sealed=True)
    assert told(faults(cli, "--manifest", "heads.jsonl")) == [("成片", "altered", 12)]


def test_one_that_was_appended_and_sealed_well_is_not_seen(cli: Cli) -> None:
    Tampering(cli.folder / LOG, FILM).insert(13, b"{}", sealed=True)
    assert faults(cli, "--manifest", "heads.jsonl") == []


# What can't be used


@pytest.mark.parametrize("arguments", [("verify",), ("seal", "heads")])
def test_a_store_without_seals_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    stock = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": "stock.db"}
    cli = Cli(tmp_path, **stock)
    assert (
        cli("run", "-", "--project", "reel", "--stage", "text", "--", "true", stdin="a").code == 0
    )
    ran = cli(*arguments)
    require_one_line(ran, "eventsourcing.sqlite keeps no seals, so nothing can be verified")


@pytest.mark.parametrize("name", ["nothing", "reel/", "abcdef"])
def test_an_unknown_job_is_told(kept: Cli, name: str) -> None:
    require_one_line(kept("verify", name), "no job is named .*; `resumelog jobs` lists them")


def test_a_beginning_that_two_jobs_have_is_told(cli: Cli) -> None:
    for end in "ab":
        Tampering(cli.folder / LOG, "abcdef" + end).insert(1, b"{}", sealed=True)
    require_one_line(
        cli("verify", "abcdef"), "names several jobs; name one by its id: abcdefa, abcdefb"
    )
