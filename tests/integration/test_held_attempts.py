"""Attempts while the disk is full: each is counted, noted until it is on record, and leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.full import FullDisk
from support.logs import Store, events_of, scenes, take_over

from resumelog import Batch, LeaseLost, NotSaved, ResumeLog, Retry, Scene, StoreUnavailable
from resumelog.application import held_saves
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import Interrupted, SceneCompleted, SceneFailed

NAME = "电影/分镜"
AT_ONCE = Retry(attempts=3, backoff_s=0, jitter_s=0)


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(store, monkeypatch)


def opened(disk: FullDisk, keys: str = "ab", **options: Any) -> Batch:
    return disk.log.scenes.open("电影", "分镜", scenes=scenes(*keys), **options)


def attempts(log: ResumeLog) -> list[tuple[str, str, int]]:
    """Return how each attempt ended that is on record."""
    found = [e for e in events_of(log, NAME) if isinstance(e, SceneFailed | SceneCompleted)]
    return [(type(event).__name__, event.scene, event.attempt) for event in found]


def killed(log: ResumeLog, batch: Batch) -> tuple[str, ...]:
    """Return what a successor records as cut off that takes over now."""
    state, at = SceneBatch.named("电影", "分镜"), log.clock.now()
    take_over(log, state, lambda state, by: state.begin(batch.plan, by, at))
    return [event for event in events_of(log, NAME) if isinstance(event, Interrupted)][-1].in_flight


# Counted


def test_each_try_is_another_attempt_though_the_failure_before_it_waits(disk: FullDisk) -> None:
    tried = list[int]()

    def function(scene: Scene) -> str:
        tried.append(scene.attempt)
        disk.fill()
        if scene.attempt < 3:
            raise ValueError("空")
        disk.free()
        return "made"

    with opened(disk, "a") as batch:
        assert batch.run(function, retry=AT_ONCE).is_complete
    assert tried == [1, 2, 3]
    ends = [("SceneFailed", 1), ("SceneFailed", 2), ("SceneCompleted", 3)]
    assert attempts(disk.log) == [(name, "a", nth) for name, nth in ends]


def test_a_kill_in_a_try_after_a_failure_that_found_room_is_recorded(
    disk: FullDisk, other: ResumeLog
) -> None:
    told = list[tuple[str, ...]]()
    batch = opened(disk, "a")

    def function(scene: Scene) -> None:
        if scene.attempt == 1:
            disk.fill()
            raise ValueError("空")
        disk.free()
        batch.flush()
        told.append(killed(other, batch))

    with pytest.raises(LeaseLost):
        batch.run(function, retry=AT_ONCE)
    assert told == [("a",)]
    assert other.log.recover(SceneBatch.named("电影", "分镜")).attempts("a") == 2


# Noted


def test_an_attempt_whose_result_was_never_written_was_cut_off_by_a_kill(
    disk: FullDisk, other: ResumeLog
) -> None:
    batch = opened(disk, "abc")
    loop = batch.remaining()
    first = next(loop)
    disk.fill()
    batch.complete(first, "made")
    next(loop)
    disk.free()
    assert killed(other, batch) == ("b", "a")
    assert other.log.recover(SceneBatch.named("电影", "分镜")).attempts("a") == 1
    with pytest.raises(NotSaved):
        disk.log.close()


def test_an_attempt_whose_result_found_room_was_not(disk: FullDisk, other: ResumeLog) -> None:
    batch = opened(disk, "abc")
    loop = batch.remaining()
    disk.fill()
    batch.complete(next(loop), "made")
    next(loop)
    disk.free()
    batch.flush()
    assert killed(other, batch) == ("b",)


def test_a_try_that_was_taken_back_is_none(disk: FullDisk, other: ResumeLog) -> None:
    batch = opened(disk)
    first = batch.scene("a")
    batch.begun(first)
    disk.fill()
    batch.fail(first, "空")
    (again,) = batch.begin([batch.scene("a")])
    batch.take_back(again)
    disk.free()
    batch.begun(batch.scene("b"))
    batch.flush()
    assert killed(other, batch) == ("b",)
    assert attempts(disk.log) == [("SceneFailed", "a", 1)]


# Left behind, and lost


def test_what_a_scene_was_writing_is_gone_though_the_batch_could_not_be_saved(
    disk: FullDisk, tmp_path: Path
) -> None:
    batch = opened(disk)
    partial = batch.artifact("b", tmp_path / "images" / "b.png")
    partial.write_bytes(b"half")
    disk.fill()
    batch.complete("a")
    with pytest.raises(NotSaved):
        batch.finish()
    assert not partial.exists()
    assert [*partial.parent.iterdir()] == []


@pytest.fixture
def _no_room_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be held."""
    monkeypatch.setattr(held_saves, "HELD_BYTES_MAX", 0)


@pytest.mark.usefixtures("_no_room_in_memory")
def test_what_could_not_even_be_held_is_named_at_the_end(disk: FullDisk) -> None:
    batch = opened(disk)
    disk.fill()
    with pytest.raises(StoreUnavailable):
        batch.complete("b", "made")
    disk.free()
    with pytest.raises(NotSaved) as unsaved:
        batch.finish()
    assert (unsaved.value.count, unsaved.value.scenes) == (1, ("b",))


@pytest.mark.usefixtures("_no_room_in_memory")
def test_unless_it_was_saved_after_all(disk: FullDisk) -> None:
    with opened(disk) as batch:
        disk.fill()
        with pytest.raises(StoreUnavailable):
            batch.complete("b", "made")
        disk.free()
        batch.complete("b", "made")
    assert attempts(disk.log) == [("SceneCompleted", "b", 1)]


@pytest.mark.usefixtures("_no_room_in_memory")
def test_a_run_that_ends_for_want_of_room_names_the_scene_that_it_had_made(disk: FullDisk) -> None:
    def function(scene: Scene) -> str:
        if scene.key == "b":
            disk.fill()
        return "made"

    with pytest.raises(StoreUnavailable) as ended:
        opened(disk, "abc").run(function)
    assert "1 scene (b) is not on disk" in "".join(ended.value.__notes__)


@pytest.mark.parametrize("on_save_error", ["continue", "raise"])
def test_what_was_in_flight_when_nothing_could_be_written_any_more_was_cut_off(
    disk: FullDisk, other: ResumeLog, on_save_error: str
) -> None:
    batch = opened(disk, on_save_error=on_save_error)
    batch.begin(map(batch.scene, "ab"))
    disk.fill()
    with pytest.raises((NotSaved, StoreUnavailable)):
        batch.leave("asked to")
    disk.free()
    assert killed(other, batch) == ("a", "b")
