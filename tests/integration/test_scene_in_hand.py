"""A loop of the user's own: the scene that it has in hand is noted, and nothing else is."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from support.children import child, finished
from support.logs import Store, events_of, scenes, take_over

import resumelog
from resumelog import Batch, ResumeLog, Scene
from resumelog.application.running import Saved
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import Interrupted
from resumelog.infrastructure.storage.leases import noted_units
from resumelog.infrastructure.storage.sqlite.recorders import ApplicationRecorder

NAME = "电影/分镜"


def opened(log: ResumeLog, count: int = 4, **options: Any) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(*range(1, count + 1)), **options)


def cut_off(log: ResumeLog, batch: Batch) -> tuple[str, ...]:
    """Return what whoever takes over now records as cut off."""
    at = log.clock.now()
    state = SceneBatch.named("电影", "分镜")
    take_over(log, state, lambda state, by: state.begin(batch.plan, by, at))
    return last_cut_off(log)


def last_cut_off(log: ResumeLog) -> tuple[str, ...]:
    found = [event for event in events_of(log, NAME) if isinstance(event, Interrupted)]
    return found[-1].in_flight


def in_hand(_: Batch, loop: Iterator[Scene]) -> None:
    next(loop)


def completed(batch: Batch, loop: Iterator[Scene]) -> None:
    batch.complete(next(loop))


def one_completed(batch: Batch, loop: Iterator[Scene]) -> None:
    batch.complete(next(loop))
    next(loop)


def one_failed(batch: Batch, loop: Iterator[Scene]) -> None:
    batch.fail(next(loop), "空")
    next(loop)


def gathered(_: Batch, loop: Iterator[Scene]) -> None:
    assert len([*loop]) == 4


def gathered_and_made(batch: Batch, loop: Iterator[Scene]) -> None:
    for scene in [*loop][:2]:
        batch.complete(scene)


def two_at_once(_: Batch, loop: Iterator[Scene]) -> None:
    next(loop)
    next(loop)


def one_passed_over(batch: Batch, loop: Iterator[Scene]) -> None:
    next(loop)
    batch.complete(next(loop))
    next(loop)


def noted_by_the_loop(batch: Batch, loop: Iterator[Scene]) -> None:
    batch.begun(next(loop))
    batch.artifact(next(loop), "2.png")
    next(loop)


@pytest.mark.parametrize(
    ("loop", "told"),
    [
        (in_hand, ("1",)),
        (completed, ()),
        (one_completed, ("2",)),
        (one_failed, ("2",)),
        (gathered, ()),
        (gathered_and_made, ()),
        (two_at_once, ()),
        (one_passed_over, ("3",)),
        (noted_by_the_loop, ("1", "2")),
    ],
)
def test_whoever_follows_a_kill_records_what_the_loop_had_in_hand(
    log: ResumeLog,
    other: ResumeLog,
    loop: Callable[[Batch, Iterator[Scene]], None],
    told: tuple[str, ...],
) -> None:
    batch = opened(log)
    remaining = batch.remaining()
    loop(batch, remaining)
    assert cut_off(other, batch) == told


def test_a_scene_that_a_loop_passed_over_or_was_left_at_was_not_tried(log: ResumeLog) -> None:
    with opened(log) as batch:
        for scene in batch.remaining():
            if scene.key == "2":
                break
    assert last_cut_off(log) == ()
    batch = opened(log)
    loop = batch.remaining()
    next(loop)
    batch.leave("enough")
    assert last_cut_off(log) == ()
    assert [scene.attempt for scene in opened(log).remaining()] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("loop", "notes"),
    [
        (lambda batch: [*batch.remaining()], 2),
        (lambda batch: [batch.complete(scene) for scene in batch.remaining()], 100),
        (lambda batch: [note_and_complete(batch, scene) for scene in batch.remaining()], 101),
    ],
    ids=["gathered", "made one by one", "noted by the loop"],
)
def test_a_loop_costs_one_note_a_scene_at_most(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch, loop: Callable[[Batch], object], notes: int
) -> None:
    write, written = log.leases.begun, list[object]()

    def counting(*arguments: Any) -> None:
        written.append(arguments)
        write(*arguments)

    batch = opened(log, 100)
    monkeypatch.setattr(log.leases, "begun", counting)
    loop(batch)
    assert len(written) == notes


def note_and_complete(batch: Batch, scene: Scene) -> Saved:
    batch.begun(scene)
    return batch.complete(scene)


@pytest.mark.parametrize(("gathers", "told"), [(1, ("1",)), (3, ())])
def test_what_a_loop_on_asyncio_gathers_is_not_in_its_hand(
    log: ResumeLog, other: ResumeLog, gathers: int, told: tuple[str, ...]
) -> None:
    async def work() -> tuple[str, ...]:
        async with log.scenes.open_async("电影", "分镜", scenes=scenes(1, 2, 3, 4)) as batch:
            seen = 0
            async for _ in batch.remaining():
                seen += 1
                if seen == gathers:
                    return cut_off(other, batch.batch)
        raise AssertionError

    assert asyncio.run(work()) == told


def test_tasks_note_the_scenes_that_they_make(log: ResumeLog, other: ResumeLog) -> None:
    async def work() -> tuple[str, ...]:
        async with log.scenes.open_async("电影", "分镜", scenes=scenes(1, 2, 3, 4)) as batch:
            gathered = [scene async for scene in batch.remaining()]
            await asyncio.gather(*map(batch.begun, gathered[1:3]))
            return cut_off(other, batch.batch)

    assert sorted(asyncio.run(work())) == ["2", "3"]


# Threads that share the handle


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("_", range(8))
def test_what_a_pool_notes_while_the_loop_asks_for_the_next_scene_stays_noted(
    log: ResumeLog, other: ResumeLog, monkeypatch: pytest.MonkeyPatch, _: int
) -> None:
    batch, all_begun, end = opened(log), threading.Barrier(5), threading.Event()
    write, writing = log.leases.begun, threading.Event()

    def told_of(*arguments: Any) -> None:
        writing.set()
        write(*arguments)

    def make(scene: Scene) -> None:
        batch.begun(scene)
        all_begun.wait(60)
        end.wait(60)

    monkeypatch.setattr(log.leases, "begun", told_of)
    with ThreadPoolExecutor(4) as pool:
        for scene in batch.remaining():
            writing.clear()
            pool.submit(make, scene)
            assert writing.wait(60)
        all_begun.wait(60)
        told = cut_off(other, batch)
        end.set()
    assert sorted(told) == [*"1234"]


class Looking(ApplicationRecorder):
    """Looks at what is noted in flight whenever anything is saved."""

    look: Callable[[], object]

    def insert_events(self, stored_events: list[StoredEvent], **beside: Any) -> None:  # type: ignore[override]
        type(self).look()
        super().insert_events(stored_events, **beside)


def noted(log: ResumeLog) -> set[str]:
    row = log.leases.table.read(SceneBatch.named("电影", "分镜").id)
    return {unit.key for unit in noted_units(row)} if row else set()


@pytest.mark.usefixtures("_hasty_threads")
def test_a_scene_that_is_being_saved_is_noted_though_other_threads_note_theirs(
    store: Store, other: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATION_RECORDER_TOPIC", f"{__name__}:Looking")
    count, in_neither = 100, list[set[str]]()
    begun, saved = set[str](), set[str]()

    def look() -> None:
        state = other.log.recover(SceneBatch.named("电影", "分镜"))
        if missing := {*begun} - {*state.scenes} - noted(other):
            in_neither.append(missing)

    monkeypatch.setattr(Looking, "look", staticmethod(look), raising=False)
    with store.open() as log:
        batch = opened(log, count)

        def make(key: int) -> None:
            scene = batch.scene(str(key))
            batch.begun(scene)
            begun.add(scene.key)
            batch.complete(scene)
            saved.add(scene.key)

        with ThreadPoolExecutor(4) as pool:
            [*pool.map(make, range(1, count + 1))]
    assert len(saved) == count
    assert in_neither == []


# After a kill


def test_what_was_done_when_its_worker_was_killed_was_not_cut_off(
    log: ResumeLog, other: ResumeLog
) -> None:
    batch = opened(log)
    loop = batch.remaining()
    batch.complete(next(loop))
    assert noted(log) == {"1"}, "nothing is written for it alone"
    log.leases.table.leave(log.leases.holder_id)  # as if it had died
    assert opened(other).cut_off == ()


KILLED = """
import os, signal, resumelog
with resumelog.open("jobs.db") as log:
    with log.scenes.open("电影", "分镜", scenes=[{"id": key} for key in "1234"]) as batch:
        for scene in batch.remaining():
            if scene.key == "3":
                os.kill(os.getpid(), signal.SIGKILL)
            batch.complete(scene)
"""


def test_a_kill_in_the_body_of_a_loop_counts_as_an_attempt_at_its_scene(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    with child(cwd=tmp_path, module="killed") as process:
        assert finished(process) == (-signal.SIGKILL, "", "")
    with resumelog.open(tmp_path / "jobs.db") as log:
        batch = log.scenes.open("电影", "分镜", scenes=[{"id": key} for key in "1234"])
        assert batch.cut_off == ("3",)
        assert last_cut_off(log) == ("3",)
        assert [scene.attempt for scene in batch.remaining()] == [2, 1]
