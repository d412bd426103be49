"""Runs over scenes in child processes that are killed: each execution is noted in a diary beside the log."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from pydantic import JsonValue
from support.logs import scenes
from support.scene_functions import luck, note, script

import resumelog
from resumelog import Retry, Scene

TWICE = Retry(attempts=2, backoff_s=0, jitter_s=0)
CURSED, UNLUCKY = 12, 40
"""Of 256 scenes so many fail for ever, and of 256 attempts so many fail."""


def is_cursed(key: str) -> bool:
    return luck(key, 0) < CURSED


def made_by_luck(scene: Scene) -> JsonValue:
    """Note that a scene is made, take up to a millisecond or two for it, and fail at times."""
    _note(scene)
    time.sleep(luck(scene.key, 1000) / 200_000)
    return _made(scene)


async def made_by_luck_later(scene: Scene) -> JsonValue:
    _note(scene)
    await asyncio.sleep(luck(scene.key, 1000) / 200_000)
    return _made(scene)


def _note(scene: Scene) -> None:
    assert isinstance(scene.content, dict)
    note(f"{scene.content['diary']}.diary", f"{scene.key} {scene.attempt}\n")


def _made(scene: Scene) -> JsonValue:
    if is_cursed(scene.key) or luck(scene.key, scene.attempt) < UNLUCKY:
        raise RuntimeError(f"渲染失败 {scene.attempt}")
    return [script(scene), "长" * luck(scene.key, 2000) * 8]


WAYS: dict[str, tuple[Any, int, Any]] = {
    "sequential": (made_by_luck, 1, None),
    "threads": (made_by_luck, 4, None),
    "processes": (made_by_luck, 4, ProcessPoolExecutor),
    "asyncio": (made_by_luck_later, 4, None),
}


def make_scenes_by(way: str, project: str, count: str) -> None:
    """Make what is left of a batch."""
    function, workers, executor = WAYS[way]
    plan = scenes(*range(int(count)), diary=project)
    with (
        resumelog.open("jobs.db") as log,
        log.scenes.open(project, "分镜", scenes=plan) as batch,
    ):
        batch.run(function, workers=workers, executor=executor, retry=TWICE)


def make_twelve() -> None:
    """Make twelve scenes of which the third fails; wait for the end in the tenth."""

    def function(scene: Scene) -> JsonValue:
        note("twelve.diary", f"{scene.key}\n")
        if scene.key == "3":
            raise RuntimeError("渲染失败")
        if scene.key == "10":
            note("at-ten", "")
            time.sleep(60)
        return script(scene)

    with resumelog.open("jobs.db") as log:
        log.scenes.open("十二", "分镜", scenes=scenes(*range(1, 13))).run(function)


SCENE_TASKS = {task.__name__: task for task in (make_scenes_by, make_twelve)}
