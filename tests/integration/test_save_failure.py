"""A disk that is full: never silence, and nothing lost once there is room."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent
from support.children import child, finished
from support.full import Full, FullDisk
from support.logs import Store, make_scenes, make_units, names_of, scenes, take_over

import resumelog
from resumelog import Batch, NotSaved, ResumeLog, Scene
from resumelog.application.errors import StoreUnavailable
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch
from resumelog.infrastructure.storage.leases import noted_units
from resumelog.infrastructure.storage.sqlite.recorders import ApplicationRecorder


def done(folder: Path) -> list[str]:
    """Return the scenes that are on disk."""
    with resumelog.open(folder / "jobs.db") as log:
        state = log.queries.find("电影/分镜")
        assert isinstance(state, SceneBatch)
        return [key for key in state.scenes if state.is_done(key)]


def told(folder: Path, *arguments: str) -> tuple[list[list[object]], str]:
    """Return the lines that a child told, and what it wrote to stderr."""
    with child(*arguments, cwd=folder) as process:
        code, out, err = finished(process)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()], err


def test_work_goes_on_and_all_is_on_disk_once_there_is_room(tmp_path: Path) -> None:
    lines, _ = told(tmp_path, "full_disk", "jobs.db", "continue", "freed")
    assert lines == [["1", True, 0], ["2", False, 1], ["3", False, 2], ["4", True, 0]]
    assert done(tmp_path) == ["1", "2", "3", "4"]


def test_a_save_that_waits_is_warned_of(tmp_path: Path) -> None:
    _, err = told(tmp_path, "full_disk", "jobs.db", "continue", "freed")
    assert "batch 电影/分镜: 1 scene (2) waits for the disk: " in err
    assert "batch 电影/分镜: 2 scenes (2, 3) wait for the disk: " in err


def test_a_scene_that_waits_is_warned_of_once(tmp_path: Path) -> None:
    _, err = told(tmp_path, "run_on_a_full_disk", "jobs.db")
    assert [line.partition(" for the disk")[0] for line in err.splitlines()] == [
        "batch 电影/分镜: 1 scene (2) waits",
        "batch 电影/分镜: 2 scenes (2, 3) wait",
    ]


def test_what_is_not_on_disk_at_the_end_is_counted_and_named(tmp_path: Path) -> None:
    lines, _ = told(tmp_path, "full_disk", "jobs.db", "continue", "never")
    (name, count, message) = lines.pop()
    assert lines == [["1", True, 0], ["2", False, 1], ["3", False, 2], ["4", False, 3]]
    assert (name, count) == ("NotSaved", 3)
    assert "3 scenes (2, 3, 4) are not on disk" in str(message)


def test_what_was_not_saved_is_made_again(tmp_path: Path) -> None:
    told(tmp_path, "full_disk", "jobs.db", "continue", "never")
    with resumelog.open(tmp_path / "jobs.db") as log:
        batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3, 4))
        assert make_scenes(batch) == ["2", "3", "4"]


def test_a_save_that_fails_raises_where_that_is_asked_for(tmp_path: Path) -> None:
    lines, _ = told(tmp_path, "full_disk", "jobs.db", "raise", "never")
    assert [line[0] for line in lines] == ["1", "StoreUnavailable"]
    assert done(tmp_path) == ["1"]


def test_an_export_on_a_full_disk_raises_and_says_what_else_was_not_saved(tmp_path: Path) -> None:
    lines, _ = told(tmp_path, "export_on_a_full_disk", "jobs.db")
    ((name, notes),) = lines
    assert name == "StoreUnavailable"
    assert "its record was not saved" in str(notes)
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        log.exports.resume(tmp_path / "成片.mp4", key="成片") as export,
    ):
        assert export.units_done == 2


# A commit that ended in doubt


class Doubtful(ApplicationRecorder):
    """Commits, and then tells as a failed fsync does that it could not."""

    in_doubt = False

    def insert_events(self, stored_events: list[StoredEvent], **_: object) -> None:  # type: ignore[override]
        super().insert_events(stored_events)
        if type(self).in_doubt:
            raise OperationalError("disk I/O error")


@pytest.fixture
def doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResumeLog:
    """A log whose commits can end in doubt."""
    monkeypatch.setenv("APPLICATION_RECORDER_TOPIC", f"{__name__}:Doubtful")
    return resumelog.open(tmp_path / "doubtful.db")


def opened(log: ResumeLog) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(1), on_save_error="raise")


@pytest.mark.parametrize("result", ["short", "long" * 1000], ids=["inside", "aside"])
def test_a_commit_in_doubt_that_is_on_disk_counts_as_saved(
    doubtful: ResumeLog, monkeypatch: pytest.MonkeyPatch, result: str
) -> None:
    with doubtful, opened(doubtful) as batch:
        monkeypatch.setattr(Doubtful, "in_doubt", True)
        assert batch.complete("1", result).on_disk
        monkeypatch.setattr(Doubtful, "in_doubt", False)
        assert names_of(doubtful, "电影/分镜").count("SceneCompleted") == 1


def test_a_state_is_as_it_was_after_a_save_that_failed(
    log: ResumeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_units(log, tmp_path / "成片.mp4", until=4)
    job = ExportJob.named(str(tmp_path / "成片.mp4"))
    before = deepcopy(log.log.recover(job))
    monkeypatch.setenv("APPLICATION_RECORDER_TOPIC", "support.full:Full")
    with resumelog.open(tmp_path / "jobs.db") as full, pytest.raises(StoreUnavailable):
        full.log.decide(job, lambda job: job.restart("重来", full.clock.now()))
    assert job == before == log.log.recover(ExportJob.named(str(tmp_path / "成片.mp4")))


# How a batch begins and ends then


@pytest.fixture
def full(store: Store, monkeypatch: pytest.MonkeyPatch) -> ResumeLog:
    """A log whose disk can be full; there is room at first."""
    return FullDisk(store, monkeypatch).log


def test_a_batch_that_could_not_begin_leaves_what_was_in_flight_to_the_next(
    log: ResumeLog, full: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off = opened(log)
    cut_off.begun(cut_off.scene("1"))
    log.leases.table.leave(log.leases.holder_id)  # as if it had died
    with monkeypatch.context() as patch:
        patch.setattr(Full, "is_full", True)
        with pytest.raises(StoreUnavailable):
            opened(full)
    with opened(full) as batch:
        assert batch.cut_off == ("1",)
    assert "Interrupted" in names_of(full, "电影/分镜")


def test_a_batch_that_could_not_end_gives_its_lease_back(
    full: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = opened(full)
    batch.complete("1")
    with monkeypatch.context() as patch:
        patch.setattr(Full, "is_full", True)
        with pytest.raises(StoreUnavailable):
            batch.finish()
    opened(full).finish()
    assert names_of(full, "电影/分镜")[-1] == "Completed"


def waiting(full: ResumeLog, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Return a batch with one save that waits for the disk."""
    batch = full.scenes.open("电影", "分镜", scenes=scenes(1, 2))
    monkeypatch.setattr(Full, "is_full", True)
    assert batch.complete("1").held == 1
    return batch


