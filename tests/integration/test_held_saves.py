"""Saves that wait for the disk: none takes another along, none counts twice, all are told by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.full import FullDisk
from support.logs import Store, names_of, scenes

from resumelog import Batch, NotRunning, NotSaved, Scene, StoreUnavailable
from resumelog.application import held_saves
from resumelog.domain.values import Payload


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(store, monkeypatch)


def opened(disk: FullDisk, keys: str = "abc", **options: Any) -> Batch:
    return disk.log.scenes.open("电影", "分镜", scenes=scenes(*keys), **options)


def record_all(batch: Batch, keys: str) -> None:
    """Record scenes in one go, as a run does with all that are ready."""
    batch.record([batch.done(key, Payload.of(f"second {key}")) for key in keys])


def results(batch: Batch) -> dict[str, Any]:
    return {scene.key: result for scene, result in batch.results()}


# One that is refused


def test_what_is_refused_in_a_group_that_waited_takes_no_neighbour_along(
    disk: FullDisk, caplog: pytest.LogCaptureFixture
) -> None:
    batch = opened(disk)
    disk.fill()
    batch.complete("b", "first b")
    record_all(batch, "abc")
    disk.free()
    caplog.clear()
    with pytest.raises(NotSaved) as unsaved:
        batch.finish()
    assert (unsaved.value.count, unsaved.value.scenes) == (1, ("b",))
    assert "1 scene (b) is not on disk: batch 电影/分镜: scene 'b' is completed" in str(
        unsaved.value
    )
    assert results(batch) == {"a": "second a", "b": "first b", "c": "second c"}
    assert names_of(disk.log, "电影/分镜")[-1] == "Completed"
    (told,) = [record.getMessage() for record in caplog.records]
    assert "1 scene (b) waited for the disk, and lost: scene 'b' is completed" in told


def test_a_group_that_waited_is_still_one_save_where_nothing_is_refused(disk: FullDisk) -> None:
    batch = opened(disk)
    disk.fill()
    record_all(batch, "abc")
    disk.free(saves=1)
    batch.flush()
    assert ({*results(batch)}, batch.counts().held) == ({*"abc"}, 0)
    disk.free()
    batch.finish()


def test_a_group_of_which_a_part_was_written_is_not_lost_when_the_disk_is_full_again(
    disk: FullDisk,
) -> None:
    batch = opened(disk, "abcd")
    disk.fill()
    batch.complete("b", "first b")
    record_all(batch, "abcd")
    disk.free(saves=2)  # the first, and of the group the first part
    batch.flush()
    assert (results(batch), batch.counts().held) == ({"a": "second a", "b": "first b"}, 2)
    assert batch.left() == [], "what waits is not made again"
    disk.free()
    with pytest.raises(NotSaved) as unsaved:
        batch.finish()
    assert unsaved.value.scenes == ("b",)
    assert {*results(batch)} == {*"abcd"}


# The same once more


@pytest.mark.parametrize("result", ["剧本", None], ids=["with a result", "without one"])
def test_the_same_completion_once_more_adds_nothing_while_the_first_waits(
    disk: FullDisk, result: Any
) -> None:
    with opened(disk, "a") as batch:
        disk.fill()
        first, second = batch.complete("a", result), batch.complete("a", result)
        assert (first.held, second.held, second.on_disk) == (1, 1, False)
        disk.free()
    assert names_of(disk.log, "电影/分镜").count("SceneCompleted") == 1


def test_the_same_completion_of_a_scene_with_a_file_adds_nothing_either(
    disk: FullDisk, tmp_path: Path
) -> None:
    with opened(disk, "ab") as batch:
        for key in "ab":
            batch.artifact(key, tmp_path / f"{key}.txt").write_text(key)
        batch.complete("a", "图")
        batch.complete("a", "图")
        disk.fill()
        batch.complete("b", "图")
        batch.complete("b", "图")
        disk.free()
    assert names_of(disk.log, "电影/分镜").count("SceneCompleted") == 2


def test_another_result_for_a_scene_that_waits_is_told_by_name(disk: FullDisk) -> None:
    batch = opened(disk, "a")
    disk.fill()
    batch.complete("a", "first")
    batch.complete("a", "second")
    disk.free()
    with pytest.raises(NotSaved, match=r"1 scene \(a\) is not on disk: .* is completed"):
        batch.finish()
    assert results(batch) == {"a": "first"}


def test_a_scene_that_is_to_be_made_again_is_left_though_that_waits_for_the_disk(
    disk: FullDisk,
) -> None:
    with opened(disk, "ab") as batch:
        batch.complete("a", "first")
        disk.fill()
        batch.complete("b", "first")
        batch.regenerate(["a", "b"])
        assert batch.left() == ["a", "b"]
        batch.complete("a", "first")  # which is no repetition: it was made again
        batch.complete("b", "second")
        assert batch.left() == []
        disk.free()
    assert results(batch) == {"a": "first", "b": "second"}
    assert names_of(disk.log, "电影/分镜").count("SceneInvalidated") == 2


def test_a_file_that_is_made_again_while_the_first_save_waits_replaces_it(
    disk: FullDisk, tmp_path: Path
) -> None:
    with opened(disk, "a") as batch:
        disk.fill()
        for text in ("first", "second"):
            batch.artifact("a", tmp_path / "a.txt").write_text(text)
            batch.complete("a", text)
        disk.free()
    assert results(batch) == {"a": "second"}
    assert (tmp_path / "a.txt").read_text() == "second"


def test_what_was_lost_is_no_repetition(disk: FullDisk) -> None:
    batch = opened(disk, "a")
    disk.fill()
    batch.complete("a", "first")
    with pytest.raises(NotSaved):
        batch.finish()
    with pytest.raises(NotRunning):
        batch.complete("a", "first")


# What is said


def test_many_that_are_not_on_disk_are_counted_as_scenes_and_the_first_are_named(
    disk: FullDisk, caplog: pytest.LogCaptureFixture
) -> None:
    batch = opened(disk, "abcdef")
    disk.fill()
    record_all(batch, "abcdef")
    assert "6 scenes (a, b, c and 3 more) wait for the disk: " in caplog.text
    assert str(batch.report()).endswith("6 saves are not on disk")
    with pytest.raises(NotSaved) as unsaved:
        batch.finish()
    assert (unsaved.value.count, unsaved.value.scenes) == (6, (*"abcdef",))
    assert str(unsaved.value).startswith(
        "batch 电影/分镜: 6 scenes (a, b, c and 3 more) are not on disk: the log jobs.db can't be"
        " written: it is full; free it"
    )


def test_an_end_that_is_not_on_disk_is_one_save(disk: FullDisk) -> None:
    batch = opened(disk)
    disk.fill()
    with pytest.raises(NotSaved, match="分镜: 1 save is not on disk"):
        batch.leave("enough")


def test_a_key_may_look_like_a_field_of_the_message() -> None:
    unsaved = NotSaved("batch x", count=1, scenes=("{why}",), why="it is full")
    assert "1 scene ({why}) is not on disk: it is full" in str(unsaved)


def test_one_save_is_said_as_one(disk: FullDisk) -> None:
    batch = opened(disk)
    disk.fill()
    batch.complete("a")
    assert str(batch.report()).endswith("1 save is not on disk")
    disk.free()
    batch.leave("enough")


def test_where_too_much_is_held_the_limit_is_told_and_what_to_do(
    disk: FullDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_saves, "HELD_BYTES_MAX", 6_000)
    batch = opened(disk)
    disk.fill()
    for key in "ab":
        batch.complete(key, "a" * 1_000)
    with pytest.raises(StoreUnavailable) as refused:
        batch.complete("c", "a" * 2_000)
    assert str(refused.value) == (
        "batch 电影/分镜: 2 scenes (a, b) wait for the disk with 4,052 bytes, and at most 6,000 bytes"
        " are kept in memory: 3,026 more are not, and the work ends here (the log jobs.db can't be"
        " written: it is full; free it); make room, then run it again: what is not on disk then is"
        " made again"
    )
    disk.free()
    with pytest.raises(NotSaved, match=r"1 scene \(c\) is not on disk"):
        batch.finish()
    assert {*results(batch)} == {"a", "b"}, "what was held before is written"


def test_what_is_written_makes_room_for_what_is_held_next(
    disk: FullDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_saves, "HELD_BYTES_MAX", 3_000)
    with opened(disk) as batch:
        for key in "abc":
            disk.fill()
            assert batch.complete(key, "a" * 1_000).held == 1
            disk.free()
            batch.flush()
    assert {*results(batch)} == {*"abc"}


# How a run ends


def test_what_waits_at_the_end_of_a_run_is_tried_once_more(disk: FullDisk) -> None:
    batch = opened(disk)

    def make(scene: Scene) -> str:
        if scene.key == "c":
            disk.fill()
        return scene.key

    batch.on_scene(lambda update: disk.free() if update.counts.held else None)
    report = batch.run(make)
    assert (report.is_complete, report.status) == (True, "completed")
