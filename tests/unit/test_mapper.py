"""Between events and what is stored."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import JSONTranscoder, StoredEvent
from support.canonical import NOW

from resumelog.application.errors import DamagedEvent
from resumelog.domain import events
from resumelog.domain.events import DomainEvent
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.scene_events import SceneCompleted
from resumelog.domain.values import Payload
from resumelog.infrastructure.storage.mapper import EventMapper, StoredEventWithPayload

STREAM = uuid4()
SAVED = ProgressSaved(
    originator_id=STREAM,
    originator_version=7,
    timestamp=NOW,
    epoch=2,
    progress=0.1 + 0.2,
    cursor={"段落": ["雨夜 🌧️", None]},
)
LONG = "很长的剧本 🎬" * 200


def mapper(*, aside: bool = False) -> EventMapper:
    mapper = EventMapper(JSONTranscoder())
    mapper.keeps_payloads_aside = aside
    return mapper


def stored(state: bytes, topic: str = SAVED.TOPIC, stream: UUID = STREAM) -> StoredEvent:
    return StoredEvent(stream, 7, topic, state)


def scene_completed(result: str) -> SceneCompleted:
    return SceneCompleted(
        originator_id=STREAM,
        originator_version=1,
        timestamp=NOW,
        scene="1",
        fingerprint="f",
        attempt=1,
        result=Payload.of(result),
    )


def state_with(**fields: object) -> bytes:
    return json.dumps({**json.loads(mapper().to_stored_event(SAVED).state), **fields}).encode()


# What is stored


def test_an_event_comes_back_as_it_was() -> None:
    assert mapper().to_domain_event(mapper().to_stored_event(SAVED)) == SAVED


def test_the_columns_are_not_in_the_state_again() -> None:
    kept = mapper().to_stored_event(SAVED)
    assert (kept.originator_id, kept.originator_version, kept.topic) == (STREAM, 7, SAVED.TOPIC)
    assert {*json.loads(kept.state)} == {"timestamp", "epoch", "progress", "cursor"}


def test_an_inline_value_is_kept_in_the_state() -> None:
    kept = mapper(aside=True).to_stored_event(scene_completed("短"))
    assert not isinstance(kept, StoredEventWithPayload)
    assert json.loads(kept.state)["result"]["inline"] == "短"


def test_a_large_value_is_kept_aside_where_the_store_can() -> None:
    kept = mapper(aside=True).to_stored_event(scene_completed(LONG))
    assert isinstance(kept, StoredEventWithPayload)
    assert b"inline" not in kept.state.replace(b'"inline":null', b"")
    assert scene_completed(LONG).result == Payload.of(LONG)
    assert Payload.of(LONG).value(kept.payload) == LONG


def test_a_large_value_is_kept_in_the_state_where_the_store_cannot() -> None:
    kept = mapper().to_stored_event(scene_completed(LONG))
    assert not isinstance(kept, StoredEventWithPayload)
    assert json.loads(kept.state)["result"]["inline"] == LONG


# What is read is validated


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(state_with(progress=1.2), id="a progress above 1"),
        pytest.param(state_with(progress="half"), id="a progress in words"),
        pytest.param(state_with(timestamp="2025-03-01T08:30:00"), id="a time without a zone"),
        pytest.param(state_with(surprise=1), id="a field nobody knows"),
        pytest.param(b"{}", id="no fields"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(mapper().to_stored_event(SAVED).state[:-5], id="a torn end"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_a_state_that_no_event_has_is_damaged(state: bytes) -> None:
    with pytest.raises(DamagedEvent) as damaged:
        mapper().to_domain_event(stored(state))
    error = damaged.value
    assert (error.topic, error.stream, error.version) == (SAVED.TOPIC, STREAM, 7)
    assert f"event 7 of stream {STREAM} ({SAVED.TOPIC})" in str(error)


@pytest.mark.parametrize("claims", [{"originator_version": 8}, {"originator_id": str(uuid4())}])
def test_a_state_never_speaks_for_another_event(claims: dict[str, object]) -> None:
    with suppress(DamagedEvent):
        event = mapper().to_domain_event(stored(state_with(**claims)))
        assert (event.originator_id, event.originator_version) == (STREAM, 7)


@pytest.mark.parametrize("version", [0, -1])
def test_no_event_has_a_version_below_1(version: int) -> None:
    with pytest.raises(DamagedEvent, match="not positive"):
        next(mapper().events(STREAM, [(version, SAVED.TOPIC, state_with())]))
    with pytest.raises(AssertionError):
        mapper().to_stored_event(ProgressSaved(timestamp=SAVED.timestamp, progress=0.5))


def test_a_topic_nobody_knows_imports_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, module = tmp_path / "imported", "antigravity_like_module"
    (tmp_path / f"{module}.py").write_text(f"open({str(mark)!r}, 'x').close()\nThing = dict\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DamagedEvent) as damaged:
        mapper().to_domain_event(stored(b"{}", topic=f"{module}:Thing"))
    assert damaged.value.topic == f"{module}:Thing"
    assert not mark.exists()
    assert module not in sys.modules


# Upcasting


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> type[DomainEvent]:
    """An event at its third form, in a registry that ends with the test."""
    monkeypatch.setattr(events, "_topics", events.topics())

    class Renamed(DomainEvent, topic="resumelog.Test.Renamed"):
        class_version = 3
        title: str
        seconds: float

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["title"] = state.pop("name")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["seconds"] = state.pop("minutes") * 60

    return Renamed


@pytest.mark.parametrize(
    "old",
    [
        {"name": "片头", "minutes": 1.5},
        {"title": "片头", "minutes": 1.5, "class_version": 2},
        {"title": "片头", "seconds": 90, "class_version": 3},
    ],
    ids=["version 1", "version 2", "version 3"],
)
def test_an_old_form_is_read_as_the_newest(
    renamed: type[DomainEvent], old: dict[str, object]
) -> None:
    state = json.dumps({"timestamp": NOW.isoformat(), **old}).encode()
    event = mapper().to_domain_event(stored(state, renamed.TOPIC))
    assert event == renamed.model_validate(
        {
            "originator_id": STREAM,
            "originator_version": 7,
            "timestamp": NOW,
            "title": "片头",
            "seconds": 90,
        }
    )


def test_the_newest_form_is_stored_with_its_number(renamed: type[DomainEvent]) -> None:
    fields: dict[str, str | datetime | UUID | int] = {"title": "片头", "seconds": 90}
    event = renamed.model_validate(
        {"originator_id": STREAM, "originator_version": 7, "timestamp": NOW, **fields}
    )
    kept = mapper().to_stored_event(event)
    assert json.loads(kept.state)["class_version"] == 3
    assert mapper().to_domain_event(kept) == event


def test_an_upcast_that_fails_is_damage(renamed: type[DomainEvent]) -> None:
    state = json.dumps({"timestamp": NOW.isoformat(), "minutes": 1}).encode()
    with pytest.raises(DamagedEvent, match="KeyError"):
        mapper().to_domain_event(stored(state, renamed.TOPIC))
