"""What happens to other scenes while a run or a loop is at work: none is made twice, none begun too early."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.logs import Store, events_of, scenes, take_over

from resumelog import AlreadyRunning, AttemptOver, Batch, ResumeLog, Retry, Scene, Stage
from resumelog.application.scene_settling import Settling
from resumelog.application.stage_before import StageBefore
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import Interrupted, SceneFailed


@pytest.fixture(params=["memory:", "jobs.db"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = request.param if request.param == "memory:" else str(tmp_path / request.param)
    store = Store(url, tmp_path)
    yield store
    store.close()


@pytest.fixture
def log(store: Store) -> ResumeLog:
    return store.open()


def opened(log: ResumeLog, keys: str, stage: str = "分镜", after: str | None = None) -> Batch:
    return log.scenes.open("电影", stage, scenes=scenes(*keys), after=after)


# Made by somebody else meanwhile


def test_a_loop_is_handed_no_scene_that_it_made_together_with_another(log: ResumeLog) -> None:
    handed = list[str]()
    with opened(log, "abc") as batch:
        for scene in batch.remaining():
            handed.append(scene.key)
            batch.complete(scene, "made")
            if scene.key == "a":
                batch.complete("b", "made with a")
    assert handed == ["a", "c"]


def test_a_run_begins_no_scene_that_another_scene_has_made(log: ResumeLog) -> None:
    called = list[str]()
    batch = opened(log, "abc")

    def function(scene: Scene) -> str:
        called.append(scene.key)
        if scene.key == "a":
            batch.complete("b", "made with a")
        return "made"

    assert batch.run(function).is_complete
    assert called == ["a", "c"]


def test_a_second_run_of_one_handle_is_refused_and_the_first_makes_each_scene_once(
    log: ResumeLog,
) -> None:
    called, at_work = list[str](), threading.Event()
    go_on = threading.Event()

    def function(scene: Scene) -> str:
        called.append(scene.key)
        at_work.set()
        assert go_on.wait(20)
        return "made"

    with opened(log, "ab") as batch, ThreadPoolExecutor(1) as pool:
        first = pool.submit(batch.run, function)
        assert at_work.wait(20)
        with pytest.raises(AlreadyRunning, match="this very process"):
            batch.run(function)
        go_on.set()
        assert first.result().is_complete
    assert called == ["a", "b"]


def test_batches_that_threads_open_at_once_are_all_left_with_the_log(store: Store) -> None:
    log, before = store.open(), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            batches = [*pool.map(lambda n: opened(log, "a", f"阶段 {n}"), range(160))]
    finally:
        sys.setswitchinterval(before)
    log.close()
    assert [batch.title for batch in batches if not batch.is_over] == []


# Made again in the stage before


def test_a_scene_that_is_made_again_just_before_it_is_taken_waits(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the stage before and what is taken from it."""
    with opened(log, "a") as first:
        assert first.run(lambda _: "made").is_complete
    second, look, looks, before = opened(log, "a", "图像", "分镜"), StageBefore.waiting, 0, [""]

    def looked(self: StageBefore, keys: object) -> set[str]:
        nonlocal looks
        looks += 1
        waiting = look(self, keys)  # type: ignore[arg-type]  # what the method takes
        if looks == 2:
            log.scenes.regenerate("电影", "分镜", ["a"])
        return waiting

    monkeypatch.setattr(StageBefore, "waiting", looked)
    report = second.run(lambda scene: before.append(scene.before))
    assert report.cause == "1 scene waits for 分镜"
    assert before == [""]


def test_what_failed_for_good_is_tried_on_what_the_stage_before_makes_anew(log: ResumeLog) -> None:
    scripts, given_up = {"a": "bad", "b": "good"}, threading.Event()

    def paint(scene: Scene) -> str:
        if scene.before == "bad":
            raise ValueError("空")
        if scene.key == "b":
            assert given_up.wait(20)
            scripts["a"] = "good"
            log.scenes.regenerate("电影", "分镜", ["a"])
        return "painted"

    stages = [Stage("分镜", lambda scene: scripts[scene.key]), Stage("图像", paint, workers=2)]
    film = log.scenes.pipeline("电影", stages, scenes=scenes("a", "b"))
    film.on_scene(lambda _, told: given_up.set() if told.state == "failed" else None)
    assert film.run(mode="streaming").is_complete


def test_a_later_stage_begins_its_scenes_in_order_and_its_time_with_them(log: ResumeLog) -> None:
    """Also where some were done in the stage before already."""
    painted, began = list[str](), log.clock.monotonic()
    with opened(log, "abcd") as first:
        first.run(lambda _: "made", scenes=["a", "b"])

    def write(_: Scene) -> str:
        assert not threading.Event().wait(0.2)
        return "made"

    stages = [Stage("分镜", write), Stage("图像", lambda scene: painted.append(scene.key))]
    stages_told = log.scenes.pipeline("电影", stages, scenes=scenes(*"abcd")).run().stages
    assert painted == [*"abcd"]
    assert stages_told["分镜"].elapsed_s >= 0.4
    assert stages_told["图像"].elapsed_s <= log.clock.monotonic() - began - 0.4


