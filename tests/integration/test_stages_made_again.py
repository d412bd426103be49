"""Scenes made again on purpose, in all stages or in none, and stages that can't come after another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.logs import Store, make_scenes, names_of, scenes
from support.pipelines import Making, pipeline
from support.tampering import Tampering

import resumelog
from resumelog import (
    BadArgument,
    BatchOver,
    DamagedEvent,
    JobNotFound,
    NotRunning,
    ResumeLog,
    Scene,
    UnknownScene,
)
from resumelog.domain.scene_batch import SceneBatch

FOUR = scenes(1, 2, 3, 4)


@pytest.fixture(params=["memory:", "jobs.db"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResumeLog]:
    url = request.param if request.param == "memory:" else str(tmp_path / request.param)
    store = Store(url, tmp_path)
    yield store.open()
    store.close()


def test_regenerate_of_a_stage_that_never_began_names_it_and_says_where_to_look(
    log: ResumeLog,
) -> None:
    with pytest.raises(JobNotFound, match=r"no job is named '没有/storyboard'; `resumelog jobs`"):
        log.scenes.regenerate("没有", "storyboard", ["1"])


def test_regenerate_of_a_cleaned_project_marks_all_stages_though_no_plan_is_left(
    log: ResumeLog,
) -> None:
    keys = [str(number) for number in range(1, 200)]  # a plan above 1 KiB, which goes too
    for stage, after in (("storyboard", None), ("image", "storyboard")):
        make_scenes(log.scenes.open("归途", stage, scenes=scenes(*keys), after=after))
    log.clean(timedelta(0))
    new = log.scenes.regenerate("归途", "storyboard", ["7"])
    assert [*new] == ["storyboard", "image"]
    assert {names_of(log, f"归途/{stage}")[-1] for stage in new} == {"SceneInvalidated"}
    with pytest.raises(UnknownScene, match="scene '999' is not in the plan; open the batch"):
        log.scenes.regenerate("归途", "storyboard", ["7", "999"])


def test_regenerate_writes_nothing_where_a_later_stage_is_damaged(tmp_path: Path) -> None:
    with resumelog.open(tmp_path / "jobs.db") as log:
        pipeline(log, Making(), FOUR).run()
        Tampering(tmp_path / "jobs.db", SceneBatch.named("归途", "video").id.hex).set(
            3, state=b"{}"
        )
        before = names_of(log, "归途/storyboard")
        with pytest.raises(DamagedEvent):
            log.scenes.regenerate("归途", "storyboard", ["2"])
        assert names_of(log, "归途/storyboard") == before


@pytest.mark.parametrize("after", ["a", "b", "c"])
def test_a_stage_after_itself_or_after_one_that_takes_from_it_is_refused(
    log: ResumeLog, after: str
) -> None:
    for stage, before in (("a", None), ("b", "a"), ("c", "b")):
        log.scenes.open("归途", stage, scenes=FOUR, after=before).leave("下班")
    events = names_of(log, "归途/a")
    with pytest.raises(BadArgument, match=f"^batch 归途/a: after='{after}' is no choice; .*before"):
        log.scenes.open("归途", "a", scenes=FOUR, after=after)
    assert names_of(log, "归途/a") == events
    log.scenes.open("归途", "c", scenes=FOUR, after="a").leave("下班")


def test_to_look_for_circles_no_scene_of_an_earlier_stage_is_read(tmp_path: Path) -> None:
    with resumelog.open(tmp_path / "jobs.db") as log:
        for stage, before in (("a", None), ("b", "a")):
            make_scenes(log.scenes.open("归途", stage, scenes=FOUR, after=before))
        Tampering(tmp_path / "jobs.db", SceneBatch.named("归途", "a").id.hex).set(3, state=b"{}")
        assert len(make_scenes(log.scenes.open("归途", "c", scenes=FOUR, after="b"))) == 4


def test_a_batch_that_is_complete_says_how_its_scenes_are_made_again(log: ResumeLog) -> None:
    batch = log.scenes.open("归途", "storyboard", scenes=FOUR)
    make_scenes(batch)
    with pytest.raises(BatchOver, match=r"^batch 归途/storyboard: is completed, .*scenes\.regen"):
        batch.regenerate(["2"])
    assert issubclass(BatchOver, NotRunning)
    log.scenes.regenerate("归途", "storyboard", ["2"])
    assert make_scenes(log.scenes.open("归途", "storyboard", scenes=FOUR)) == ["2"]


@pytest.mark.parametrize(
    ("only", "again"), [(None, ["1", "2"]), (["2", "4"], ["2"])], ids=["all", "some"]
)
def test_what_is_regenerated_during_a_run_is_made_again_by_it(
    log: ResumeLog, only: list[str] | None, again: list[str]
) -> None:
    made = list[str]()
    with log.scenes.open("归途", "image", scenes=FOUR) as batch:
        batch.complete("1")

    def function(scene: Scene) -> None:
        made.append(scene.key)
        if scene.key == "4" and made.count("4") == 1:
            log.scenes.regenerate("归途", "image", ["1", "2"])

    with log.scenes.open("归途", "image", scenes=FOUR) as batch:
        batch.run(function, scenes=only)
    first = only or ["2", "3", "4"]
    assert made == [*first, *again]
