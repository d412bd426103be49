"""A batch that nobody left, on a full disk: closing the log says so, and so does the end of the program."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.children import child, finished
from support.full import FullDisk
from support.logs import Store, scenes

from resumelog import Batch, ClosedLog, NotSaved, ResumeLog

LOST = "3 scenes (2, 3, 4) are not on disk: "


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(store, monkeypatch)


def opened(log: ResumeLog, stage: str = "分镜", keys: str = "ab") -> Batch:
    return log.scenes.open("电影", stage, scenes=scenes(*keys))


def test_a_log_that_is_closed_on_a_full_disk_names_the_scenes_that_are_not_on_it(
    disk: FullDisk,
) -> None:
    batch = opened(disk.log)
    disk.fill()
    with pytest.raises(NotSaved, match=r"batch 电影/分镜: 2 scenes \(a, b\)") as unsaved, disk.log:
        assert batch.run(lambda scene: scene.key).held == 2
    assert unsaved.value.scenes == ("a", "b")


def test_it_is_closed_all_the_same(disk: FullDisk) -> None:
    batch = opened(disk.log)
    disk.fill()
    batch.complete("a", "made")
    with pytest.raises(NotSaved):
        disk.log.close()
    with pytest.raises(ClosedLog):
        batch.run(lambda scene: scene.key)
    disk.log.close()  # twice is no other loss


def test_what_several_batches_could_not_save_is_told_of_each(disk: FullDisk) -> None:
    batches = [opened(disk.log, stage) for stage in ("分镜", "画面")]
    disk.fill()
    for batch in batches:
        batch.complete("a", "made")
    with pytest.raises(NotSaved) as unsaved:
        disk.log.close()
    told = "".join([str(unsaved.value), *unsaved.value.__notes__])
    assert "电影/分镜: 1 scene (a)" in told
    assert "电影/画面: 1 scene (a)" in told


def test_an_exception_that_leaves_the_log_goes_on_and_takes_the_loss_as_a_note(
    disk: FullDisk,
) -> None:
    batch = opened(disk.log)
    disk.fill()
    batch.complete("a", "made")
    with pytest.raises(ZeroDivisionError) as raised, disk.log:
        raise ZeroDivisionError
    assert "1 scene (a) is not on disk" in raised.value.__notes__[0]


def test_where_there_is_room_again_closing_writes_what_waits(disk: FullDisk, store: Store) -> None:
    with disk.log as log:
        batch = opened(log)
        disk.fill()
        batch.complete("a", "made")
        disk.free()
    assert opened(store.open()).left() == ["b"]


@pytest.mark.parametrize(("closes", "code"), [("closed", 1), ("never", 0)])
def test_a_program_that_leaves_no_batch_is_told_on_standard_error(
    tmp_path: Path, closes: str, code: int
) -> None:
    with child("nobody_leaves", "jobs.db", closes, cwd=tmp_path) as process:
        ended, _, err = finished(process)
    assert ended == code
    assert f"NotSaved: batch 电影/分镜: {LOST}" in err
    assert ("the log was never closed" in err) == (closes == "never")
