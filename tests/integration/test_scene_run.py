"""A run over scenes: wherever they are made, each is made once and recorded the moment it ends."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from pydantic import JsonValue
from support import scene_functions as functions
from support.logs import Store, events_of, names_of, scenes, take_over

from resumelog import Batch, LeaseLost, ResumeLog, Retry, Scene, StopFlag
from resumelog.application.errors import BadArgument
from resumelog.application.scene_updates import SceneUpdate
from resumelog.domain.errors import NotRunning, UnknownScene
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import SceneCompleted, SceneFailed
from resumelog.domain.values import PAYLOAD_BYTES_MAX

NAME = "电影/分镜"
KEYS = [str(n) for n in range(1, 7)]
NOW = Retry(attempts=3, backoff_s=0, jitter_s=0)


def opened(log: ResumeLog, *keys: object, **options: Any) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(*(keys or KEYS)), **options)


def results(batch: Batch) -> dict[str, JsonValue]:
    return {scene.key: result for scene, result in batch.results()}


def made(*keys: str) -> dict[str, JsonValue]:
    return {key: {"script": f"《{key}》🎬", "shots": [KEYS.index(key), None]} for key in keys}


def errors(log: ResumeLog) -> list[tuple[str, int, str]]:
    found = [event for event in events_of(log, NAME) if isinstance(event, SceneFailed)]
    return [(event.scene, event.attempt, event.error) for event in found]


def completed(log: ResumeLog) -> list[tuple[str, int]]:
    found = [event for event in events_of(log, NAME) if isinstance(event, SceneCompleted)]
    return [(event.scene, event.attempt) for event in found]


# Where scenes are made

WAYS: dict[str, tuple[Callable[[Scene], Any], int, Any]] = {
    "one thread": (functions.script, 1, None),
    "threads": (functions.script, 4, None),
    "pool of threads": (functions.script, 4, ThreadPoolExecutor),
    "processes": (functions.script, 2, ProcessPoolExecutor),
    "coroutines": (functions.script_later, 4, None),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_scenes_are_made_and_the_batch_is_completed(store: Store, way: str) -> None:
    log = store.open()
    function, workers, executor = WAYS[way]
    batch = opened(log)
    report = batch.run(function, workers=workers, executor=executor)
    assert report.is_complete
    assert (report.done, report.failed, report.remaining, report.held) == (6, (), 0, 0)
    assert (report.status, report.cause, {*report.durations}) == ("completed", "", {*KEYS})
    assert results(batch) == made(*KEYS)
    assert sorted(completed(log)) == [(key, 1) for key in KEYS]


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_of_the_callers_stays_open(log: ResumeLog, kind: Any) -> None:
    with kind(2) as executor:
        assert opened(log).run(functions.script, workers=2, executor=executor).is_complete
        assert executor.submit(int, "7").result() == 7


def test_many_are_made_at_once_and_never_more_than_there_are_workers(log: ResumeLog) -> None:
    at_work, most, lock = [0], [0], threading.Lock()

    def function(_: Scene) -> None:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        time.sleep(0.01)
        with lock:
            at_work[0] -= 1

    assert opened(log, *range(30)).run(function, workers=4).is_complete
    assert most == [4]


def test_all_that_is_ready_goes_in_one_transaction(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, sizes = log.log.recorder, list[int]()
    insert, ready = recorder.insert_events, threading.Barrier(4)

    def counting(events: list[StoredEvent], **options: Any) -> Any:
        sizes.append(len(events))
        time.sleep(0.05)  # the next four are ready by then
        return insert(events, **options)

    batch = opened(log, *range(8))
    monkeypatch.setattr(recorder, "insert_events", counting)
    assert batch.run(lambda _: ready.wait(), workers=4).is_complete
    assert sum(sizes) == 9
    assert len(sizes) <= 5, sizes


def test_two_batches_of_one_log_run_at_once(log: ResumeLog) -> None:
    both = threading.Barrier(2)

    def run(stage: str) -> bool:
        with log.scenes.open("电影", stage, scenes=scenes(*KEYS)) as batch:
            both.wait()
            return batch.run(functions.script, workers=2).is_complete

    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(run, ["分镜", "配音"])] == [True, True]
    assert {log.queries.find(f"电影/{stage}").status for stage in ("分镜", "配音")} == {"completed"}


# What is left


def failing(*keys: str) -> Callable[[Scene], JsonValue]:
    def function(scene: Scene) -> JsonValue:
        if scene.key in keys:
            raise RuntimeError(f"渲染失败 {scene.key}")
        return functions.script(scene)

    return function


def test_a_failure_leaves_the_others_going_and_is_told_with_its_error(log: ResumeLog) -> None:
    with opened(log) as batch:
        report = batch.run(failing("3", "5"))
    assert [(each.key, each.index, each.attempts) for each in report.failed] == [
        ("3", 2, 1),
        ("5", 4, 1),
    ]
    assert report.failed[0].error == "RuntimeError: 渲染失败 3"
    assert (report.done, report.remaining, report.skipped, report.status) == (4, 2, 0, "running")
    assert str(report) == "4 of 6 scenes done (4 now), 2 failed, 2 remaining"


def test_only_what_failed_is_made_again(log: ResumeLog) -> None:
    batch = opened(log)
    report = batch.run(failing("3", "5"))
    again = batch.retry(functions.script, scenes=report.failed[:1])
    assert (again.done, again.remaining, [*again.durations]) == (5, 1, ["3"])
    assert batch.retry(functions.script).is_complete
    assert completed(log)[-2:] == [("3", 2), ("5", 2)]
    assert results(batch) == made(*KEYS)


def test_a_retry_of_what_did_not_fail_does_nothing(log: ResumeLog) -> None:
    with opened(log) as batch:
        assert batch.retry(functions.script, scenes=["1"]).durations == {}
        assert completed(log) == []


def test_a_run_may_be_narrowed_and_the_next_one_makes_the_rest(log: ResumeLog) -> None:
    batch = opened(log)
    assert {*batch.run(functions.script, scenes=["5", "2"]).durations} == {"2", "5"}
    assert {*batch.run(functions.script).durations} == {"1", "3", "4", "6"}
    assert batch.report().skipped == 0
    with pytest.raises(UnknownScene):
        batch.run(functions.script, scenes=["7"])


def test_a_text_is_no_list_of_scenes(log: ResumeLog) -> None:
    with opened(log, *"ab") as batch:
        made = batch.scene("a")
        assert batch.run(lambda _: 1).is_complete
        for one in ("ab", made):
            with pytest.raises(BadArgument, match=r"give a list: \['a"):
                batch.retry(lambda _: 2, scenes=one)  # type: ignore[arg-type]  # as users would
            with pytest.raises(BadArgument, match="give a list"):
                log.scenes.regenerate("电影", "分镜", one)  # type: ignore[arg-type]  # as users would
    assert len(completed(log)) == 2


def test_a_stage_that_was_never_opened_is_told_where_scenes_wait_for_it(log: ResumeLog) -> None:
    batch = log.scenes.open("电影", "图像", scenes=scenes(*"ab"), after="分境")
    assert batch.run(lambda _: 1).cause == "2 scenes wait for 分境, a stage that was never opened"


def test_a_completed_batch_runs_nothing(log: ResumeLog) -> None:
    opened(log).run(functions.script)
    report = opened(log).run(failing(*KEYS))
    assert (report.is_complete, report.skipped, report.durations) == (True, 6, {})


def test_scenes_that_are_made_again_on_purpose_are_made_again_alone(log: ResumeLog) -> None:
    with opened(log) as batch:
        batch.run(functions.script, scenes=KEYS[:5])
        batch.regenerate(["2"], "太暗")
        assert {*batch.run(functions.script).durations} == {"2", "6"}
    assert ("2", 2) in completed(log)


def test_a_batch_that_was_left_runs_no_more(log: ResumeLog) -> None:
    batch = opened(log)
    batch.leave("it was enough")
    with pytest.raises(NotRunning):
        batch.run(functions.script)


# Results that can't be kept


@pytest.mark.parametrize(
    ("result", "told"),
    [({1, 2}, "NotJson"), (float("nan"), "NotJson"), ("x" * PAYLOAD_BYTES_MAX, "TooLarge")],
    ids=["set", "nan", "65 MiB"],
)
def test_a_result_that_cannot_be_kept_is_that_scenes_failure(
    log: ResumeLog, result: Any, told: str
) -> None:
    with opened(log) as batch:
        report = batch.run(lambda scene: result if scene.key == "2" else 1, retry=NOW)
    assert [each.key for each in report.failed] == ["2"]
    ((scene, attempt, error),) = errors(log)
    assert (scene, attempt) == ("2", 1), "to make it again would not help"
    assert error.startswith(told)
    assert "the result of scene 2" in error


def test_a_result_that_cannot_be_sent_back_is_that_scenes_failure(log: ResumeLog) -> None:
    with opened(log) as batch:
        report = batch.run(functions.unpicklable, workers=2, executor=ProcessPoolExecutor)
    assert [each.key for each in report.failed] == ["2"]
    assert "pickle" in report.failed[0].error


@pytest.mark.parametrize("options", [{}, {"workers": 2}], ids=str)
def test_a_function_that_cannot_be_sent_is_refused_and_the_batch_can_still_be_run(
    log: ResumeLog, options: Any
) -> None:
    batch = opened(log)
    with pytest.raises(BadArgument, match="top level of a module"):
        batch.run(lambda _: 1, executor=ProcessPoolExecutor, **options)
    assert batch.run(lambda _: 1).is_complete


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 0},
        {"worker": 4},
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"timeout_s": "60"},
        {"stop_after_failures": 0},
        {"retry": 3},
        {"check": "is_script"},
        {"stop": True},
        {"executor": 4},
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused_before_anything_is_made(
    log: ResumeLog, options: Any
) -> None:
    with opened(log) as batch:
        with pytest.raises(BadArgument):
            batch.run(functions.script, **options)
        assert batch.counts().done == 0


# How a run ends early


def test_so_many_failures_end_the_run(log: ResumeLog) -> None:
    with opened(log, *range(20)) as batch:
        report = batch.run(failing(*map(str, range(20))), stop_after_failures=3)
        assert (len(report.failed), report.cause) == (3, "stopped after 3 failures")
        assert report.remaining == 20


@pytest.mark.parametrize("workers", [1, 3])
def test_scenes_that_wait_for_their_next_try_count_among_the_failures_that_end_the_run(
    log: ResumeLog, workers: int
) -> None:
    begun, keys = set[str](), [*map(str, range(20))]
    with opened(log, *keys) as batch:
        batch.on_scene(lambda update: begun.add(update.scene.key))
        report = batch.run(failing(*keys), workers=workers, retry=NOW, stop_after_failures=3)
    assert len(begun) <= 3 - 1 + workers
    assert sum(each.attempts == 3 for each in report.failed) >= 3
    assert report.cause.startswith("stopped after")


@pytest.mark.parametrize("workers", [1, 3])
def test_others_go_on_once_the_next_try_of_a_scene_has_succeeded(
    log: ResumeLog, workers: int
) -> None:
    def function(scene: Scene) -> JsonValue:
        if scene.attempt == 1:
            raise RuntimeError("渲染失败")
        return functions.script(scene)

    batch = opened(log)
    report = batch.run(function, workers=workers, retry=NOW, stop_after_failures=2)
    assert report.is_complete, report


def test_a_flag_ends_the_run_after_the_scenes_in_flight(log: ResumeLog) -> None:
    stop, batch = StopFlag(), opened(log)

    def function(scene: Scene) -> None:
        if scene.key == "2":
            stop.set("午饭 🍜")

    report = batch.run(function, stop=stop)
    assert (report.done, report.cause, report.status) == (2, "午饭 🍜", "running")
    assert batch.run(function).is_complete


@pytest.mark.parametrize("ask", ["pause", "stop"])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_pause_or_a_stop_ends_the_run_after_the_scenes_in_flight(
    log: ResumeLog, other: ResumeLog, ask: str, workers: int
) -> None:
    batch = opened(log, *range(40))

    def function(scene: Scene) -> None:
        if scene.key == "4":
            getattr(other.scenes, ask)("电影", "分镜", actor="小王")
        time.sleep(0.02)

    report = batch.run(function, workers=workers)
    status = {"pause": "paused", "stop": "stopped"}[ask]
    assert (report.cause, report.status) == (f"the batch was {status} by 小王", status)
    assert 5 <= report.done < 20
    assert len(completed(log)) == report.done
    assert batch.is_over
    assert opened(other, *range(40)).run(functions.script).is_complete


def test_a_worker_that_was_taken_over_ends_at_once_and_records_nothing(
    log: ResumeLog, other: ResumeLog
) -> None:
    batch = opened(log, *range(40))

    def function(scene: Scene) -> None:
        if scene.key == "2":
            state = SceneBatch.named("电影", "分镜")
            take_over(other, state, lambda state, by: state.begin(batch.plan, by, log.clock.now()))

    with pytest.raises(LeaseLost):
        batch.run(function)
    assert completed(log) == [("0", 1), ("1", 1)]
    assert batch.is_over


def test_a_log_that_is_closed_leaves_its_batches(store: Store) -> None:
    log = store.open()
    batch = opened(log)
    batch.run(functions.script, scenes=["1"])
    log.close()
    after = store.open()
    assert names_of(after, NAME)[-1] == "Interrupted"
    assert opened(after).run(functions.script).is_complete


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (functions.leaves, {}),
        (functions.leaves, {"workers": 3}),
        (functions.leaves, {"workers": 2, "executor": ProcessPoolExecutor}),
        (functions.leaves_later, {}),
    ],
    ids=["one thread", "threads", "processes", "coroutines"],
)
def test_a_scene_that_exits_has_failed_and_the_rest_goes_on(
    log: ResumeLog, function: Any, options: Any
) -> None:
    with opened(log) as batch:
        report = batch.run(function, **options)
    (failed,) = report.failed
    assert (failed.key, failed.error) == ("2", "SystemExit: 我走了")
    assert report.remaining == 1


class PowerCut(BaseException): ...


def test_what_had_ended_when_something_worse_ends_the_run_is_recorded(log: ResumeLog) -> None:
    together = threading.Barrier(2)

    def function(scene: Scene) -> str:
        together.wait()
        if scene.key == "1":
            raise PowerCut
        return "made"

    batch = opened(log)
    batch.on_scene(lambda update: time.sleep(0.05) if update.scene.key == "2" else None)
    with pytest.raises(PowerCut):
        batch.run(function, workers=2)
    assert completed(log) == [("2", 1)]


# Broken pools


def test_a_worker_that_dies_costs_attempts_and_no_scene(log: ResumeLog) -> None:
    batch = opened(log, *range(12))
    report = batch.run(
        functions.kills_its_worker_once, workers=4, executor=ProcessPoolExecutor, retry=NOW
    )
    assert report.is_complete, report
    assert sorted({scene for scene, _ in completed(log)}, key=int) == [*map(str, range(12))]
    assert ("3", 2) in completed(log)
    assert 1 <= len(errors(log)) <= 4
    assert all("BrokenProcessPool" in error for _, _, error in errors(log))


def test_a_worker_that_dies_in_a_pool_of_the_callers_ends_the_run_and_says_so(
    log: ResumeLog,
) -> None:
    batch = opened(log)
    with ProcessPoolExecutor(1) as pool:
        report = batch.run(functions.kills_its_worker, executor=pool)
    assert report.cause.startswith("the executor takes no more: BrokenProcessPool")
    assert (report.done, [each.key for each in report.failed]) == (2, ["3"])
    assert report.remaining == 4
    assert batch.run(functions.script).is_complete


def test_executors_that_take_nothing_end_the_run(log: ResumeLog) -> None:
    def closed(workers: int) -> Executor:
        pool = ThreadPoolExecutor(workers)
        pool.shutdown()
        return pool

    with opened(log) as batch:
        report = batch.run(functions.script, executor=closed)
        assert (report.done, report.failed, report.remaining) == (0, (), 6)
        assert report.cause.startswith("the executor takes no more: RuntimeError")


def test_scenes_that_the_pool_cancels_stay_to_be_done(log: ResumeLog) -> None:
    pool = ThreadPoolExecutor(1)

    def function(_: Scene) -> None:
        pool.shutdown(wait=False, cancel_futures=True)

    batch = opened(log)
    report = batch.run(function, workers=4, executor=pool)
    assert (report.done, report.failed, report.remaining) == (1, (), 5)
    batch.finish()
    with opened(log) as batch:
        assert [batch.scene(key).attempt for key in ("1", "2")] == [2, 1]


def test_a_coroutine_that_was_cancelled_by_somebody_else_is_a_failure(log: ResumeLog) -> None:
    with opened(log) as batch:
        report = batch.run(functions.is_cancelled, workers=2)
    assert [(each.key, each.error) for each in report.failed] == [("2", "CancelledError")]
    assert report.done == 5


def test_workers_of_a_pool_leave_an_interrupt_to_the_coordinator(log: ResumeLog) -> None:
    batch = opened(log)
    batch.run(functions.interrupted_handler, workers=2, executor=ProcessPoolExecutor)
    assert [result for _, result in batch.results()] == [[key, True] for key in KEYS]


# What is told


def test_each_step_of_each_scene_is_told_in_the_thread_of_the_run(log: ResumeLog) -> None:
    told, here = list[SceneUpdate](), set[int]()
    batch = opened(log, 1, 2)

    def listen(update: SceneUpdate) -> None:
        told.append(update)
        here.add(threading.get_ident())

    batch.on_scene(listen)
    batch.run(lambda scene: 1 // (2 - scene.index - scene.attempt), retry=NOW)
    states = [(each.scene.key, str(each.state)) for each in told]
    assert [state for key, state in states if key == "1"] == ["begun", "done"]
    assert [state for key, state in states if key == "2"] == ["begun", "retrying", "begun", "done"]
    assert told[-1].counts.done == 2
    assert {each.error for each in told if each.state == "retrying"} == {
        "ZeroDivisionError: integer division or modulo by zero"
    }
    assert here == {threading.get_ident()}


def test_a_listener_that_fails_or_has_ended_spoils_nothing(log: ResumeLog) -> None:
    batch, told = opened(log), list[SceneUpdate]()
    batch.on_scene(lambda _: 1 // 0)
    end = batch.on_scene(told.append)
    end()
    assert batch.run(functions.script).is_complete
    assert told == []


def test_a_result_is_let_go_once_it_is_recorded(log: ResumeLog) -> None:
    class Result(dict[str, int]):
        pass

    alive: list[weakref.ref[Result]] = []

    def function(_: Scene) -> Any:
        gc.collect()
        assert sum(ref() is not None for ref in alive) <= 2
        result = Result(a=1)
        alive.append(weakref.ref(result))
        return result

    assert opened(log, *range(10)).run(function).failed == ()
