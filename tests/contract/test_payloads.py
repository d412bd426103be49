"""Values of every size come back as they were, in every store."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from support.logs import Store, events_of, scenes

from resumelog import ResumeLog
from resumelog.application.errors import DamagedEvent
from resumelog.domain.plan import Plan
from resumelog.domain.scene_events import SceneCompleted
from resumelog.domain.values import PAYLOAD_INLINE_BYTES_MAX, Payload

QUOTES = 2
LARGEST_INLINE = "x" * (PAYLOAD_INLINE_BYTES_MAX - QUOTES)
VALUES: dict[str, JsonValue] = {
    "nothing": None,
    "false": False,
    "an empty list": [],
    "text": "雨夜，他推开门。🌧️👨‍👩‍👧",
    "the largest inside": LARGEST_INLINE,
    "the smallest aside": LARGEST_INLINE + "x",
    "a nested object": {"分镜": [{"镜头": n, "时长": n / 7, "备注": None} for n in range(200)]},
    "5 MB": ["很长的剧本 🎬" * 26, *range(700_000)],
}
every_value = pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())


def completed(log: ResumeLog, result: JsonValue) -> SceneCompleted:
    """Complete one scene with this result and return its event as it is read back."""
    with log.scenes.open("电影", "storyboard", scenes=scenes(1)) as batch:
        batch.complete("1", result)
    events = events_of(log, "电影/storyboard")
    return next(event for event in events if isinstance(event, SceneCompleted))


@every_value
def test_a_result_comes_back_through_another_handle(
    log: ResumeLog, other: ResumeLog, value: JsonValue
) -> None:
    completed(log, value)
    batch = other.scenes.open("电影", "storyboard", scenes=scenes(1))
    assert [(scene.key, result) for scene, result in batch.results()] == [("1", value)]


@pytest.mark.parametrize("value", [*VALUES.values()][1:], ids=[*VALUES][1:])
def test_its_size_and_digest_stand_in_the_event(log: ResumeLog, value: JsonValue) -> None:
    event = completed(log, value)
    assert event.result is not None
    expected = Payload.of(value)
    assert (event.result.size, event.result.sha256) == (expected.size, expected.sha256)


@pytest.mark.parametrize(
    ("value", "aside"), [(LARGEST_INLINE, False), (LARGEST_INLINE + "x", True)]
)
def test_over_1_kib_it_is_kept_aside_where_the_store_can(
    log: ResumeLog, store: Store, value: str, aside: bool
) -> None:
    event = completed(log, value)
    assert event.result is not None
    assert (event.result.inline is None) == (aside and store.url != "memory:")


def test_a_value_is_found_by_the_version_of_its_event(log: ResumeLog) -> None:
    event = completed(log, LARGEST_INLINE * 2)
    assert log.log.value(event.originator_id, event.originator_version) == LARGEST_INLINE * 2


def test_an_event_without_a_value_has_none(log: ResumeLog) -> None:
    event = completed(log, None)
    assert log.log.value(event.originator_id, event.originator_version) is None


def test_the_bytes_are_let_go_of_once_they_are_on_disk(log: ResumeLog) -> None:
    with log.scenes.open("电影", "storyboard", scenes=scenes(1)) as batch:
        (event,) = batch.complete("1", LARGEST_INLINE * 2).events
    assert event.payload is not None
    assert event.payload.content is None


def test_a_long_plan_comes_back_in_the_resume_point(log: ResumeLog) -> None:
    keys = [f"第{n}场" for n in range(500)]
    log.scenes.open("电影", "storyboard", scenes=scenes(*keys)).leave("下班")
    point = log.queries.resume_point(log.queries.find("电影/storyboard"))
    assert [fact.value for fact in point.next] == keys


def test_one_long_plan_may_serve_two_stages(log: ResumeLog) -> None:
    plan = Plan(scenes(*range(400)))
    for stage in ("分镜", "视频"):
        log.scenes.open("电影", stage, scenes=plan).leave("下班")
        point = log.queries.resume_point(log.queries.find(f"电影/{stage}"))
        assert [fact.value for fact in point.next] == [*plan]


def test_a_value_whose_bytes_were_altered_is_never_handed_out(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = completed(log, LARGEST_INLINE * 2)
    assert event.result is not None
    if event.result.codec == "inline":
        pytest.skip("this store keeps it inside the event")
    other = Payload.of(LARGEST_INLINE * 3).content
    monkeypatch.setattr(log.log._rows, "select_payload", lambda *_: other)
    with pytest.raises(DamagedEvent, match="does not have the"):
        log.log.value(event.originator_id, event.originator_version)
