"""Batches on asyncio: what `with` does, `async with` does, and scenes are tasks of the caller's loop."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from support.async_batches import EIGHT, NAME, last_interruption, opened, opening
from support.logs import names_of, scenes

from resumelog import (
    AlreadyRunning,
    BadArgument,
    BatchFacts,
    Report,
    ResumeLog,
    Retry,
    Scene,
    StopFlag,
    UnknownScene,
)
from resumelog.domain.errors import NotRunning
from resumelog.domain.scene_batch import SceneBatch
from resumelog.infrastructure.storage.leases import noted_units

WHO: ContextVar[str] = ContextVar("who", default="nobody")
FOREVER_S = 600


async def make(scene: Scene) -> Any:
    await asyncio.sleep(0)
    return {"剧本": scene.key}


def run(log: ResumeLog, function: Any = make, **options: Any) -> Report:
    async def work() -> Report:
        async with opening(log) as batch:
            return await batch.run(function, **options)

    return asyncio.run(work())


# A loop of one's own


def test_a_loop_completes_and_fails_scenes_and_the_next_one_makes_what_remains(
    log: ResumeLog,
) -> None:
    async def work(fails: tuple[str, ...]) -> list[str]:
        made = []
        async with opening(log) as batch:
            async for scene in batch.remaining():
                if scene.key in fails:
                    await batch.fail(scene, ValueError("空"))
                    continue
                assert (await batch.complete(scene, {"剧本": scene.key})).on_disk
                made.append(scene.key)
            counts, report, point = (
                await batch.counts(),
                await batch.report(),
                await batch.resume_point(),
            )
            assert (counts.failed, [each.key for each in report.failed]) == (len(fails), [*fails])
            assert [fact.value for fact in point.next] == [*fails][: len(point.next)]
            assert [scene.key async for scene in batch.failed()] == [*fails]
        return made

    assert asyncio.run(work(("3", "5"))) == ["1", "2", "4", "6", "7", "8"]
    assert asyncio.run(work(())) == ["3", "5"]
    assert names_of(log, NAME)[-1] == "Completed"


def test_results_are_streamed_in_order_and_a_scene_is_made_again_on_purpose(
    log: ResumeLog,
) -> None:
    async def work() -> None:
        async with opening(log) as batch:
            await batch.run(make, workers=4)
        async with opening(log) as batch:
            assert [result["剧本"] async for _, result in batch.results()] == [*"12345678"]

    asyncio.run(work())


def test_tasks_that_each_make_one_note_it(log: ResumeLog) -> None:
    async def work() -> None:
        async with opening(log) as batch:
            gathered = [scene async for scene in batch.remaining(["1", "2"])]
            await asyncio.gather(*map(batch.begun, gathered))
            row = log.leases.table.read(SceneBatch.named(*NAME.split("/")).id)
            assert row is not None
            assert {unit.key for unit in noted_units(row)} == {"1", "2"}

    asyncio.run(work())


def test_a_scene_is_made_again_on_purpose(log: ResumeLog) -> None:
    async def work() -> None:
        async with opening(log) as batch:
            async for scene in batch.remaining(["1", "2"]):
                await batch.complete(scene)
            assert len(await batch.regenerate(["2"], "不好看")) == 1
            assert [scene.key async for scene in batch.remaining(["1", "2"])] == ["2"]

    asyncio.run(work())


def test_a_scenes_file_is_moved_into_place(log: ResumeLog, tmp_path: Path) -> None:
    async def work() -> None:
        async with opening(log, scenes("一"), artifact="{key}.txt") as batch:
            partial = await batch.artifact("一")
            partial.write_text("雪停了", encoding="utf-8")
            await batch.complete(await batch.scene("一"))

    asyncio.run(work())
    assert (tmp_path / "一.txt").read_text(encoding="utf-8") == "雪停了"


def test_an_unknown_scene_is_refused(log: ResumeLog) -> None:
    async def work() -> None:
        async with opening(log) as batch:
            with pytest.raises(UnknownScene):
                await batch.complete("9")
            with pytest.raises(UnknownScene):
                await batch.run(make, scenes=["9"])

    asyncio.run(work())


def test_after_it_was_left_nothing_is_saved(log: ResumeLog) -> None:
    async def work() -> None:
        async with opening(log) as batch:
            await batch.leave("午休")
            with pytest.raises(NotRunning):
                await batch.complete("1")

    asyncio.run(work())
    assert last_interruption(log).cause == "午休"


def test_of_two_tasks_one_opens_the_batch(log: ResumeLog) -> None:
    async def both() -> None:
        async with opening(log):
            with pytest.raises(AlreadyRunning):
                await opening(log).__aenter__()

    asyncio.run(both())


# Runs


def test_scenes_are_tasks_of_the_callers_loop_in_its_context_a_bounded_number_at_once(
    log: ResumeLog,
) -> None:
    seen: list[tuple[int, str]] = []
    at_once = most = 0

    async def watch(scene: Scene) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        seen.append((threading.get_ident(), WHO.get()))
        await asyncio.sleep(0.02)
        at_once -= 1
        return scene.key

    async def work() -> Report:
        WHO.set("小王")
        async with opening(log) as batch:
            return await batch.run(watch, workers=3)

    report = asyncio.run(work())
    assert (report.is_complete, report.status, most) == (True, "completed", 3)
    assert {*seen} == {(threading.get_ident(), "小王")}


def test_a_plain_function_runs_in_threads_while_the_loop_goes_on(log: ResumeLog) -> None:
    ticked = threading.Event()

    def wait(scene: Scene) -> str:
        assert ticked.wait(60)
        return scene.key

    async def work() -> Report:
        async with opening(log) as batch:
            making = asyncio.create_task(batch.run(wait, workers=2))
            await asyncio.sleep(0.05)
            assert (await batch.counts()).done == 0  # what else is asked does not wait for the run
            ticked.set()
            return await making

    assert asyncio.run(work()).done == len(EIGHT)


def test_failures_are_recorded_and_retried_alone(log: ResumeLog) -> None:
    tried: list[str] = []

    async def fails(scene: Scene) -> str:
        tried.append(scene.key)
        if scene.key in "35" and scene.attempt < 3:
            raise ValueError("空")
        return scene.key

    async def work() -> tuple[Report, Report]:
        async with opening(log) as batch:
            first = await batch.run(fails, workers=4)
            tried.clear()
            return first, await batch.retry(fails, retry=Retry(attempts=2, backoff_s=0, jitter_s=0))

    first, second = asyncio.run(work())
    assert ([each.key for each in first.failed], second.is_complete) == (["3", "5"], True)
    assert sorted(tried) == ["3", "3", "5", "5"]


def test_a_stop_flag_of_the_users_ends_a_run_and_is_not_set_by_a_cancellation(
    log: ResumeLog,
) -> None:
    flag = StopFlag()

    async def stops(scene: Scene) -> str:
        flag.set("够了")
        return scene.key

    assert run(log, stops, stop=flag).cause == "够了"

    async def cancelled() -> StopFlag:
        other = StopFlag()
        async with opening(log) as batch:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await batch.run(hang_on, stop=other)
        return other

    assert asyncio.run(cancelled()).cause == ""


async def hang_on(_: Scene) -> None:
    await asyncio.sleep(FOREVER_S)


# Ends


def test_a_cancellation_cancels_the_scenes_in_flight_and_records_what_had_ended(
    log: ResumeLog,
) -> None:
    cleaned: list[str] = []

    async def hang(scene: Scene) -> str:
        if scene.key == "1":
            return "一"
        try:
            await asyncio.sleep(FOREVER_S)
        except asyncio.CancelledError:
            if scene.key == "3":
                return "救回来了"
            raise
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(scene.key)
        raise AssertionError

    async def work() -> None:
        async with opening(log) as batch:
            await batch.run(hang, workers=3)

    async def cancel() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0.3)
        task.cancel("停")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(cleaned) == ["2", "3", "4"]

    asyncio.run(cancel())
    last = last_interruption(log)
    assert (last.cause, {*last.in_flight}) == ("CancelledError: 停", {"2", "4"})
    with opened(log) as batch:
        assert batch.left() == ["2", "4", "5", "6", "7", "8"]
        assert [result for _, result in batch.results()] == ["一", "救回来了"]


def test_an_exception_in_the_block_is_the_cause(log: ResumeLog) -> None:
    async def work() -> None:
        async with opening(log):
            raise ZeroDivisionError("零")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work())
    assert last_interruption(log).cause == "ZeroDivisionError: 零"


def test_a_coroutine_that_is_closed_in_a_run_blocks_nothing(log: ResumeLog) -> None:
    """A loop that was left in the middle never goes on with its tasks, nor with the scenes'."""
    loop = asyncio.new_event_loop()
    begun = asyncio.Event()

    async def hang(_: Scene) -> None:
        begun.set()
        await asyncio.sleep(FOREVER_S)

    async def work() -> None:
        async with opening(log) as batch:
            await batch.run(hang)

    coroutine = work()
    kept = loop.create_task(coroutine)  # its loop has only a weak reference
    loop.run_until_complete(begun.wait())
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is left on purpose
    assert not kept.done()
    coroutine.close()
    loop.close()
    last = last_interruption(log)
    assert (last.cause, last.in_flight) == ("GeneratorExit", ("1",))


