"""Which store a URL and the environment name."""

from __future__ import annotations

from pathlib import Path

import eventsourcing.popo
import eventsourcing.sqlite
import pytest
from support.logs import make_units

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import NoLog, UnknownStore
from resumelog.infrastructure.storage import sqlite
from resumelog.infrastructure.storage.mapper import EventMapper


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def database_of(log: ResumeLog) -> Path:
    """Return the file of a log that holds one unit, and close it."""
    with log:
        make_units(log, Path("成片.mp4").absolute(), until=1)
        factory = log.log.factory
        assert isinstance(factory, sqlite.Factory)
        path = Path(factory.datastore.db_name).absolute()
    assert path.stat().st_size
    return path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("jobs.db", "jobs.db"),
        (Path("jobs.db"), "jobs.db"),
        ("sqlite:///jobs.db", "jobs.db"),
        ("sqlite:///{here}/项目 🎬.db", "项目 🎬.db"),
        ("{here}/a#b?c%20d.db", "a#b?c%20d.db"),
    ],
)
def test_a_path_or_an_sqlite_url_names_a_file(
    tmp_path: Path, url: str | Path, expected: str
) -> None:
    named = url.format(here=tmp_path) if isinstance(url, str) else url
    assert database_of(resumelog.open(named)) == tmp_path / expected


@pytest.mark.parametrize("url", ["memory:", ":memory:", "sqlite:///:memory:"])
def test_memory_keeps_nothing_on_disk(tmp_path: Path, url: str) -> None:
    with resumelog.open(url) as log:
        make_units(log, tmp_path / "成片.mp4", until=1)
        assert isinstance(log.log.factory, eventsourcing.popo.POPOFactory)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "url", ["postgresql://localhost/x?y=z", "file:jobs.db?mode=ro", "redis://x", "sqlite:///", ""]
)
def test_a_url_that_names_no_store_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnknownStore) as unknown:
        resumelog.open(url)
    assert unknown.value.url == url
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bob:s3c/zzz9@127.0.0.1:1/jobs",
        "postgresq://bob:s3c/zzz9@127.0.0.1/jobs",
        "postgresql:/bob:s3c/zzz9@127.0.0.1/jobs",
    ],
)
def test_no_message_shows_a_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnknownStore) as unknown:
        resumelog.open(url)
    assert "s3c" not in str(unknown.value)
    assert "zzz9" not in str(unknown.value)
    assert [*tmp_path.iterdir()] == []


def test_without_a_url_the_environment_names_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESUMELOG_URL", str(tmp_path / "from-environment.db"))
    assert database_of(resumelog.open()) == tmp_path / "from-environment.db"


def test_a_url_comes_before_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESUMELOG_URL", str(tmp_path / "from-environment.db"))
    assert database_of(resumelog.open("jobs.db")) == tmp_path / "jobs.db"


def test_without_anything_the_log_is_in_the_current_folder(tmp_path: Path) -> None:
    assert database_of(resumelog.open()) == tmp_path / "resumelog.db"


@pytest.mark.parametrize("prefix", ["", "RESUMELOG_"])
def test_eventsourcings_own_variables_name_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.setenv(f"{prefix}PERSISTENCE_MODULE", sqlite.__name__)
    monkeypatch.setenv(f"{prefix}SQLITE_DBNAME", str(tmp_path / "theirs.db"))
    assert database_of(resumelog.open()) == tmp_path / "theirs.db"


def test_a_stock_store_works_with_our_mapper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.sqlite")
    monkeypatch.setenv("SQLITE_DBNAME", str(tmp_path / "stock.db"))
    with resumelog.open() as log:
        assert make_units(log, tmp_path / "成片.mp4", until=4) == [0, 1, 2, 3]
        assert isinstance(log.log.factory, eventsourcing.sqlite.SQLiteFactory)
        assert isinstance(log.log.mapper, EventMapper)
    with resumelog.open() as log:
        assert make_units(log, tmp_path / "成片.mp4", until=6) == [4, 5]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERSISTENCE_MODULE", "eventsourcing.popo"),
        ("RESUMELOG_PERSISTENCE_MODULE", "eventsourcing.popo"),
        ("SQLITE_DBNAME", "another.db"),
        ("RESUMELOG_SQLITE_DBNAME", "another.db"),
    ],
)
def test_a_url_comes_before_eventsourcings_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert database_of(resumelog.open("jobs.db")) == tmp_path / "jobs.db"


@pytest.mark.parametrize("url", ["jobs.db", "sqlite:///jobs.db", None, "no/folder/jobs.db"])
def test_a_log_that_must_exist_is_not_made(tmp_path: Path, url: str | None) -> None:
    with pytest.raises(NoLog):
        resumelog.open(url, must_exist=True)
    assert [*tmp_path.iterdir()] == []


def test_an_empty_file_is_no_log_that_exists(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").touch()
    with pytest.raises(NoLog):
        resumelog.open("jobs.db", must_exist=True)
    assert (tmp_path / "jobs.db").stat().st_size == 0


def test_a_log_that_exists_is_opened(tmp_path: Path) -> None:
    database_of(resumelog.open("jobs.db"))
    assert database_of(resumelog.open("jobs.db", must_exist=True)) == tmp_path / "jobs.db"


def test_artifacts_are_relative_to_the_root(tmp_path: Path) -> None:
    root = tmp_path / "作品"
    root.mkdir()
    with resumelog.open("jobs.db", root=root) as log:
        make_units(log, root / "成片.mp4")
        (view,) = log.queries.jobs()
        job = log.queries.find(view.name)
        assert vars(job)["artifact"].path == "成片.mp4"


def test_an_export_is_written_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "作品"
    with resumelog.open("jobs.db", root=root) as log:
        with log.exports.resume("film.bin") as export, export.output() as partial:
            partial.write_bytes(b"frames")
        assert (root / "film.bin").read_bytes() == b"frames"


def test_a_log_that_did_some_work_may_be_closed_twice(tmp_path: Path) -> None:
    log = resumelog.open("jobs.db")
    make_units(log, tmp_path / "成片.mp4")
    log.close()
    log.close()
