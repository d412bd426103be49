"""What every aggregate's state machine checks after each of its commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.canonical import later
from support.listed import job_view
from support.scenario import Command, nothing_yet, when
from support.stored import reread
from support.stories import copy_of, imported, payloads_removed

from resumelog.application.job_changes import evolve
from resumelog.application.job_row import JobRow
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.errors import Refused
from resumelog.domain.events import DomainEvent, Events

A = TypeVar("A", bound=EventSourced)

OFFSETS = st.sampled_from((0, 0, 0, 0, 0, -1, 1))
"""How far a worker's epoch is from the stream's."""
NEWER = st.sampled_from((1, 1, 1, 3, 0, -1))
"""The same for one who begins: mostly a new lease."""


class Replaying(RuleBasedStateMachine, Generic[A]):
    """A live state beside the log that it came from.

    `leaves` are the events by which a finished state may be left.
    """

    kind: ClassVar[type[EventSourced]]
    leaves: ClassVar[tuple[type[DomainEvent], ...]]

    def __init__(self) -> None:
        super().__init__()
        self.live: Any = nothing_yet(self.kind)
        self.log: list[DomainEvent] = []
        self.row: JobRow | None = None
        self.seconds = 0.0

    @property
    def now(self) -> datetime:
        return later(self.seconds)

    @initialize(origin=st.sampled_from(("nothing", "an import", "a fork")), cut=st.integers(1, 99))
    def begin_from(self, origin: str, cut: int) -> None:
        if origin == "an import":
            self.do(imported())
        elif origin == "a fork":
            source = copy_of(self.kind)[:-1]
            self.do(
                lambda state: state.fork(source[: 1 + cut % len(source)], "小王", self.now),
                again=Refused,
            )

    @rule(seconds=st.floats(-60, 90_000))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds

    @rule(reason=st.sampled_from(("磁盘满了", "过期")))
    def remove_payloads(self, reason: str) -> None:
        self.do(payloads_removed(reason))

    def do(self, command: Command[Any], again: type[Refused] | None = None) -> Events:
        """Append what the command decides; `again` is how it refuses to be repeated, if it does."""
        try:
            events = when(self.live, command)
        except Refused:
            return ()
        for event in events:
            self.append(event)
        if events:
            self.repeat(command, again)
        return events

    def append(self, event: DomainEvent) -> None:
        before, epoch = self.live.status, self.live.epoch
        assert event.epoch is None or event.epoch >= epoch, "an old epoch was let in"
        self.live.fold((event,))
        self.log.append(reread(event))
        self.row = evolve(self.row, self.log[-1], len(self.log))
        left = before in self.live.finished and self.live.status != before
        assert not left or isinstance(event, self.leaves), f"{before} was left by {event!r}"

    def repeat(self, command: Command[Any], again: type[Refused] | None) -> None:
        if again:
            with pytest.raises(again):
                when(self.live, command)
        else:
            assert when(self.live, command) == (), "a repeated command appended again"

    @invariant()
    def the_version_counts_the_events(self) -> None:
        assert self.live.version == len(self.log)

    @invariant()
    def replaying_the_log_gives_the_live_state(self) -> None:
        if self.log:
            assert self.kind(self.live.id).fold(self.log) == self.live

    @invariant()
    def replaying_from_the_last_origin_gives_the_live_state(self) -> None:
        origins = [at for at, event in enumerate(self.log) if isinstance(event, self.kind.origins)]
        if origins:
            assert self.kind(self.live.id).fold(self.log[origins[-1] :]) == self.live

    @invariant()
    def the_row_in_the_list_says_what_the_state_says(self) -> None:
        if self.row:
            assert self.row.view() == job_view(self.live)
