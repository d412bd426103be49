"""Given a history, when a command is decided, then these events follow and nothing else changed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import pytest

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.errors import Refused
from resumelog.domain.events import Events

A = TypeVar("A", bound=EventSourced)
Command = Callable[[A], Events]

NATURAL_KEYS = {
    "ExportJob": ("成片🎬.mp4",),
    "SceneBatch": ("电影🎬", "storyboard"),
    "AutoPilotRun": ("sim-模拟-1",),
}


def nothing_yet(kind: type[A]) -> A:
    """Return the empty state under the canonical natural key of its kind."""
    return kind.named(*NATURAL_KEYS[kind.kind])


def when(state: A, command: Command[A]) -> Events:
    """Decide; fail the test if that changed the state, whether or not it was refused."""
    before = deepcopy(state)
    try:
        return command(state)
    finally:
        assert state == before, "deciding changed the state"


def history(kind: type[A], *commands: Command[A]) -> Events:
    """Return all events of these commands, each decided on what came before."""
    state, events = nothing_yet(kind), Events()
    for command in commands:
        new = when(state, command)
        state.fold(new)
        events += new
    return events


def given(kind: type[A], *commands: Command[A]) -> A:
    """Return the state after these commands."""
    return nothing_yet(kind).fold(history(kind, *commands))


def refusal(state: A, command: Command[A]) -> tuple[type[Refused], dict[str, object]]:
    """Return the class and the data of the refusal; it must name its job."""
    with pytest.raises(Refused) as refused:
        when(state, command)
    assert refused.value.job == state.title
    return type(refused.value), refused.value.data
