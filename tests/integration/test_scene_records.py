"""What a run must not record wrongly: files that are gone, places that two scenes have, one refusal of many."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.logs import Store

from resumelog import BadArgument, ResumeLog, ResumelogError, Retry, Scene, SceneFileMissing


def scenes(*ids: str) -> list[Any]:
    return [{"id": key, "text": f"第 {key} 场"} for key in ids]


def draw(scene: Scene) -> None:
    assert scene.partial is not None
    scene.partial.write_text(scene.content["text"])


@pytest.mark.parametrize("wait_s", [0.0, 0.01, 0.03])
def test_a_log_that_is_closed_in_a_run_records_no_scene_without_its_file(
    store: Store, tmp_path: Path, wait_s: float
) -> None:
    log = store.open()
    batch = log.scenes.open("电影", "画", scenes=scenes(*"abcdefgh"), artifact="img/{key}.txt")

    def slowly(scene: Scene) -> None:
        time.sleep(0.005)
        draw(scene)

    def run() -> None:
        with suppress(ResumelogError):
            batch.run(slowly, workers=4)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(wait_s)
    log.close()
    thread.join()
    again = store.open().scenes.open(
        "电影", "画", scenes=scenes(*"abcdefgh"), artifact="img/{key}.txt"
    )
    done = [key for key in "abcdefgh" if key not in again.left()]
    assert all(again.file_of(key) for key in done)
    assert again.run(draw).is_complete
    assert all((tmp_path / f"img/{key}.txt").is_file() for key in "abcdefgh")


def test_a_scene_that_is_to_make_a_file_is_not_done_without_it(log: ResumeLog) -> None:
    with (
        log.scenes.open("电影", "画", scenes=scenes("a"), artifact="{key}.txt") as batch,
        pytest.raises(SceneFileMissing),
    ):
        batch.complete("a")
    assert batch.report().done == 0


def test_a_file_that_was_placed_is_the_same_when_it_is_asked_for_again(log: ResumeLog) -> None:
    with log.scenes.open("电影", "画", scenes=scenes("a"), artifact="{key}.txt") as batch:
        (scene,) = batch.begin([batch.scene("a")])
        draw(scene)
        first, second = batch.done(scene, None), batch.done(scene, None)
        assert first == second
        assert first.artifact is not None
        batch.record([second])


def test_two_scenes_never_write_one_file(log: ResumeLog) -> None:
    with pytest.raises(BadArgument, match="scenes a and b would both write it"):
        log.scenes.open("电影", "画", scenes=scenes("a", "b"), artifact="same.txt")


def test_a_scene_whose_place_moved_is_made_again_there(log: ResumeLog) -> None:
    for ids in ("ab", "nab"):
        batch = log.scenes.open("电影", "画", scenes=scenes(*ids), artifact="{index}.txt")
        assert batch.run(draw).is_complete
    assert batch.stale == dict.fromkeys("ab", "its input or its command changed")
    texts = [batch.file_of(key).read_text() for key in "nab"]  # type: ignore[union-attr]  # each made one
    assert texts == ["第 n 场", "第 a 场", "第 b 场"]


def test_a_scene_that_somebody_else_completed_costs_the_others_nothing(
    log: ResumeLog, caplog: pytest.LogCaptureFixture
) -> None:
    batch = log.scenes.open("电影", "分镜", scenes=scenes(*"abcdef"))

    def make(scene: Scene) -> str:
        if scene.key == "a":
            batch.complete("a", "first")
        time.sleep(0.05)  # so that they end together
        return scene.key

    with caplog.at_level(logging.WARNING, "resumelog"):
        report = batch.run(make, workers=6)
    assert report.is_complete
    assert [result for _, result in batch.results()] == ["first", *"bcdef"]
    (record,) = caplog.records
    assert "batch 电影/分镜" in record.getMessage()


def test_a_batch_that_was_dropped_keeps_what_waits_for_the_disk(log: ResumeLog) -> None:
    def drop() -> None:
        log.scenes.open("电影", "分镜", scenes=scenes("a")).begun(Scene("a", 0, None, 1, ""))

    drop()
    log.scenes.close()
    batch = log.scenes.open("电影", "分镜", scenes=scenes("a"))
    assert batch.cut_off is None  # it was left in order
    batch.leave("enough")


def test_a_run_that_waits_for_a_worker_sleeps(log: ResumeLog) -> None:
    def make(scene: Scene) -> str:
        if scene.key == "a" and scene.attempt == 1:
            raise ValueError
        time.sleep(0.5)
        return scene.key

    began_s = time.process_time()
    retry = Retry(attempts=2, backoff_s=0.01, jitter_s=0)
    assert (
        log.scenes.open("电影", "分镜", scenes=scenes(*"abc")).run(make, workers=2, retry=retry)
    ).is_complete
    assert time.process_time() - began_s < 0.25


def test_a_question_for_another_try_that_fails_ends_no_run(log: ResumeLog) -> None:
    hang = threading.Event()
    with log.scenes.open("电影", "分镜", scenes=scenes("a", "b")) as batch:
        report = batch.run(
            lambda scene: hang.wait(5) if scene.key == "a" else scene.key,
            timeout_s=0.1,
            retry=Retry(retry_on=lambda error: bool(error.code)),  # type: ignore[attr-defined]  # as meant
        )
    hang.set()
    assert [failed.key for failed in report.failed] == ["a"]
    assert report.done == 1


def test_a_check_may_refuse_by_any_false_answer_and_is_no_coroutine(log: ResumeLog) -> None:
    async def later(result: object) -> bool:
        return bool(result)

    with log.scenes.open("电影", "分镜", scenes=scenes("a")) as batch:
        assert batch.run(lambda _: "x", check=lambda _: 0).failed
        with pytest.raises(BadArgument, match="plain function"):
            batch.run(lambda _: "x", check=later)
