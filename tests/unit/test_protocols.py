"""Events and states are those that the eventsourcing library asks for."""

from __future__ import annotations

from uuid import UUID

import pytest
from eventsourcing.application import project_aggregate
from eventsourcing.domain import CanMutateProtocol, DomainEventProtocol, MutableAggregateProtocol
from support.scenario import nothing_yet
from support.stories import KINDS, copy_of, one_of_each, stories

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.events import DomainEvent


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.TOPIC)
def test_an_event_satisfies_the_library(event: DomainEvent) -> None:
    stored: DomainEventProtocol[UUID] = event
    mutating: CanMutateProtocol[EventSourced] = event
    assert isinstance(stored, DomainEventProtocol)
    assert isinstance(mutating, CanMutateProtocol)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_satisfies_the_library(kind: type[EventSourced]) -> None:
    aggregate: MutableAggregateProtocol[UUID] = nothing_yet(kind)
    aggregate.version = 7
    assert (type(aggregate.id), aggregate.version) == (UUID, 7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stock_projector_and_the_fold_agree(kind: type[EventSourced]) -> None:
    for story in (stories()[kind], copy_of(kind)):
        folded = kind(story[0].originator_id).fold(story)
        assert project_aggregate(None, story) == folded


@pytest.mark.parametrize("kind", KINDS)
def test_states_with_other_facts_or_of_another_kind_are_not_equal(
    kind: type[EventSourced],
) -> None:
    story = stories()[kind]
    states = [nothing_yet(kind).fold(story[:count]) for count in range(len(story) + 1)]
    assert all(states[at] != states[at + 1] for at in range(len(story)))
    assert all(nothing_yet(kind) != nothing_yet(other) for other in KINDS if other is not kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stock_projector_goes_on_from_a_state(kind: type[EventSourced]) -> None:
    story = stories()[kind]
    earlier = kind(story[0].originator_id).fold(story[:3])
    assert project_aggregate(earlier, story[3:]) == nothing_yet(kind).fold(story)
