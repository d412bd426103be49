"""One SQLite database: in memory or in a file, as durable as asked for, and still the same file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent
from support.logs import Store, make_scenes, make_units, names_of, scenes

import resumelog
from resumelog import Batch, ResumeLog
from resumelog.application.errors import BadSetting, StoreUnavailable
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.settings import Settings
from resumelog.infrastructure.storage.sqlite import Factory
from resumelog.infrastructure.storage.sqlite.connections import PAGE_BYTES
from resumelog.infrastructure.storage.sqlite.datastore import Datastore
from resumelog.infrastructure.storage.sqlite.files import IN_MEMORY
from resumelog.infrastructure.storage.sqlite.recorders import ApplicationRecorder

FULL, NORMAL = 2, 1
DELETED = "the file was deleted or replaced while it was open"


def pragma(datastore: Datastore, name: str) -> int:
    with datastore.transaction(commit=False) as cursor:
        value: int = cursor.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def datastore_of(log: ResumeLog) -> Datastore:
    factory = log.log.factory
    assert isinstance(factory, Factory)
    return factory.datastore


# Durability


@pytest.mark.parametrize(
    ("durability", "synchronous"), [(None, FULL), ("full", FULL), ("normal", NORMAL)]
)
def test_a_log_is_as_durable_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str | None, synchronous: int
) -> None:
    if durability:
        monkeypatch.setenv("RESUMELOG_DURABILITY", durability)
    with resumelog.open(tmp_path / "jobs.db") as log:
        assert pragma(datastore_of(log), "synchronous") == synchronous


def test_a_factory_reads_its_durability_from_the_environment(tmp_path: Path) -> None:
    env = {"SQLITE_DBNAME": str(tmp_path / "jobs.db"), "SQLITE_DURABILITY": "NORMAL"}
    factory = Factory(env)
    assert pragma(factory.datastore, "synchronous") == NORMAL
    factory.close()


def test_a_durability_that_there_is_not_is_refused_and_makes_no_file(tmp_path: Path) -> None:
    env = {"SQLITE_DBNAME": str(tmp_path / "jobs.db"), "SQLITE_DURABILITY": "off"}
    with pytest.raises(BadSetting, match="'off' is not full or normal"):
        Factory(env)
    assert [*tmp_path.iterdir()] == []


def test_a_new_file_has_the_page_size_that_was_measured(tmp_path: Path) -> None:
    with resumelog.open(tmp_path / "jobs.db") as log:
        assert pragma(datastore_of(log), "page_size") == PAGE_BYTES


# In memory


def test_in_memory_all_threads_share_one_database() -> None:
    datastore = Datastore(IN_MEMORY)
    recorder = ApplicationRecorder(datastore)
    recorder.create_table()
    events = [StoredEvent(f"stream {n}", 1, "topic", b"state") for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        positions = [*pool.map(lambda event: recorder.insert_events([event]), events)]
    assert sorted(position for found in positions for position in found or ()) == [*range(1, 41)]
    assert recorder.max_notification_id() == 40
    datastore.close()


def test_two_databases_in_memory_know_nothing_of_each_other() -> None:
    one, other = Datastore(IN_MEMORY), Datastore(IN_MEMORY)
    ApplicationRecorder(one).insert_events([StoredEvent("stream", 1, "topic", b"state")])
    assert ApplicationRecorder(other).max_notification_id() is None
    one.close()
    other.close()


@pytest.mark.parametrize("name", ["file::memory:?mode=memory", "file:x?mode=memory&cache=shared"])
def test_a_named_database_in_memory_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match="use :memory: or the path of a file"):
        Datastore(name)


def test_a_uri_names_the_same_file_as_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a b.db"
    datastore = Datastore(f"file:{tmp_path}/a%20b.db")
    assert datastore.file.path == str(path)
    datastore.close()
    assert path.is_file()


# A file that is deleted or replaced


def deleted(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").replace(path)


gone = pytest.mark.parametrize("gone", [deleted, replaced])


@gone
def test_nothing_is_saved_to_a_file_that_nobody_can_find(
    store: Store, tmp_path: Path, gone: Callable[[Path], None]
) -> None:
    log = store.open()

    def save_twice() -> None:
        with log.exports.resume(tmp_path / "成片.mp4", key="成片") as job:
            job.save_progress(0.25)
            gone(tmp_path / "jobs.db")
            job.save_progress(0.5)

    with pytest.raises(StoreUnavailable, match=DELETED) as unavailable:
        save_twice()
    assert unavailable.value.advice == "put it back, then open the log again"
    assert "its record was not saved" in unavailable.value.__notes__[0]
    with pytest.raises(StoreUnavailable, match=DELETED):
        log.queries.find("成片")


def test_scenes_wait_until_the_file_is_put_back(store: Store, tmp_path: Path) -> None:
    log, path = store.open(), tmp_path / "jobs.db"
    batch: Batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3))
    assert batch.complete("1").on_disk
    path.rename(tmp_path / "elsewhere.db")
    assert batch.complete("2").held == 1
    (tmp_path / "elsewhere.db").rename(path)
    assert batch.complete("3").on_disk
    batch.finish()
    assert names_of(log, "电影/分镜").count("SceneCompleted") == 3


# What a stock store does for our log


def test_recovery_reads_only_what_lies_after_the_last_origin(
    log: ResumeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "成片.mp4"
    for _ in range(100):
        make_units(log, output, until=5)
        log.exports.restart(str(output), "重来")
    make_units(log, output, until=3)
    job = ExportJob.named(str(output))
    read: list[int] = []
    rows = log.log._rows.select_rows

    def counted(*arguments: object, **bounds: object) -> object:
        found = rows(*arguments, **bounds)  # type: ignore[arg-type]  # handed on as they come
        read.extend(version for version, *_ in found)
        return found

    monkeypatch.setattr(log.log._rows, "select_rows", counted)
    state = log.log.recover(job)
    assert state.version > 700
    assert len(read) == state.version - read[0] + 1 == 6  # Restarted, Started, 3 saves, Interrupted


def test_a_batch_reads_nothing_of_its_results(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "很长的剧本" * 500
    make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2)), result=lambda _: long)

    def never(*_: object) -> bytes:
        raise AssertionError("a fold never needs a payload")

    monkeypatch.setattr(ApplicationRecorder, "select_payload", never)
    batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3))
    assert [scene.key for scene in batch.remaining()] == ["3"]
    batch.leave("enough")


def test_settings_refuse_another_durability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESUMELOG_DURABILITY", "off")
    with pytest.raises(BadSetting, match="RESUMELOG_DURABILITY"):
        resumelog.open("memory:")
    assert Settings(durability="normal").durability == "normal"


# Where it is used from


def test_a_log_stays_where_it_was_opened_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with resumelog.open("jobs.db") as log:
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert make_units(log, tmp_path / "成片.mp4", until=3) == [0, 1, 2]
    assert [*(tmp_path / "elsewhere").iterdir()] == []


def test_a_signal_handler_that_saves_in_the_middle_of_a_save_is_refused() -> None:
    datastore = Datastore(IN_MEMORY)
    recorder = ApplicationRecorder(datastore)

    def save() -> None:
        recorder.insert_events([StoredEvent("stream", 1, "topic", b"state")])

    with (
        datastore.transaction(commit=True),
        pytest.raises(StoreUnavailable, match="signal handler"),
    ):
        save()
    save()
    datastore.close()
