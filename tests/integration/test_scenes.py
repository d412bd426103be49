"""Scene batches: what is done is skipped, what failed is done again, what changed is made anew."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from support.logs import Store, events_of, make_scenes, names_of, scenes, take_over

from resumelog import Batch, LeaseLost, ResumeLog
from resumelog.application.errors import AlreadyRunning
from resumelog.domain.errors import (
    SceneAlreadyCompleted,
    TooLarge,
    UnknownScene,
)
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import Interrupted
from resumelog.domain.values import PAYLOAD_BYTES_MAX
from resumelog.infrastructure.processes import this_worker

NAME = "电影/分镜"
TWELVE = scenes(*range(1, 13))
EDITED = scenes(1) + scenes(2, mood="雨") + scenes(3)


def opened(log: ResumeLog, plan: list[JsonValue] = TWELVE, **options: Any) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=plan, **options)


def taken_over(log: ResumeLog, batch: Batch) -> None:
    """Let another worker begin while this one is at it."""
    state = SceneBatch.named("电影", "分镜")
    take_over(log, state, lambda state, by: state.begin(batch.plan, by, log.clock.now()))


# Resuming


def test_all_scenes_are_made_in_order(log: ResumeLog) -> None:
    assert make_scenes(opened(log)) == [str(n) for n in range(1, 13)]
    assert log.queries.find(NAME).status == "completed"


def test_finished_scenes_are_skipped(log: ResumeLog, other: ResumeLog) -> None:
    make_scenes(opened(log), dies_at="5")
    assert make_scenes(opened(other)) == [str(n) for n in range(5, 13)]


def test_nothing_of_a_completed_batch_is_made_again(log: ResumeLog) -> None:
    make_scenes(opened(log))
    version = log.queries.find(NAME).version
    assert make_scenes(opened(log)) == []
    assert log.queries.find(NAME).version == version


def test_failed_scenes_are_made_again_and_the_others_not(log: ResumeLog) -> None:
    make_scenes(opened(log), fails=["2", "7"])
    assert log.queries.find(NAME).status == "open"
    assert make_scenes(opened(log)) == ["2", "7"]


def test_a_failure_in_the_middle_and_a_death_leave_exactly_what_is_not_done(
    log: ResumeLog, other: ResumeLog
) -> None:
    make_scenes(opened(log), fails=["3"], dies_at="10")
    assert make_scenes(opened(other)) == ["3", "10", "11", "12"]


def test_what_was_in_flight_at_the_end_is_in_the_log(log: ResumeLog) -> None:
    make_scenes(opened(log), dies_at="10")
    last = events_of(log, NAME)[-1]
    assert isinstance(last, Interrupted)
    assert last.in_flight == ("10",)


@pytest.mark.parametrize("end", [{"fails": ["3"]}, {"dies_at": "3"}], ids=str)
def test_a_scene_knows_which_attempt_it_is(log: ResumeLog, end: dict[str, Any]) -> None:
    make_scenes(opened(log), **end)
    with opened(log) as batch:
        assert [batch.scene(key).attempt for key in ("2", "3")] == [2, 2]


def test_what_was_in_flight_when_a_log_was_closed_counts_as_an_attempt(store: Store) -> None:
    log = store.open()
    batch = opened(log)
    batch.begun(batch.scene("3"))
    log.close()
    with opened(store.open()) as batch:
        assert batch.scene("3").attempt == 2


def test_only_some_of_the_scenes_may_be_asked_for(log: ResumeLog) -> None:
    make_scenes(opened(log), dies_at="5")
    with opened(log) as batch:
        assert [scene.key for scene in batch.remaining(only=["2", "9", "7"])] == ["7", "9"]


def test_the_failed_scenes_may_be_asked_for(log: ResumeLog) -> None:
    make_scenes(opened(log), fails=["3", "8"], dies_at="10")
    with opened(log) as batch:
        assert [scene.key for scene in batch.failed()] == ["3", "8"]


def test_the_report_counts_what_was_done_before(log: ResumeLog) -> None:
    make_scenes(opened(log), fails=["3"], dies_at="10")
    with opened(log) as batch:
        assert batch.counts() == (12, 8, 1, 4, 8, "running", 0)
        batch.complete("3")
        assert batch.counts() == (12, 9, 0, 3, 8, "running", 0)


# Limits and other workers


def test_a_result_over_64_mib_is_refused_and_nothing_is_written(log: ResumeLog) -> None:
    with opened(log) as batch:
        before = names_of(log, NAME)
        with pytest.raises(TooLarge) as refused:
            batch.complete("1", "x" * PAYLOAD_BYTES_MAX)
        assert refused.value.limit == PAYLOAD_BYTES_MAX
        assert names_of(log, NAME) == before
        assert batch.complete("1", "x").on_disk


@pytest.mark.parametrize(
    "ask",
    [
        lambda batch: batch.complete("13"),
        lambda batch: batch.fail("13", "error"),
        lambda batch: batch.scene("13"),
        lambda batch: [*batch.remaining(only=["1", "13"])],
    ],
    ids=["complete", "fail", "scene", "remaining"],
)
def test_an_unknown_scene_is_refused(log: ResumeLog, ask: Callable[[Batch], object]) -> None:
    with opened(log) as batch:
        before = names_of(log, NAME)
        with pytest.raises(UnknownScene):
            ask(batch)
        assert names_of(log, NAME) == before


def test_a_finished_scene_takes_no_other_result(log: ResumeLog) -> None:
    with opened(log) as batch:
        batch.complete("1", "first")
        with pytest.raises(SceneAlreadyCompleted):
            batch.complete("1", "second")
        assert [result for _, result in batch.results()] == ["first"]


def test_reporting_one_attempt_twice_records_it_once(log: ResumeLog) -> None:
    with opened(log) as batch:
        scene = batch.scene("1")
        assert len(batch.complete(scene, "made").events) == 1
        assert batch.complete(scene, "made").events == ()


def test_one_result_of_a_key_twice_is_recorded_once(log: ResumeLog) -> None:
    with opened(log) as batch:
        assert [len(batch.complete("1", 1).events) for _ in range(2)] == [1, 0]


def test_another_result_of_the_same_attempt_is_refused(log: ResumeLog) -> None:
    with opened(log) as batch:
        scene = batch.scene("1")
        batch.complete(scene, 1)
        with pytest.raises(SceneAlreadyCompleted):
            batch.complete(scene, 2)


def test_a_scene_that_failed_and_is_completed_after_all_is_done(log: ResumeLog) -> None:
    with opened(log) as batch:
        scene = batch.scene("1")
        batch.fail(scene, "网络断了")
        batch.complete(scene, {"剧本": 1})
        assert (batch.report().done, batch.report().failed) == (1, ())


def test_a_second_opener_is_told_who_is_at_it(log: ResumeLog, other: ResumeLog) -> None:
    with opened(log):
        with pytest.raises(AlreadyRunning) as busy:
            opened(other)
        assert busy.value.holder == str(this_worker())


@pytest.mark.parametrize("ask", ["pause", "stop"])
def test_a_pause_or_a_stop_ends_the_work_after_the_scene_in_flight(
    log: ResumeLog, other: ResumeLog, ask: str
) -> None:
    begun = []
    with opened(log) as batch:
        for scene in batch.remaining():
            begun.append(scene.key)
            if scene.key == "4":
                getattr(other.scenes, ask)("电影", "分镜")
            batch.complete(scene)
    assert begun == ["1", "2", "3", "4"]
    assert make_scenes(opened(other)) == [str(n) for n in range(5, 13)]


def test_a_worker_that_was_taken_over_is_refused(log: ResumeLog, other: ResumeLog) -> None:
    batch = opened(log)
    taken_over(other, batch)
    with pytest.raises(LeaseLost):
        batch.complete("1")


def place(batch: Batch) -> None:
    batch.artifact("1", "1.png").write_bytes(b"old")
    batch.complete("1")


@pytest.mark.parametrize(
    "ask",
    [lambda batch: [*batch.remaining()], lambda batch: batch.begun(batch.scene("1")), place],
    ids=["remaining", "begun", "place"],
)
def test_a_worker_that_was_taken_over_learns_of_it_before_it_works_on(
    log: ResumeLog, other: ResumeLog, tmp_path: Path, ask: Callable[[Batch], object]
) -> None:
    batch = opened(log)
    (tmp_path / "1.png").write_bytes(b"new")
    taken_over(other, batch)
    with pytest.raises(LeaseLost):
        ask(batch)
    assert (tmp_path / "1.png").read_bytes() == b"new"


def test_threads_may_share_a_batch(log: ResumeLog) -> None:
    with opened(log, scenes(*range(60))) as batch, ThreadPoolExecutor(8) as pool:
        saved = [*pool.map(lambda scene: batch.complete(scene, scene.key * 500), batch.remaining())]
    assert all(each.on_disk for each in saved)
    names = names_of(log, NAME)
    assert (names.count("SceneCompleted"), names[-1]) == (60, "Completed")
