"""Work on batches after their log was closed: the error says so, whatever the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.logs import Store, names_of, scenes
from support.pipelines import Making, pipeline

from resumelog import ClosedLog, NotRunning, ResumeLog


@pytest.fixture(params=["memory:", "jobs.db"])
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> ResumeLog:
    """A log that a test closes."""
    url = request.param if request.param == "memory:" else str(tmp_path / request.param)
    return Store(url, tmp_path).open()


@pytest.mark.parametrize("done", ["", "a", "ab"], ids=["none", "some", "all"])
def test_a_run_after_the_log_was_closed_says_so(closed: ResumeLog, done: str) -> None:
    batch = closed.scenes.open("电影", "分镜", scenes=scenes("a", "b"))
    for key in done:
        batch.complete(key, key)
    closed.close()
    for run in (batch.run, batch.retry):
        with pytest.raises(ClosedLog) as refused:
            run(lambda scene: scene.key)
        assert str(refused.value) == "batch 电影/分镜: the log is closed; open it again"
    with pytest.raises(ClosedLog, match="batch 电影/分镜"):
        batch.fail("b", "too late")


def test_stages_after_the_log_was_closed_say_so(closed: ResumeLog) -> None:
    flow = pipeline(closed, Making(), scenes("a"))
    closed.close()
    with pytest.raises(ClosedLog, match="batch 归途/storyboard: the log is closed; open it again"):
        flow.run()


def test_a_batch_that_was_left_before_is_not_told_that_the_log_is_closed(log: ResumeLog) -> None:
    batch = log.scenes.open("电影", "分镜", scenes=scenes("a"))
    batch.leave("enough")
    with pytest.raises(
        NotRunning, match="is open, and left by this handle; it has scenes to make: open"
    ):
        batch.run(lambda scene: scene.key)
    assert names_of(log, "电影/分镜")[-1] == "Interrupted"
