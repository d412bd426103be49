"""What an attempt writes that nobody waits for any more is removed, whenever and however it ends."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.children import child, finished
from support.logs import events_of, scenes

import resumelog
from resumelog import Batch, ResumeLog, Scene, SceneUpdate
from resumelog.domain.scene_events import Interrupted


def opened(log: ResumeLog) -> Batch:
    return log.scenes.open("电影", "画面", scenes=scenes(1, 2, 3), artifact="images/{key}.png")


def draw(scene: Scene) -> None:
    assert scene.partial
    scene.partial.write_bytes(scene.key.encode())


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_what_a_thread_writes_after_its_time_is_removed_once_it_ends(
    log: ResumeLog, tmp_path: Path
) -> None:
    left, wrote = threading.Event(), threading.Event()

    def function(scene: Scene) -> None:
        if scene.key == "2":
            left.wait()
        draw(scene)
        wrote.set() if scene.key == "2" else None

    with ThreadPoolExecutor(2) as pool:
        with opened(log) as batch:
            report = batch.run(function, workers=2, timeout_s=0.1, executor=pool)
            assert batch.progress_facts().running == 0
        left.set()
    assert wrote.is_set()
    assert [scene.key for scene in report.failed] == ["2"]
    assert names_in(tmp_path / "images") == ["1.png", "3.png"]


class PowerCut(BaseException): ...


def end_at_the_second(update: SceneUpdate) -> None:
    if update.scene.key == "2":
        raise PowerCut


def test_what_a_thread_writes_after_its_batch_was_left_is_removed_once_it_ends(
    log: ResumeLog, tmp_path: Path
) -> None:
    left = threading.Event()

    def function(scene: Scene) -> None:
        left.wait()
        draw(scene)

    with ThreadPoolExecutor(2) as pool:
        batch = opened(log)
        batch.on_scene(end_at_the_second)
        with pytest.raises(PowerCut):
            batch.run(function, workers=2, executor=pool)
        assert batch.is_over
        left.set()
    assert names_in(tmp_path / "images") == []


def test_what_a_coroutine_writes_while_it_is_cancelled_is_removed(
    log: ResumeLog, tmp_path: Path
) -> None:
    wrote = list[str]()

    async def function(scene: Scene) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            time.sleep(0.2)  # the batch is left meanwhile
            draw(scene)
            wrote.append(scene.key)

    def end_once_both_wait(update: SceneUpdate) -> None:
        if update.scene.key == "2":
            time.sleep(0.1)
            raise PowerCut

    batch = opened(log)
    batch.on_scene(end_once_both_wait)
    with pytest.raises(PowerCut):
        batch.run(function, workers=2)
    assert wrote
    assert names_in(tmp_path / "images") == []


LATE = """
import os, signal, sys, threading, resumelog
late = threading.Event()
def function(scene):
    if scene.key == "1":
        is_failed.wait()
        scene.partial.write_text("too late")
        late.set()
        threading.Event().wait()
    late.wait()
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    scene.partial.write_text(scene.key)
is_failed = threading.Event()
with resumelog.open("jobs.db") as log:
    scenes = [{"id": "1"}, {"id": "2"}]
    batch = log.scenes.open("电影", "画面", scenes=scenes, artifact="images/{key}.png")
    with batch:
        batch.on_scene(lambda update: is_failed.set() if update.error else None)
        batch.run(function, timeout_s=0.2)
"""


@pytest.mark.parametrize(("end", "code"), [("exit", 0), ("kill", -signal.SIGKILL)])
def test_what_a_thread_wrote_that_its_process_did_not_survive_is_removed_with_it_or_by_the_next(
    tmp_path: Path, end: str, code: int
) -> None:
    (tmp_path / "late.py").write_text(LATE)
    with child(end, cwd=tmp_path, module="late") as process:
        assert finished(process) == (code, "", "")
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        opened(log).leave("seen")
        interruptions = [
            event for event in events_of(log, "电影/画面") if isinstance(event, Interrupted)
        ]
    assert names_in(tmp_path / "images") == ([] if end == "kill" else ["2.png"])
    assert interruptions[0].in_flight == (("2",) if end == "kill" else ())
