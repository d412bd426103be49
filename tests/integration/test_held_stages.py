"""Stages whose saves wait for the disk: scenes go on with what is on disk, as soon as it is."""

from __future__ import annotations

from typing import Any

import pytest
from support.full import FullDisk
from support.logs import Store, scenes
from support.pipelines import STAGES, Making, in_stages, pipeline

from resumelog import NotSaved, Scene, SceneUpdate

FIRST = STAGES[0]


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(store, monkeypatch)


def filled_by(disk: FullDisk, key: str, *stages: str) -> Making:
    """Return what makes the scenes; the disk is full once this one is made in these stages."""
    making = Making()

    def before(stage: str, scene: Scene) -> None:
        if stage in stages and scene.key == key:
            disk.fill()

    making.before = before
    return making


def freed_by(disk: FullDisk, key: str) -> Any:
    """Return a listener that frees the disk once this scene is recorded, on disk or not."""

    def told(_: str, update: SceneUpdate) -> None:
        if (update.scene.key, update.state) == (key, "done"):
            disk.free()

    return told


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("full_in", [[FIRST], STAGES], ids=["in the first", "in each"])
def test_a_last_scene_whose_save_waited_goes_on_once_it_is_written(
    disk: FullDisk, count: int, full_in: list[str]
) -> None:
    keys = [str(key + 1) for key in range(count)]
    making = filled_by(disk, keys[-1], *full_in)
    flow = pipeline(disk.log, making, scenes(*keys))
    flow.on_scene(freed_by(disk, keys[-1]))
    report = flow.run(mode="streaming")
    assert report.is_complete, report
    assert making.taken() == in_stages(*keys)


def test_what_finds_room_while_a_later_stage_is_at_work_goes_through_all_in_the_same_run(
    disk: FullDisk,
) -> None:
    making = Making()

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.key) == (FIRST, "2"):
            disk.fill()
        if (stage, scene.key) == (STAGES[1], "1"):
            disk.free()

    making.before = before
    report = pipeline(disk.log, making, scenes(1, 2)).run(mode="stages")
    assert report.is_complete, report
    assert making.taken() == in_stages("1", "2")


def test_what_is_only_held_is_not_handed_on(disk: FullDisk) -> None:
    making = filled_by(disk, "2", FIRST)
    flow = pipeline(disk.log, making, scenes(1, 2))
    with pytest.raises(NotSaved):
        flow.run(mode="streaming")
    assert (STAGES[1], "2") not in making.made
    disk.free()
    assert pipeline(disk.log, Making(), scenes(1, 2)).run(mode="streaming").is_complete


def test_of_what_waits_that_is_handed_on_which_found_room(disk: FullDisk) -> None:
    """Two scenes wait in the first stage, and there is room for one of them."""
    making = filled_by(disk, "1", FIRST)

    def told(stage: str, update: SceneUpdate) -> None:
        if (stage, update.scene.key, update.state) == (FIRST, "2", "done"):
            disk.free(saves=1)

    flow = pipeline(disk.log, making, scenes(1, 2))
    flow.on_scene(told)
    with pytest.raises(NotSaved):
        flow.run(mode="streaming")
    assert making.taken() == [(STAGES[1], "1"), (FIRST, "1"), (FIRST, "2")]


def test_what_waited_while_its_input_was_made_again_is_made_again_too(disk: FullDisk) -> None:
    making, first, second = Making(), *STAGES[:2]
    flow = disk.log.scenes.pipeline(
        "归途", [making.stage(first), making.stage(second)], scenes=scenes(1)
    )

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.attempt) == (second, 1):
            disk.fill()
        if (stage, scene.attempt) == (first, 2):
            disk.free(saves=1)  # its own

    def told(stage: str, update: SceneUpdate) -> None:
        if update.state != "done":
            return
        if (stage, update.scene.attempt) == (second, 1):
            disk.free(saves=1)
            making.version[first, "1"] = "!"
            disk.log.scenes.regenerate("归途", first, ["1"])
        if (stage, update.scene.attempt) == (first, 2):
            disk.free()

    making.before = before
    flow.on_scene(told)
    assert flow.run(mode="streaming").is_complete
    assert making.made == [(first, "1"), (second, "1"), (first, "1"), (second, "1")]
    assert flow.run().is_complete
    assert len(making.made) == 4, "nothing was recorded that rests on what is not there any more"


def test_what_never_finds_room_is_named(disk: FullDisk, caplog: pytest.LogCaptureFixture) -> None:
    making = filled_by(disk, "1", FIRST)
    flow = pipeline(disk.log, making, scenes(1, 2))
    with pytest.raises(NotSaved) as unsaved:
        flow.run(mode="streaming")
    assert unsaved.value.job == f"batch 归途/{FIRST}"
    assert unsaved.value.scenes == ("1", "2")
    assert f"归途/{FIRST}: 2 scenes (1, 2) wait for the disk" in caplog.text
    assert making.taken() == [(FIRST, "1"), (FIRST, "2")]
