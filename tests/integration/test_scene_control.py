"""Scene batches under other people's hands and under many threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.logs import make_scenes, names_of, scenes

from resumelog import BatchOver, JobNotFound, NotRunning, ResumeLog

THREADS = 4
MANY = 300


def test_a_batch_that_was_reopened_under_its_worker_can_be_paused_again(
    log: ResumeLog, other: ResumeLog
) -> None:
    made = []
    with log.scenes.open("电影", "分镜", scenes=scenes(*range(1, 7))) as batch:
        for scene in batch.remaining():
            made.append(scene.key)
            batch.complete(scene)
            if scene.key in ("2", "4"):
                other.scenes.pause("电影", "分镜", "午休", "小王")
            if scene.key == "2":
                other.scenes.reopen("电影", "分镜")
    assert made == ["1", "2", "3", "4"]
    assert log.queries.find("电影/分镜").status == "paused"


def test_a_batch_that_was_paused_and_left_is_open_once_it_is_reopened(
    log: ResumeLog, other: ResumeLog
) -> None:
    batch = log.scenes.open("电影", "分镜", scenes=scenes("a", "b"))
    other.scenes.pause("电影", "分镜", "午休", "小王")
    batch.leave("下班")
    other.scenes.reopen("电影", "分镜")
    assert log.queries.find("电影/分镜").status == "open"
    assert [row.status for row in log.queries.jobs()] == ["open"]
    with pytest.raises(NotRunning, match="is open, and nobody works on it; there is nothing"):
        other.scenes.pause("电影", "分镜")
    assert make_scenes(log.scenes.open("电影", "分镜", scenes=scenes("a", "b"))) == ["a", "b"]
    assert names_of(log, "电影/分镜")[1:6] == [
        "Resumed",
        "Paused",
        "Reopened",
        "Interrupted",
        "Resumed",
    ]


@pytest.mark.parametrize("verb", ["pause", "stop", "reopen"])
def test_what_is_asked_of_a_stage_that_never_began_says_so(log: ResumeLog, verb: str) -> None:
    ask: Callable[[str, str], object] = getattr(log.scenes, verb)
    with pytest.raises(JobNotFound, match="no job is named '没有/分镜'"):
        ask("没有", "分镜")


def test_a_handle_that_was_left_does_not_pass_for_done_what_was_marked_since(
    log: ResumeLog,
) -> None:
    batch = log.scenes.open("电影", "分镜", scenes=scenes("a", "b"))
    assert batch.run(lambda scene: scene.key).is_complete
    assert batch.run(lambda scene: scene.key).is_complete, "there is nothing to make"
    log.scenes.regenerate("电影", "分镜", ["b"])
    with pytest.raises(BatchOver, match=r"is open, and left by this handle; it has .*: open the"):
        batch.run(lambda scene: scene.key)
    assert batch.run(lambda scene: scene.key, scenes=["a"]).remaining == 1


def test_a_batch_tells_how_it_stands_while_threads_complete_its_scenes(log: ResumeLog) -> None:
    with (
        log.scenes.open("电影", "分镜", scenes=scenes(*range(MANY))) as batch,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        saving = pool.map(batch.complete, map(str, range(MANY)))
        while (report := batch.report()).remaining:
            assert report.done + report.remaining == MANY
            assert len(batch.resume_point().done) >= report.done
        assert all(saved.on_disk for saved in saving)
    assert make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(*range(MANY)))) == []
