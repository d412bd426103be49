"""A run over scenes, on every store."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from support import scene_functions as functions
from support.logs import Store, names_of, scenes

from resumelog import Batch, ResumeLog, Retry

RETRY = Retry(attempts=12, backoff_s=0, jitter_s=0)
THIRTY = [*map(str, range(30))]


def opened(log: ResumeLog) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(*THIRTY))


@pytest.mark.parametrize(
    "options", [{}, {"workers": 4}, {"workers": 2, "executor": ProcessPoolExecutor}], ids=str
)
def test_scenes_that_fail_at_times_are_all_made(store: Store, options: Any) -> None:
    log = store.open()
    batch = opened(log)
    report = batch.run(functions.unlucky, retry=RETRY, **options)
    assert report.is_complete, report
    assert [scene.key for scene, _ in batch.results()] == THIRTY
    assert names_of(log, "电影/分镜").count("SceneCompleted") == 30


def test_a_run_goes_on_where_another_worker_left(store: Store) -> None:
    with opened(store.open()) as batch:
        before = batch.run(functions.unlucky, stop_after_failures=2)
        assert before.cause == "stopped after 2 failures"
    batch = opened(store.open())
    after = batch.run(functions.script)
    assert (after.is_complete, after.skipped) == (True, before.done)
    assert len(after.durations) == 30 - before.done