def test_a_run_that_would_block_its_own_loop_is_refused_with_what_to_write_instead(
    log: ResumeLog,
) -> None:
    async def work() -> None:
        with opened(log) as batch:
            with pytest.raises(BadArgument, match="open_async"):
                batch.run(make)
            assert batch.run(lambda scene: scene.key).is_complete  # a notebook's cell may

    asyncio.run(work())


# Callbacks


def test_callbacks_are_called_in_the_loops_thread(log: ResumeLog) -> None:
    told: list[tuple[int, int]] = []
    states: list[str] = []

    def note(facts: BatchFacts) -> None:
        told.append((facts.done, threading.get_ident()))

    async def work() -> None:
        async with opening(log) as batch:
            batch.on_progress(note)
            batch.on_scene(lambda update: states.append(str(update.state)))
            await batch.run(make, workers=2)
            await asyncio.sleep(0)
            assert (batch.progress_facts().done, batch.title) == (8, batch.batch.title)

    asyncio.run(work())
    assert {thread for _, thread in told} == {threading.get_ident()}
    assert told[-1][0] == 8
    assert states.count("done") == 8


@pytest.mark.parametrize("options", [{"stop": "午饭"}, {"timeout_s": "60"}, {"worker": 4}], ids=str)
def test_options_that_cannot_be_meant_are_refused_before_anything_is_made(
    log: ResumeLog, options: dict[str, Any]
) -> None:
    with pytest.raises(BadArgument, match="|".join(options)):
        run(log, **options)
    assert last_interruption(log).cause.startswith("BadArgument")