def test_saves_that_a_successor_made_void_are_told_at_the_end(
    full: ResumeLog, other: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = waiting(full, monkeypatch)
    monkeypatch.setattr(Full, "is_full", False)
    state = SceneBatch.named("电影", "分镜")
    take_over(other, state, lambda state, by: state.begin(batch.plan, by, other.clock.now()))
    with pytest.raises(NotSaved) as unsaved:
        batch.finish()
    assert unsaved.value.scenes == ("1",)


def test_the_error_that_ends_a_batch_is_raised_with_what_was_not_saved(
    full: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError) as error, waiting(full, monkeypatch):
        raise ZeroDivisionError
    assert "1 scene (1) is not on disk" in error.value.__notes__[0]


def test_a_scene_is_noted_before_it_begins_though_the_save_before_it_is_held(
    full: ResumeLog, other: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = dict[str, list[str]]()

    def function(scene: Scene) -> None:
        row = other.leases.table.read(SceneBatch.named("电影", "分镜").id)
        noted[scene.key] = [unit.key for unit in noted_units(row)] if row else []
        monkeypatch.setattr(Full, "is_full", scene.key in ("2", "3"))

    report = full.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3, 4, 5)).run(function)
    assert report.is_complete
    waiting = {"3": ["2"], "4": ["2", "3"]}  # a kill would have cut them off
    assert noted == {key: [key, *waiting.get(key, ())] for key in "12345"}
