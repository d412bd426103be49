"""A disk that fills up under a run: all scenes are made, the user is told, and nothing is lost or silent."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.evidence import scenes_of, sound
from support.fault_tasks import BATCH
from support.logs import names_of, scenes
from support.mounts import SmallDisk, small_disk

import resumelog
from resumelog import Batch, NotSaved, ResumeLog, Scene, SceneUpdate
from resumelog.application import held_saves
from resumelog.application.errors import StoreUnavailable

pytestmark = pytest.mark.faults

RESULT = random.Random(30).randbytes(8_000).hex()  # it takes room, compressed too
SIXTY = [*map(str, range(1, 61))]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "16m") as disk:
        yield disk


class Filling:
    """Makes scenes; the disk is full from the thirtieth on, until one that frees it."""

    def __init__(self, disk: SmallDisk, frees: str = "") -> None:
        self.disk, self.frees, self.made = disk, frees, list[str]()
        self._is_full = threading.Event()

    def __call__(self, scene: Scene) -> str:
        self.made.append(scene.key)
        if scene.key == "30":
            with suppress(OSError):  # another save took the last bytes
                self.disk.fill()
            self._is_full.set()
        elif int(scene.key) > 30:  # another worker may be faster than the disk is filled
            assert self._is_full.wait(60)
        if scene.key == self.frees:
            self.disk.free()
        return RESULT + scene.key


def opened(log: ResumeLog, **options: Any) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(*SIXTY), **options)


def on_disk(disk: SmallDisk) -> list[str]:
    sound(disk.folder / "jobs.db")
    with resumelog.open(disk.folder / "jobs.db") as log:
        return scenes_of(log, BATCH)


@pytest.mark.parametrize("workers", [1, 4])
def test_all_are_made_and_on_disk_once_there_is_room(
    disk: SmallDisk, caplog: pytest.LogCaptureFixture, workers: int
) -> None:
    function = Filling(disk, frees="58")
    with resumelog.open(disk.folder / "jobs.db") as log, caplog.at_level(logging.WARNING):
        report = opened(log).run(function, workers=workers)
        assert report.is_complete, report
        assert names_of(log, BATCH)[-1] == "Completed"
    assert sorted(function.made, key=int) == SIXTY
    assert sorted(on_disk(disk), key=int) == SIXTY
    first = next(each.getMessage() for each in caplog.records if "wait" in each.getMessage())
    assert "free space on its disk" in first


def test_the_user_is_told_at_once_how_much_room_is_needed(
    disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    function, told = Filling(disk), dict[str, str]()

    def note(update: SceneUpdate) -> None:
        if update.state == "done" and "wait" in (text := caplog.text):
            told.setdefault(update.scene.key, text)

    with resumelog.open(disk.folder / "jobs.db") as log, caplog.at_level(logging.WARNING):
        batch = opened(log)
        batch.on_scene(note)
        report = batch.run(function)
        assert next(iter(told)) == "30"
        assert "bytes are needed" in told["30"]
        assert (report.held > 0, report.is_complete) == (True, False)
        disk.free()


def test_what_never_found_room_is_told_at_the_end_and_made_again(disk: SmallDisk) -> None:
    function = Filling(disk)
    with resumelog.open(disk.folder / "jobs.db") as log:
        batch = opened(log)
        report = batch.run(function)
        assert function.made == SIXTY
        assert report.held >= 30
        assert batch.run(function).held >= 30
        assert function.made == SIXTY, "what is held is not made again"
        with pytest.raises(NotSaved) as unsaved:
            batch.finish()
        assert unsaved.value.count >= 30
        disk.free()
    saved = on_disk(disk)
    assert saved == SIXTY[: len(saved)]
    with resumelog.open(disk.folder / "jobs.db") as log:
        again = Filling(disk, frees="30")
        assert opened(log).run(again).is_complete
        assert again.made == SIXTY[len(saved) :]


def test_a_second_run_writes_what_the_first_one_held(disk: SmallDisk) -> None:
    function = Filling(disk)
    with resumelog.open(disk.folder / "jobs.db") as log:
        batch = opened(log)
        assert batch.run(function).held
        disk.free()
        assert batch.run(function).is_complete
    assert function.made == SIXTY
    assert on_disk(disk) == SIXTY


def test_what_is_held_is_bounded(disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_saves, "HELD_BYTES_MAX", 10 * len(RESULT.encode()))
    function = Filling(disk)
    with resumelog.open(disk.folder / "jobs.db") as log:
        with pytest.raises(StoreUnavailable) as unavailable:
            opened(log).run(function)
        assert "are not on disk" in unavailable.value.__notes__[0]
        disk.free()
    assert 35 <= len(function.made) <= 45


def test_a_save_that_fails_ends_the_run_where_that_is_asked_for(disk: SmallDisk) -> None:
    function = Filling(disk)
    with resumelog.open(disk.folder / "jobs.db") as log:
        with pytest.raises(StoreUnavailable):
            opened(log, on_save_error="raise").run(function)
        disk.free()
    assert 30 <= len(function.made) <= 32
