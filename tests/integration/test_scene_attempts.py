"""Attempts at scenes: retries with their waits, checks, and what takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import parse_headers
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from support import scene_functions as functions
from support.children import child, finished
from support.logs import events_of, scenes

from resumelog import Batch, ResumeLog, Retry, Scene
from resumelog.application import scene_executors
from resumelog.application.errors import BadArgument
from resumelog.application.retry import retry_after_s
from resumelog.application.scene_updates import SceneState, SceneUpdate
from resumelog.domain.scene_events import SceneFailed

AT_ONCE = Retry(attempts=3, backoff_s=0, jitter_s=0)


def opened(log: ResumeLog, count: int = 3) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(*range(1, count + 1)))


def errors(log: ResumeLog) -> list[tuple[str, int, str]]:
    found = [event for event in events_of(log, "电影/分镜") if isinstance(event, SceneFailed)]
    return [(event.scene, event.attempt, event.error) for event in found]


class Failing:
    """Fails at the second scene, so many times."""

    def __init__(self, times: int, error: Callable[[], Exception] = RuntimeError) -> None:
        self.left, self.error = times, error
        self.attempts: list[int] = []

    def __call__(self, scene: Scene) -> str:
        if scene.key != "2":
            return "made"
        self.attempts.append(scene.attempt)
        if self.left:
            self.left -= 1
            raise self.error()
        return "made"


# Retries


def test_a_scene_that_fails_is_tried_again_until_it_succeeds(log: ResumeLog) -> None:
    function = Failing(2)
    assert opened(log).run(function, retry=AT_ONCE).is_complete
    assert function.attempts == [1, 2, 3]
    assert [(scene, attempt) for scene, attempt, _ in errors(log)] == [("2", 1), ("2", 2)]


def test_the_budget_is_of_a_run_and_attempts_count_over_all_runs(log: ResumeLog) -> None:
    function = Failing(5)
    with opened(log) as batch:
        report = batch.run(function, retry=AT_ONCE)
        assert [each.attempts for each in report.failed] == [3]
    assert opened(log).run(function, retry=AT_ONCE).is_complete
    assert function.attempts == [1, 2, 3, 4, 5, 6]


def test_other_scenes_are_made_while_one_waits_for_its_next_try(log: ResumeLog) -> None:
    updates: list[SceneUpdate] = []
    batch = opened(log)
    batch.on_scene(updates.append)
    began = time.monotonic()
    retry = Retry(attempts=2, backoff_s=0.3, jitter_s=0)
    assert batch.run(Failing(1), retry=retry).is_complete
    assert time.monotonic() - began >= 0.3
    ends = [(each.scene.key, each.state) for each in updates if each.state != SceneState.BEGUN]
    assert ends == [
        ("1", SceneState.DONE),
        ("2", SceneState.RETRYING),
        ("3", SceneState.DONE),
        ("2", SceneState.DONE),
    ]
    (wait_s,) = (each.wait_s for each in updates if each.state is SceneState.RETRYING)
    assert wait_s == pytest.approx(0.3)


@pytest.mark.parametrize(
    "retry_on", [ConnectionError, (ConnectionError,), lambda error: isinstance(error, OSError)]
)
def test_only_errors_that_are_worth_it_are_tried_again(log: ResumeLog, retry_on: Any) -> None:
    retry = Retry(attempts=3, backoff_s=0, jitter_s=0, retry_on=retry_on)
    with opened(log) as batch:
        function = Failing(2, ValueError)
        batch.run(function, retry=retry)
        assert function.attempts == [1]
        function.error = ConnectionError
        assert batch.run(function, retry=retry).is_complete
        assert function.attempts == [1, 2, 3]


def test_waits_double_up_to_their_limit() -> None:
    retry = Retry(backoff_s=5, backoff_max_s=60, jitter_s=1)
    for failures, least_s in enumerate((5, 10, 20, 40), 1):
        assert least_s <= retry.wait_s(failures) <= least_s + 1
    assert retry.wait_s(5) == retry.wait_s(5000) == 60
    assert retry.wait_s(1, hint_s=90) == 90


@pytest.mark.parametrize("options", [{"attempts": 0}, {"backoff_s": -1}, {"retry_on": 429}])
def test_retries_that_cannot_be_meant_are_refused(options: Any) -> None:
    with pytest.raises(BadArgument):
        Retry(**options)


IN_A_DAY = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
AS_ASCTIME_HAS_IT = (datetime.now(UTC) + timedelta(days=1)).ctime()
HTTP_HEADERS = parse_headers(BytesIO(b"RETRY-AFTER: 7\r\n\r\n"))


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be where a date without a zone, read as local time, is another one."""
    monkeypatch.setenv("TZ", "XXX-14")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_from_greenwich")
