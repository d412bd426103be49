"""A pipeline on asyncio: coroutines are tasks of the caller's loop, and the loop goes on."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from support.children import child, finished
from support.logs import events_of, scenes

import resumelog
from resumelog import BadArgument, Pipeline, ResumeLog, Scene, Stage, StopFlag
from resumelog.domain.scene_events import Interrupted

FOUR = scenes(1, 2, 3, 4)


@pytest.fixture(params=["stages", "streaming"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


def flow(log: ResumeLog, *functions: Any, **options: Any) -> Pipeline:
    names = ("script", "image", "video")
    stages = [Stage(name, each, **options) for name, each in zip(names, functions, strict=False)]
    return log.scenes.pipeline("归途", stages, scenes=FOUR)


async def write(scene: Scene) -> str:
    await asyncio.sleep(0)
    return f"剧本 {scene.key}"


def draw(scene: Scene) -> str:
    return f"{scene.before} 画面"


def last_cause(log: ResumeLog, stage: str) -> tuple[str, tuple[str, ...]]:
    last = events_of(log, f"归途/{stage}")[-1]
    assert isinstance(last, Interrupted)
    return last.cause, last.in_flight


def test_coroutines_are_tasks_of_the_loop_and_functions_run_beside_it(
    log: ResumeLog, mode: Any
) -> None:
    where = dict[str, set[int]]()

    async def writes(scene: Scene) -> str:
        where.setdefault("script", set()).add(threading.get_ident())
        return await write(scene)

    def draws(scene: Scene) -> str:
        where.setdefault("image", set()).add(threading.get_ident())
        return draw(scene)

    films = flow(log, writes, draws, write, workers=2)
    assert asyncio.run(films.run_async(mode=mode)).is_complete
    assert where["script"] == {threading.get_ident()}
    assert threading.get_ident() not in where["image"]
    assert [result for _, result in films.results("image")] == [
        f"剧本 {key} 画面" for key in "1234"
    ]


def test_scenes_are_in_flight_at_once_and_the_loop_goes_on(log: ResumeLog) -> None:
    async def work() -> bool:
        together = asyncio.Barrier(5)

        async def meets(_: Scene) -> None:
            await together.wait()

        run = asyncio.create_task(flow(log, meets, workers=4).run_async())
        await together.wait()
        return (await run).is_complete

    assert asyncio.run(work())


def test_outside_of_a_loop_coroutines_have_one_of_their_own(log: ResumeLog, mode: Any) -> None:
    assert flow(log, write, draw, workers=2).run(mode=mode).is_complete


def test_a_run_that_would_block_its_own_loop_is_refused_with_what_to_write_instead(
    log: ResumeLog,
) -> None:
    async def work() -> None:
        with pytest.raises(BadArgument, match=r"await pipeline\.run_async"):
            flow(log, draw, write).run()
        assert log.queries.jobs() == []
        assert flow(log, lambda scene: scene.key).run().is_complete  # a notebook's cell may

    asyncio.run(work())


@pytest.mark.parametrize("options", [{"mode": "parallel"}, {"stop": "午饭"}], ids=str)
def test_what_can_not_be_meant_is_refused(log: ResumeLog, options: Any) -> None:
    with pytest.raises(BadArgument):
        asyncio.run(flow(log, write).run_async(**options))
    assert log.queries.jobs() == []


def test_a_flag_ends_all_stages_after_the_scenes_in_flight(log: ResumeLog, mode: Any) -> None:
    stop = StopFlag()

    async def writes(scene: Scene) -> str:
        if scene.key == "2":
            stop.set("够了")
        return await write(scene)

    report = asyncio.run(flow(log, writes, draw).run_async(mode=mode, stop=stop))
    assert {one.cause for one in report.stages.values()} == {"够了"}
    assert report.stages["script"].done == 2


def test_a_cancellation_cancels_the_scenes_in_flight_and_every_stage_says_why(
    log: ResumeLog, mode: Any
) -> None:
    cleaned_up = list[str]()

    async def work() -> None:
        waits = asyncio.Event()

        async def writes(scene: Scene) -> str:
            if scene.key == "3":
                waits.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    cleaned_up.append(scene.key)
            return await write(scene)

        run = asyncio.create_task(flow(log, writes, draw).run_async(mode=mode))
        await waits.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert cleaned_up == ["3"]

    asyncio.run(work())
    assert last_cause(log, "script") == ("CancelledError", ("3",))
    assert last_cause(log, "image") == ("CancelledError", ())
    films = flow(log, write, draw)
    assert asyncio.run(films.run_async(mode=mode)).is_complete


ENDED = """
import asyncio, os, signal, resumelog
from resumelog import Stage
async def write(scene):
    if scene.key == "3":
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    return scene.key
with resumelog.open("jobs.db") as log:
    stages = [Stage("script", write), Stage("image", write)]
    scenes = [{"id": key} for key in "1234"]
    asyncio.run(log.scenes.pipeline("归途", stages, scenes=scenes).run_async())
"""


def test_a_signal_ends_the_loop_and_every_stage_names_it(tmp_path: Path) -> None:
    (tmp_path / "ended.py").write_text(ENDED)
    with child(cwd=tmp_path, module="ended") as process:
        assert finished(process) == (128 + signal.SIGTERM, "", "")
    with resumelog.open(tmp_path / "jobs.db") as log:
        causes = [last_cause(log, stage) for stage in ("script", "image")]
    assert [in_flight for _, in_flight in causes] == [("3",), ()]
    assert all("SIGTERM" in cause for cause, _ in causes)
