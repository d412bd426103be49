"""A finished stage keeps its results as long as a later one may take them, in every store."""

from __future__ import annotations

import pytest
from support.batches_done import ALL, LONG, STAGE, finish
from support.logs import Store, make_scenes, names_of, scenes

from resumelog import Batch, ResultGone, ResumeLog


@pytest.fixture
def aside(store: Store) -> bool:
    """Whether the store keeps values beside their events; in memory they stay inside them."""
    return store.url != "memory:"


def later(log: ResumeLog, stage: str = "视频", after: str = STAGE[1]) -> Batch:
    return log.scenes.open("电影", stage, scenes=scenes(1, 2), after=after)


def begin(log: ResumeLog, stage: str = "视频", after: str = STAGE[1]) -> None:
    """Make one of two scenes of a later stage."""
    batch = later(log, stage, after)
    batch.complete("1", LONG)
    batch.leave("下班")


def end(log: ResumeLog, stage: str = "视频", after: str = STAGE[1]) -> None:
    make_scenes(later(log, stage, after), result=lambda _: LONG)


def test_a_finished_stage_keeps_what_an_unfinished_one_after_it_takes(
    log: ResumeLog, aside: bool
) -> None:
    finish(log)
    begin(log)
    report = log.clean(ALL)
    assert (report.finished, report.is_well) == ((), True)
    why = "batch 电影/视频 takes from it, and is open; finish or stop that first"
    assert [(each.job, each.why) for each in report.left_alone] == [("电影/分镜", why)] * aside
    with later(log) as batch:
        (scene,) = batch.remaining()
        assert scene.before == LONG
        batch.complete(scene, LONG)
    assert len(log.clean(ALL).finished) == 2 * aside


def test_a_stage_keeps_them_for_one_that_comes_two_later(log: ResumeLog, aside: bool) -> None:
    finish(log)
    end(log)
    begin(log, "配音", "视频")
    left = log.clean(ALL).left_alone
    assert {each.job for each in left} == ({"电影/分镜", "电影/视频"} if aside else set())


def test_what_takes_a_result_that_was_removed_is_not_marked_and_says_how_to_go_on(
    log: ResumeLog, aside: bool
) -> None:
    finish(log)
    end(log)
    log.clean(ALL)
    before = names_of(log, "电影/视频")
    if aside:
        with pytest.raises(ResultGone, match="`resumelog regenerate '电影/分镜' 1 --run`") as gone:
            log.scenes.regenerate("电影", "视频", ["1"])
        assert (gone.value.scene, gone.value.before) == ("1", "电影/分镜")
        assert names_of(log, "电影/视频") == before
        log.scenes.regenerate("电影", "分镜", ["1"])
        finish(log)
    log.scenes.regenerate("电影", "视频", ["1"])
    with later(log) as batch:
        assert [scene.before for scene in batch.remaining()] == [LONG]


def test_a_stage_that_was_given_up_holds_nothing_back(log: ResumeLog, aside: bool) -> None:
    finish(log)
    begin(log)
    log.scenes.stop("电影", "视频")
    report = log.clean(ALL)
    assert (len(report.finished), report.left_alone) == (2 * aside, ())


@pytest.mark.parametrize("project", ["电影", "另一部"])
def test_an_unfinished_stage_that_takes_nothing_from_it_holds_nothing_back(
    log: ResumeLog, aside: bool, project: str
) -> None:
    finish(log)
    own = log.scenes.open(project, "分镜2", scenes=scenes(1, 2))
    own.leave("下班")
    log.scenes.open("另一部", "视频", scenes=scenes(1), after=STAGE[1]).leave("下班")
    assert len(log.clean(ALL).finished) == aside