@pytest.mark.parametrize(
    ("fields", "least_s", "most_s"),
    [
        ({"retry_after": 7}, 7, 7),
        ({"headers": {"Retry-After": "7"}}, 7, 7),
        ({"response": SimpleNamespace(headers={"Retry-After": "7"})}, 7, 7),
        ({"headers": {"retry-after": "7"}}, 7, 7),
        ({"headers": HTTP_HEADERS}, 7, 7),
        ({"headers": {"Retry-After": IN_A_DAY}}, 80_000, 86_400),  # as of the start of a long run
        ({"headers": {"Retry-After": AS_ASCTIME_HAS_IT}}, 80_000, 86_400),
    ],
    ids=["attribute", "header", "response", "lower case", "http.client", "date", "no zone"],
)
def test_an_error_may_say_how_long_to_wait(
    fields: dict[str, Any], least_s: float, most_s: float
) -> None:
    error = RuntimeError()
    vars(error).update(fields)
    hint_s = retry_after_s(error)
    assert hint_s is not None
    assert least_s <= hint_s <= most_s


@pytest.mark.parametrize(
    "given",
    ["soon", "-3", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT", "Nov 99999999999 1:0:0 8", None],
)
def test_a_hint_that_says_nothing_counts_for_none(given: str | None) -> None:
    error = RuntimeError()
    vars(error).update(retry_after=given)
    assert retry_after_s(error) is None


def test_a_run_waits_as_long_as_an_error_says(log: ResumeLog) -> None:
    def busy() -> Exception:
        error = ConnectionError("429")
        vars(error).update(headers={"Retry-After": "0.4"})
        return error

    began = time.monotonic()
    assert opened(log).run(Failing(1, busy), retry=AT_ONCE).is_complete
    assert time.monotonic() - began >= 0.4


def test_an_error_that_asks_for_too_long_a_wait_stalls_no_run(log: ResumeLog) -> None:
    def closed() -> Exception:
        error = ConnectionError("429")
        vars(error).update(headers={"Retry-After": "86400"})
        return error

    function = Failing(1, closed)
    with opened(log) as batch:
        (failed,) = batch.run(function, retry=AT_ONCE).failed
        assert failed.error == (
            "ConnectionError: 429 (it asks to wait 86400 s, and a run waits 3600 s at most; run it again then)"
        )
        assert function.attempts == [1]
        assert batch.run(function, retry=AT_ONCE).is_complete


def test_a_hint_that_fails_hides_no_error(log: ResumeLog) -> None:
    retry = Retry(hint=lambda _: 1 // 0)
    with opened(log) as batch:
        (failed,) = batch.run(Failing(1), retry=retry).failed
    assert failed.error.startswith("RuntimeError")
    assert "ZeroDivisionError" in failed.error


# Checks


def is_a_script(result: object) -> bool:
    return result == "剧本"


def tells(result: object, scene: Scene) -> str:
    return "" if result == "剧本" else f"太短 {scene.key}"


def raises(result: object) -> None:
    assert result == "剧本", "太短"


def has_an_option(result: object, wanted: str = "剧本") -> bool:
    return result == wanted


@pytest.mark.parametrize(
    ("check", "error"),
    [
        (is_a_script, "is_a_script refused the result"),
        (tells, "tells refused the result: 太短 2"),
        (raises, "raises refused the result: AssertionError: 太短"),
        (has_an_option, "has_an_option refused the result"),
        (bool, "bool refused the result"),
    ],
)
@pytest.mark.parametrize("executor", [None, ProcessPoolExecutor])
def test_a_result_that_the_check_refuses_is_a_failure_and_tried_again(
    log: ResumeLog, check: Any, error: str, executor: Any
) -> None:
    retry = Retry(attempts=2, backoff_s=0, jitter_s=0, retry_on=ConnectionError)
    with opened(log) as batch:
        report = batch.run(empty_second, check=check, retry=retry, executor=executor)
    assert (report.done, [each.key for each in report.failed]) == (2, ["2"])
    told = [text.split("\n")[0] for _, _, text in errors(log)]
    assert [text.startswith(error) for text in told] == [True, True], told


def empty_second(scene: Scene) -> str:
    return "" if scene.key == "2" else "剧本"


# Timeouts


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (functions.sleeps_long, {}),
        (functions.sleeps_long, {"workers": 2, "executor": ProcessPoolExecutor}),
        (functions.sleeps_long_later, {}),
    ],
    ids=["thread", "process", "coroutine"],
)
def test_what_takes_too_long_is_a_failure_and_the_rest_is_made(
    log: ResumeLog, function: Any, options: Any
) -> None:
    began = time.monotonic()
    with opened(log) as batch:
        report = batch.run(function, timeout_s=0.2, **options)
    assert [(each.key, each.error) for each in report.failed] == [
        ("2", "TimeoutError: it took longer than 0.2 s")
    ]
    assert report.done == 2
    assert time.monotonic() - began < 10


