"""What is in flight is noted before it begins, where the store can with the save before it."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from pydantic import JsonValue
from support import scene_functions as functions
from support.logs import Store, scenes

from resumelog import Batch, LeaseLost, ResumeLog, Retry, Scene, StopFlag
from resumelog.application.ports import InFlight
from resumelog.application.scene_flights import LOOKS_S
from resumelog.application.scene_updates import SceneState, SceneUpdate
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import Attempt
from resumelog.infrastructure.storage.leases import noted_units

STREAM = uuid4()
BATCH = SceneBatch.named("电影", "分镜")
UNIT = InFlight("场景3", 2)
RETRY = Retry(attempts=12, backoff_s=0, jitter_s=0)


def opened(log: ResumeLog, count: int = 4) -> Batch:
    return log.scenes.open("电影", "分镜", scenes=scenes(*range(1, count + 1)))


def noted(log: ResumeLog, stream: object = BATCH.id) -> set[Attempt]:
    row = log.leases.table.read(stream)  # type: ignore[arg-type]  # a stream's id
    assert row is not None
    return {unit.as_attempt() for unit in noted_units(row)}


def event(version: int) -> StoredEvent:
    return StoredEvent(STREAM, version, "test:Event", b"{}")


# Beside an event


def test_a_note_beside_an_event_is_written_or_says_that_it_was_not(
    log: ResumeLog, store: Store
) -> None:
    claim = log.leases.acquire(STREAM, "job", 0)
    note = log.leases.note(STREAM, claim, (UNIT,))
    log.log.recorder.insert_events([event(1)], note=note)
    assert note.is_written == (store.url != "memory:")
    assert noted(log, STREAM) == ({UNIT.as_attempt()} if note.is_written else set())


def test_a_note_under_an_epoch_that_is_over_is_not_written_and_the_event_stands(
    log: ResumeLog, other: ResumeLog
) -> None:
    old = log.leases.acquire(STREAM, "job", 0)
    new = other.leases.acquire(STREAM, "job", 0, force=True)
    other.leases.begun(STREAM, new, (InFlight("场景4", 1),))
    note = log.leases.note(STREAM, old, (UNIT,))
    log.log.recorder.insert_events([event(1)], note=note)
    assert not note.is_written
    assert noted(log, STREAM) == {("场景4", 1)}
    assert len(log.log.recorder.select_events(STREAM)) == 1


def test_an_event_that_is_refused_takes_its_note_with_it(log: ResumeLog) -> None:
    claim = log.leases.acquire(STREAM, "job", 0)
    log.log.recorder.insert_events([event(1)])
    note = log.leases.note(STREAM, claim, (UNIT,))
    with pytest.raises(IntegrityError):
        log.log.recorder.insert_events([event(1)], note=note)
    assert not note.is_written
    assert noted(log, STREAM) == set()


# In a run


@pytest.mark.parametrize("workers", [1, 4])
def test_every_attempt_is_noted_before_its_function_is_called(
    log: ResumeLog, other: ResumeLog, workers: int
) -> None:
    unnoted = list[Attempt]()

    def function(scene: Scene) -> JsonValue:
        attempt = Attempt(scene.key, scene.attempt)
        unnoted.extend({attempt} - noted(other))
        return functions.unlucky(scene)

    report = opened(log, 30).run(function, workers=workers, retry=RETRY)
    assert (report.is_complete, unnoted) == (True, [])


def test_one_worker_notes_the_next_scene_with_the_save_of_the_one_before(
    log: ResumeLog, other: ResumeLog, store: Store
) -> None:
    batch, seen = opened(log, 3), list[set[Attempt]]()

    def look(update: SceneUpdate) -> None:
        if update.state is SceneState.DONE:
            seen.append(noted(other))

    batch.on_scene(look)
    batch.run(functions.script)
    last = {("3", 1)}
    each_alone = [{("1", 1)}, {("2", 1)}, last]
    assert seen == (each_alone if store.url == "memory:" else [{("2", 1)}, last, last])


def test_a_scene_that_is_not_begun_after_all_is_noted_no_more(
    log: ResumeLog, other: ResumeLog
) -> None:
    batch, stop = opened(log), StopFlag()
    batch.on_scene(lambda update: stop.set() if update.state is SceneState.DONE else None)
    assert batch.run(functions.script, stop=stop).done == 1
    assert ("2", 1) not in noted(other)
    log.leases.table.leave(log.leases.holder_id)  # as if it had died
    with opened(other) as successor:
        assert "2" not in (successor.cut_off or ())
        assert successor.scene("2").attempt == 1


def test_a_pause_records_no_scene_that_was_only_about_to_begin(
    log: ResumeLog, other: ResumeLog
) -> None:
    made = list[str]()

    def function(scene: Scene) -> JsonValue:
        made.append(scene.key)
        if scene.key == "2":
            other.scenes.pause("电影", "分镜", "午休", "小王")
        time.sleep(LOOKS_S)  # so that it looks before each scene
        return functions.script(scene)

    assert opened(log).run(function).status == "paused"
    assert made == ["1", "2"]
    other.scenes.reopen("电影", "分镜")
    with opened(other) as successor:
        assert [successor.scene(key).attempt for key in ("3", "4")] == [1, 1]


def test_who_lost_the_lease_during_a_scene_begins_no_other(
    log: ResumeLog, other: ResumeLog
) -> None:
    made = list[str]()

    def function(scene: Scene) -> JsonValue:
        made.append(scene.key)
        other.leases.acquire(BATCH.id, BATCH.title, 0, force=True)
        return functions.script(scene)

    with pytest.raises(LeaseLost):
        opened(log).run(function)
    assert made == ["1"]
    assert noted(other) == {("1", 1)}, "an old worker noted what it no longer may begin"
