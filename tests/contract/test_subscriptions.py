"""Whoever follows the log sees every event, in order, soon, and is told when the log is closed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Thread, Timer

import pytest
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription
from support.children import PATIENCE_S, child, finished
from support.logs import Store

from resumelog import ResumeLog
from resumelog.application.errors import ClosedLog

TOPIC = "resumelog.ExportJob.Paused"


def append(log: ResumeLog, stream: str, *versions: int, topic: str = TOPIC) -> None:
    stored = [StoredEvent(f"{stream:0>32}", version, topic, b"{}") for version in versions]
    log.log.recorder.insert_events(stored)


def append_one_by_one(log: ResumeLog, stream: str, count: int) -> None:
    for version in range(1, count + 1):
        append(log, stream, version)


def received(subscription: Subscription[ApplicationRecorder], count: int) -> Iterator[Notification]:
    """Iterate over so many events; a subscription that hangs is stopped, and one is missing then."""
    watchdog = Timer(PATIENCE_S, subscription.stop)
    watchdog.start()
    try:
        for _ in range(count):
            yield next(subscription)
    finally:
        watchdog.cancel()


def test_all_that_was_there_and_all_that_comes_is_seen_in_order(log: ResumeLog) -> None:
    append(log, "a", *range(1, 1201))  # more than two pages
    with log.log.recorder.subscribe() as subscription:
        writer = Thread(target=append_one_by_one, args=(log, "b", 100))
        writer.start()
        positions = [notification.id for notification in received(subscription, 1300)]
        writer.join()
    assert positions == [*range(1, 1301)]


def test_an_event_that_comes_while_a_subscription_begins_wakes_it(
    log: ResumeLog, store: Store
) -> None:
    if store.url == "memory:":
        pytest.skip("the library's own memory store loses wake-ups: it begins to listen too late")
    with ThreadPoolExecutor(1) as pool:
        for version in range(1, 101):
            writing = pool.submit(append, log, "a", version)
            with log.log.recorder.subscribe(gt=version - 1) as subscription:
                (seen,) = received(subscription, 1)
            assert seen.originator_version == version
            writing.result()


def test_only_the_topics_asked_for_are_seen(log: ResumeLog) -> None:
    append(log, "a", 1, topic="one")
    append(log, "a", 2, topic="two")
    append(log, "a", 3, topic="one")
    with log.log.recorder.subscribe(topics=["two"]) as subscription:
        append(log, "a", 4, topic="two")
        assert [seen.originator_version for seen in received(subscription, 2)] == [2, 4]


def test_what_another_handle_appends_is_seen(log: ResumeLog, other: ResumeLog) -> None:
    with log.log.recorder.subscribe() as subscription:
        for version in range(1, 21):
            append(other, "a", version)
            (seen,) = received(subscription, 1)
            assert seen.originator_version == version


def test_what_another_process_appends_is_seen(log: ResumeLog, store: Store, tmp_path: Path) -> None:
    if store.url == "memory:":
        pytest.skip("a log in memory belongs to one process")
    with (
        log.log.recorder.subscribe() as subscription,
        child("stage", store.url, 10, cwd=tmp_path) as process,
    ):
        seen = [notification.topic for notification in received(subscription, 13)]
        assert finished(process)[0] == 0
    assert seen.count("resumelog.SceneBatch.SceneCompleted") == 10
    assert seen[-1] == "resumelog.SceneBatch.Completed"


def test_many_follow_at_once(log: ResumeLog) -> None:
    with ExitStack() as stack:
        subscriptions = [stack.enter_context(log.log.recorder.subscribe()) for _ in range(5)]
        append_one_by_one(log, "a", 30)
        for subscription in subscriptions:
            assert [seen.id for seen in received(subscription, 30)] == [*range(1, 31)]


def test_who_follows_is_told_that_the_log_is_closed(store: Store) -> None:
    if store.url == "memory:":
        pytest.skip("the library's own memory store closes nothing")
    log = store.open()
    with log.log.recorder.subscribe() as subscription:
        Timer(0.1, log.close).start()
        with pytest.raises(ClosedLog):
            next(subscription)
