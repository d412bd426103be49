"""A log that is not there, not ours, damaged or not to be written: told in one line, left as it is."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import JOB, RECORDS, Cli, line, require_one_line, require_refused
from support.listed_logs import begun, lengthen, position

import resumelog

READS = [("jobs",), ("show", JOB), ("log", JOB)]
EVERY = [line(*RECORDS), *READS]


def change(database: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement, values)


def newer(database: Path) -> None:
    resumelog.open(database).close()
    change(database, "PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: change(path, "CREATE TABLE theirs (x)"), "is another program's database"),
        (lambda path: change(path, "PRAGMA application_id = 252006674"), "is another program's"),
        (newer, "has schema 99, this resumelog knows 1; install a newer resumelog"),
        (lambda path: path.write_text("notes\n" * 999), "is no SQLite database"),
        (lambda path: path.mkdir(), "it is a folder; name a file in it"),
    ],
    ids=["theirs", "theirs and empty", "newer", "text", "a folder"],
)
def test_what_is_no_log_of_ours_is_refused_and_stays_as_it_was(
    cli: Cli, make: Callable[[Path], object], why: str
) -> None:
    make(cli.folder / "resumelog.db")
    require_refused(cli, line("touch", "x"), why)


def test_reading_changes_no_database_of_another_program(cli: Cli) -> None:
    change(cli.folder / "resumelog.db", "PRAGMA application_id = 252006674")
    require_refused(cli, ("jobs",), "is another program's database; choose another path")


@pytest.mark.parametrize("read", READS[:2])
def test_reading_a_log_that_is_not_there_makes_none(cli: Cli, read: tuple[str, ...]) -> None:
    require_refused(cli, read, r"there is no log at resumelog\.db; name it with --db")


@pytest.mark.parametrize(
    ("command", "name"),
    [*(("show", name) for name in ("reel/", "abcdef", "\x1b[31m")), ("log", "x")],
)
def test_an_unknown_job_is_told(kept: Cli, command: str, name: str) -> None:
    require_refused(kept, (command, name), "no job is named .*; `resumelog jobs` lists them")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A log with one completed batch, which no test changes."""
    cli = Cli(tmp_path_factory.mktemp("kept"))
    cli.scenes(1, 2, 3)
    cli.run(*RECORDS)
    return cli


def require_told(cli: Cli, arguments: Sequence[object], why: str) -> None:
    before = cli.files()
    require_one_line(cli(*arguments), why, codes=(1, 2))
    assert cli.files() == before