def test_what_is_regenerated_in_a_stage_that_has_completed_is_told_as_remaining(
    log: ResumeLog,
) -> None:
    def paint(scene: Scene) -> str:
        if scene.key == "b":
            log.scenes.regenerate("电影", "分镜", ["a"])
        return "painted"

    stages = [Stage("分镜", lambda _: "made"), Stage("图像", paint)]
    film = log.scenes.pipeline("电影", stages, scenes=scenes("a", "b"))
    told = film.run().stages
    assert (told["分镜"].remaining, told["图像"].remaining) == (1, 1)
    assert told["图像"].cause == "1 scene waits for 分镜"


# Ended in no ordinary way


def test_a_function_that_lets_a_cancelled_error_out_fails_its_scene_and_no_other(
    log: ResumeLog,
) -> None:
    def function(scene: Scene) -> str:
        if scene.key == "a":
            raise asyncio.CancelledError
        return "made"

    with opened(log, "abc") as batch:
        report = batch.run(function)
    assert ([each.key for each in report.failed], report.done) == (["a"], 2)
    (failed,) = [event for event in events_of(log, "电影/分镜") if isinstance(event, SceneFailed)]
    assert failed.error.startswith("CancelledError")


def test_a_coroutine_that_is_cancelled_by_itself_fails_its_scene(log: ResumeLog) -> None:
    async def function(scene: Scene) -> str:
        if scene.key == "a":
            task = asyncio.current_task()
            assert task
            task.cancel()
            await asyncio.sleep(0)
        return "made"

    with opened(log, "ab") as batch:
        report = batch.run(function)
        assert batch.progress_facts().running == 0
    assert ([each.error for each in report.failed], report.done) == (["CancelledError"], 1)


def test_an_attempt_that_was_let_go_gets_no_file_that_would_be_the_next_ones(
    store: Store, tmp_path: Path
) -> None:
    batch, told, go_on = opened(store.open(), "a"), list[BaseException](), threading.Event()
    place = tmp_path / "a.txt"

    def paint(scene: Scene) -> str:
        if scene.attempt == 1:
            assert go_on.wait(20)
            try:
                batch.artifact(scene, place)
            except AttemptOver as error:
                told.append(error)
            return "late"
        partial = batch.artifact(scene, place)
        go_on.set()
        deadline = time.monotonic() + 20
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        partial.write_text("whole")
        return "made"

    once_more = Retry(attempts=2, backoff_s=0, jitter_s=0)
    assert batch.run(paint, retry=once_more, timeout_s=1).is_complete
    assert (place.read_text(), len(told)) == ("whole", 1)
    assert [path.name for path in tmp_path.glob("*partial*")] == []


def test_what_a_pool_gave_back_was_not_cut_off_by_a_later_kill(store: Store) -> None:
    log, other = store.open(), store.open()
    batch, pool = opened(log, "abcd"), ThreadPoolExecutor(1)

    def function(_: Scene) -> str:
        pool.shutdown(wait=False, cancel_futures=True)
        return "made"

    assert batch.run(function, workers=4, executor=pool).done == 1
    at = other.clock.now()
    state = SceneBatch.named("电影", "分镜")
    take_over(other, state, lambda state, by: state.begin(batch.plan, by, at))
    (cut_off,) = [
        event for event in events_of(other, "电影/分镜") if isinstance(event, Interrupted)
    ]
    assert cut_off.in_flight == ()


class Unheard(Future[Any]):
    """An attempt that Ctrl+C meets before anybody is told of its end."""

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        del fn
        raise KeyboardInterrupt


class InterruptedExecutor(Executor):
    """Makes a scene in a thread, whose future is one of these."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = Unheard()
        threading.Timer(0.05, lambda: future.set_result(fn(*args, **kwargs))).start()
        return future


def test_ctrl_c_before_an_attempt_has_its_bell_waits_for_its_end_and_no_longer(
    log: ResumeLog,
) -> None:
    batch = opened(log, "ab")
    with pytest.raises(KeyboardInterrupt):
        batch.run(lambda _: "made", executor=InterruptedExecutor())
    assert batch.counts().done == 1


def test_a_failure_that_ctrl_c_meets_right_after_it_is_recorded_is_recorded_once(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, recorded = opened(log, "ab"), Settling.recorded

    def interrupted(self: Settling) -> object:
        settled = recorded(self)
        monkeypatch.undo()
        raise KeyboardInterrupt(settled)

    def function(_: Scene) -> str:
        raise ValueError("空")

    monkeypatch.setattr(Settling, "recorded", interrupted)
    with pytest.raises(KeyboardInterrupt):
        batch.run(function)
    failed = [event for event in events_of(log, "电影/分镜") if isinstance(event, SceneFailed)]
    assert [(event.scene, event.attempt) for event in failed] == [("a", 1)]
