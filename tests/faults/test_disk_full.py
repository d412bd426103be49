"""A disk that is full, a real one: nothing acknowledged is lost, and all is saved once there is room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.evidence import scenes_of, sound, units_of
from support.fault_tasks import BATCH, EXPORT
from support.forks import Forks
from support.logs import make_units, names_of, scenes
from support.mounts import SmallDisk, small_disk

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import StoreUnavailable

pytestmark = pytest.mark.faults

RESULT = "剧本" * 2000
PAGE = 4096
UNITS = 500


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that holds some hundred saves."""
    with small_disk(tmp_path / "disk", "8m") as disk:
        yield disk


def require_told(error: StoreUnavailable) -> None:
    """Require that it says how much room there is and what to do."""
    assert "bytes free" in error.why
    assert error.advice == "free space on its disk"


def test_an_export_says_what_to_do_and_goes_on_once_there_is_room(
    children: Forks, disk: SmallDisk
) -> None:
    task = ("leave_when_refused", "disk/jobs.db", UNITS)
    disk.fill(5 << 20)
    full = children.start(*task, 5000, folder=disk.folder.parent)
    assert full.wait() == 3, full.stderr()
    *saved, refused = full.told()
    assert re.search(r"\([\d,]+ bytes free\); free space on its disk$", refused)
    disk.free()
    sound(disk.folder / "jobs.db")
    with resumelog.open(disk.folder / "jobs.db") as log:
        assert units_of(log, EXPORT) == [*range(1, len(saved) + 1)]
    children.start(*task, folder=disk.folder.parent).succeeded()
    with resumelog.open(disk.folder / "jobs.db") as log:
        assert units_of(log, EXPORT) == [*range(1, UNITS + 1)]


def make_units_until_full(log: ResumeLog, output: Path, disk: SmallDisk) -> None:
    """Make units with long cursors on a disk that is filled after the first."""
    with log.exports.resume(output, key="成片") as export:
        for unit in export.remaining(10):
            export.save_progress(units_done=unit + 1, cursor="帧" * 9000)
            if not unit:
                disk.fill()


def test_a_lease_that_could_not_be_given_back_does_not_keep_its_own_worker_out(
    disk: SmallDisk, tmp_path: Path
) -> None:
    output = tmp_path / "成片.mp4"
    with resumelog.open(disk.folder / "jobs.db") as log:
        with pytest.raises(StoreUnavailable):
            make_units_until_full(log, output, disk)
        disk.fill()
        disk.free()
        made = make_units(log, output, key="成片")
        assert units_of(log, EXPORT) == [*range(1, 11)]
        assert made[-1] == 9


def test_a_checkpoint_that_finds_no_room_loses_nothing(disk: SmallDisk, tmp_path: Path) -> None:
    with resumelog.open(disk.folder / "jobs.db") as log:
        make_units(log, tmp_path / "成片.mp4", key="成片", until=9)
        disk.fill()
    left = (disk.folder / "jobs.db-wal").stat().st_size
    assert left, "the last to close has a checkpoint to make"
    disk.free()
    sound(disk.folder / "jobs.db")
    with resumelog.open(disk.folder / "jobs.db") as log:
        assert units_of(log, EXPORT) == [*range(1, 10)]


def test_a_log_that_finds_no_room_to_begin_says_so_and_opens_again(
    disk: SmallDisk, tmp_path: Path
) -> None:
    with resumelog.open(disk.folder / "jobs.db") as log:
        make_units(log, tmp_path / "成片.mp4", key="成片", until=5)
    disk.fill()
    with pytest.raises(StoreUnavailable) as unavailable:
        resumelog.open(disk.folder / "jobs.db")
    require_told(unavailable.value)
    disk.free()
    assert sound(disk.folder / "jobs.db")


def test_a_log_that_finds_no_room_to_be_made_says_so_and_is_made_later(disk: SmallDisk) -> None:
    disk.fill()
    with pytest.raises(StoreUnavailable) as unavailable:
        resumelog.open(disk.folder / "jobs.db")
    require_told(unavailable.value)
    disk.free()
    assert sound(disk.folder / "jobs.db") == {}


@pytest.mark.parametrize("leave", range(0, 12 * PAGE, PAGE), ids=lambda leave: f"{leave} bytes")
def test_scenes_are_held_and_all_on_disk_once_there_is_room(disk: SmallDisk, leave: int) -> None:
    with (
        resumelog.open(disk.folder / "jobs.db") as log,
        log.scenes.open("电影", "分镜", scenes=scenes(*range(6))) as batch,
    ):
        for scene in batch.remaining():
            if scene.key == "1":
                disk.fill(leave)
            if scene.key == "5":
                disk.free()
            saved = batch.complete(scene, RESULT + scene.key)
            assert saved.on_disk or scene.key in "1234"
        assert saved.on_disk
    sound(disk.folder / "jobs.db")
    with resumelog.open(disk.folder / "jobs.db") as log:
        assert scenes_of(log, BATCH) == [*map(str, range(6))]
        assert names_of(log, BATCH)[-1] == "Completed"


def test_a_log_that_was_closed_is_said_to_have_no_room_when_it_is_opened_on_a_full_disk(
    disk: SmallDisk,
) -> None:
    with resumelog.open(disk.folder / "jobs.db") as log:
        log.scenes.open("电影", "分镜", scenes=scenes("1")).leave("下班")
    disk.fill()
    with pytest.raises(StoreUnavailable) as full:
        resumelog.open(disk.folder / "jobs.db")
    require_told(full.value)
    assert "rollback" not in full.value.why