@pytest.fixture
def copy(kept: Cli, tmp_path: Path) -> Cli:
    """The same log, to be damaged."""
    return Cli(shutil.copytree(kept.folder, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("state", "arguments"),
    [
        *((state, ("log", JOB)) for state in (b"{}", b"[]", b"\xff\x00")),
        *((b"", arguments) for arguments in (EVERY[0], EVERY[2])),
    ],
    ids=str,
)
def test_a_damaged_event_is_named(copy: Cli, state: bytes, arguments: Sequence[object]) -> None:
    overwrite = "UPDATE stored_events SET state = ? WHERE originator_version = 4"
    change(copy.folder / "resumelog.db", overwrite, state)
    event = r"event 4 of stream [0-9a-f-]{36} \(resumelog\.SceneBatch\.SceneCompleted\)"
    require_told(copy, arguments, f"{event} can't be read: ")


def test_a_damaged_job_is_listed_with_the_event_and_the_others_as_they_are(copy: Cli) -> None:
    overwrite = "UPDATE stored_events SET state = ? WHERE originator_version = 4"
    change(copy.folder / "resumelog.db", overwrite, b"")
    with resumelog.open(copy.folder / "resumelog.db", root=copy.folder) as log:
        log.scenes.open("reel", "audio", scenes=["1"]).leave("enough")
    before = copy.files()
    ran = copy("jobs", "--json")
    intact, damaged = ran.document
    assert (ran.code, intact["name"], intact["status"]) == (0, "reel/audio", "open")
    assert (damaged["name"], damaged["status"]) == (JOB, "damaged")
    assert ran.err == f"resumelog: {JOB}: {damaged['error']}\n"
    event = r"event 4 of stream [0-9a-f-]{36} \(resumelog\.SceneBatch\.SceneCompleted\)"
    assert re.match(f"{event} can't be read: ", damaged["error"])
    assert copy.files() == before


def test_a_list_of_jobs_that_is_damaged_is_made_anew_when_asked(copy: Cli) -> None:
    whole = copy("jobs", "--rebuild").out
    change(copy.folder / "resumelog.db", "UPDATE jobs SET facts = ?", b"[1,")
    require_told(copy, ("jobs",), "the list of jobs can't be read: .*`resumelog jobs --rebuild`")
    assert copy("jobs", "--rebuild").out == whole
    assert copy("jobs").out == whole


@pytest.mark.parametrize("arguments", EVERY[:2], ids=["run", "jobs"])
def test_a_torn_database_is_told(copy: Cli, arguments: Sequence[object]) -> None:
    database = copy.folder / "resumelog.db"
    database.write_bytes(database.read_bytes()[:12_000])
    require_told(copy, arguments, r"resumelog\.db")


@pytest.mark.parametrize(
    ("table", "arguments"), [("leases", ("show", JOB)), ("stored_events", ("jobs",))]
)
def test_a_missing_table_is_told(copy: Cli, table: str, arguments: Sequence[object]) -> None:
    change(copy.folder / "resumelog.db", f"DROP TABLE {table}")
    require_told(copy, arguments, rf"resumelog\.db can't be .*no such table: (main\.)?{table}")


# Places that can't be written


def test_a_folder_that_cannot_be_written_is_told(cli: Cli, bound: Sequence[str]) -> None:
    before = cli.files()
    cli.folder.chmod(0o555)
    ran = cli(*line(*RECORDS), through=bound)
    cli.folder.chmod(0o755)
    require_one_line(ran, r"resumelog\.db can't be written: .*; check", (1,))
    assert cli.files() == before


@pytest.mark.parametrize("command", [("touch", "x"), RECORDS], ids=["another", "the same"])
def test_a_log_that_cannot_be_written_is_told(
    cli: Cli, bound: Sequence[str], command: tuple[str, ...]
) -> None:
    cli.run(*RECORDS)
    cli.scenes(1, 2, 3, 4)
    before = cli.files()
    (cli.folder / "resumelog.db").chmod(0o444)
    ran = cli(*line(*command), through=bound)
    require_one_line(ran, r"resumelog\.db can't be written: .*; make the file and its folder", (1,))
    after = cli.files()
    assert after.keys() - before.keys() <= {"resumelog.db-shm", "resumelog.db-wal"}
    assert before.items() <= after.items()
    assert not after.get("resumelog.db-wal")


@pytest.mark.parametrize("arguments", [(), ("--status", "completed", "--json")], ids=str)
def test_a_log_that_cannot_be_written_is_listed_all_the_same(
    copy: Cli, bound: Sequence[str], arguments: tuple[str, ...]
) -> None:
    with resumelog.open(copy.folder / "resumelog.db") as log:
        lengthen(log, begun(log, "long"))
    (copy.folder / "resumelog.db").chmod(0o444)
    with resumelog.open(copy.folder / "resumelog.db", must_exist=True) as log:
        assert position(log) == 0, "there must be something to save"
    ran = copy("jobs", *arguments, through=bound)
    assert (ran.code, ran.err) == (0, "")
    assert JOB in ran.out
    with resumelog.open(copy.folder / "resumelog.db", must_exist=True) as log:
        assert position(log) == 0


def test_a_list_that_cannot_be_written_is_not_made_anew(copy: Cli, bound: Sequence[str]) -> None:
    (copy.folder / "resumelog.db").chmod(0o444)
    ran = copy("jobs", "--rebuild", through=bound)
    require_one_line(ran, r"resumelog\.db can't be written: .*; make the file and its folder", (1,))


def test_a_folder_for_files_that_cannot_be_written_is_told(cli: Cli, bound: Sequence[str]) -> None:
    (cli.folder / "out").mkdir(mode=0o555)
    ran = cli(*line("touch", "{artifact}", options=["--artifact", "out/sub/{id}"]), through=bound)
    assert "Traceback" not in ran.err
    assert ran.code in (1, 2)
    assert re.search("out.*ermission denied|ermission denied.*out", ran.err)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_an_output_that_takes_nothing_is_told(kept: Cli, json_too: tuple[str, ...]) -> None:
    ran = kept("jobs", *json_too, through=("sh", "-c", '"$@" > /dev/full', "sh"))
    require_one_line(ran, "No space left on device", codes=(1, 2))
