"""Scene batches under other people's hands and under many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from support.logs import make_scenes, scenes

from resumelog import ResumeLog

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
