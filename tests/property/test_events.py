"""What is true of every event, whatever stands in its fields."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scenario import nothing_yet
from support.stored import decoded, stored_state
from support.stories import KINDS
from support.strategies import event_classes, instances

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.events import DomainEvent, topics


@pytest.mark.parametrize("topic", sorted(topics()))
@settings(max_examples=40)
@given(data=st.data())
def test_an_event_comes_back_from_the_log_as_it_was(topic: str, data: st.DataObject) -> None:
    event = data.draw(instances(topics()[topic]))
    state = stored_state(event)
    again = decoded(topic, str(event.originator_id), event.originator_version, state)
    assert again == event
    assert stored_state(again) == state


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_evolving_never_raises(kind: type[EventSourced], data: st.DataObject) -> None:
    any_event = st.sampled_from(event_classes(kind)).flatmap(
        lambda event: instances(event, stream_kind=kind.kind)
    )
    drawn: list[DomainEvent] = data.draw(st.lists(any_event, min_size=1, max_size=8))
    stream = [
        event.model_copy(update={"originator_version": version})
        for version, event in enumerate(drawn, 1)
    ]
    assert nothing_yet(kind).fold(stream).version == len(stream)