def test_a_thread_that_hangs_is_replaced_and_what_it_does_later_counts_for_nothing(
    log: ResumeLog,
) -> None:
    hangs, over, at_once = threading.Event(), threading.Event(), threading.Barrier(2)

    def function(scene: Scene) -> str:
        if scene.key == "1" and scene.attempt == 1:
            hangs.wait()
            over.set()
            return "too late"
        if scene.key in "23":
            at_once.wait(10)  # two are at work beside the one that hangs
        if scene.key == "6":
            hangs.set()
            over.wait()
        return "in time"

    batch = opened(log, 6)
    report = batch.run(function, workers=2, timeout_s=0.5, retry=AT_ONCE)
    assert report.is_complete, report
    assert {result for _, result in batch.results()} == {"in time"}


def test_a_pool_of_the_callers_in_which_all_hang_ends_the_run(log: ResumeLog) -> None:
    hangs = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with opened(log) as batch:
            report = batch.run(lambda _: hangs.wait(), timeout_s=0.1, executor=pool)
        hangs.set()
    assert report.cause == "all 1 workers hang in scenes that took too long"
    assert (len(report.failed), report.remaining) == (1, 3)


def test_what_waits_for_a_worker_takes_no_time(log: ResumeLog) -> None:
    with ThreadPoolExecutor(1) as pool:
        report = opened(log, 5).run(
            lambda _: time.sleep(0.25), workers=5, timeout_s=0.6, executor=pool
        )
    assert report.is_complete, report


def test_coroutines_that_block_their_loop_are_let_go_of(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_executors, "GRACE_S", 0.1)
    monkeypatch.setattr(scene_executors, "LEAVING_S", 0.1)
    hangs = threading.Event()

    async def function(_: Scene) -> None:
        hangs.wait()

    with opened(log) as batch:
        report = batch.run(function, timeout_s=0.1)
    hangs.set()
    assert "hang" in report.cause


HANGS = """
import threading, resumelog
with resumelog.open("jobs.db") as log, log.scenes.open("p", "s", scenes=["1", "2", "3"]) as batch:
    keys = [*batch.plan]
    def function(scene):
        if scene.key == keys[1]:
            threading.Event().wait()
        return scene.key
    print(batch.run(function, timeout_s=0.2).done)
"""


def test_a_process_with_a_scene_that_hangs_ends(tmp_path: Any) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    with child(cwd=tmp_path, module="hangs") as process:
        code, out, err = finished(process)
    assert (code, out.strip(), err) == (0, "2", "")
