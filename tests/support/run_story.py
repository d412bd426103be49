"""Whether the events of a run tell one story; told by rules of its own, not by the aggregate's."""

from __future__ import annotations

from collections.abc import Iterable

from resumelog.domain.autopilot_events import (
    Completed,
    Configured,
    Failed,
    Paused,
    PollFailed,
    ProgressSaved,
    Recovered,
    Reset,
    Resumed,
    Started,
    StepCompleted,
    StepFailed,
    StepStarted,
    Stopped,
)
from resumelog.domain.events import DomainEvent

BEGINS_EPOCH = (Started, Recovered, Stopped, Reset)
IN_STEP = (ProgressSaved, PollFailed, StepCompleted, StepFailed)
STATUSES: dict[type[DomainEvent], tuple[tuple[str, ...], str]] = {
    Started: (("inactive", "failed"), "active"),
    Recovered: (("active",), "active"),
    Paused: (("active",), "paused"),
    Resumed: (("paused",), "active"),
    Stopped: (("active", "paused"), "inactive"),
    Failed: (("active", "paused"), "failed"),
    Completed: (("active", "paused"), "completed"),
    StepStarted: (("active",), "active"),
}
"""In which statuses an event may come, and which follows it."""


class Story:
    """A run as its events tell it, one after the other; asserts that each may follow."""

    def __init__(self) -> None:
        self.version = self.epoch = 0
        self.mode, self.status = "manual", "inactive"
        self.steps: tuple[str, ...] = ()
        self.done: list[str] = []
        self.step: str | None = None
        self.attempt = 0
        self.last: DomainEvent | None = None

    def goes_on(self, event: DomainEvent) -> None:
        """Take the next event."""
        assert event.originator_version == self.version + 1, event
        self.version += 1
        self._epoch_follows(event)
        self._status_follows(event)
        self._step_follows(event)
        self.last = event

    def _epoch_follows(self, event: DomainEvent) -> None:
        if event.epoch is None:
            assert isinstance(event, Configured | Paused | Resumed), event
            return
        begins = isinstance(event, BEGINS_EPOCH) and not self._was_reset_by(event)
        assert event.epoch > self.epoch if begins else event.epoch == self.epoch, event
        self.epoch = event.epoch

    def _was_reset_by(self, event: DomainEvent) -> bool:
        """Tell whether a forced start made the reset before it, and it wasn't somebody's own."""
        is_forced = isinstance(event, Started) and event.forced
        is_reset = isinstance(self.last, Reset) and self.last.timestamp == event.timestamp
        return is_forced and is_reset

    def _status_follows(self, event: DomainEvent) -> None:
        if isinstance(event, Configured):
            self.mode = event.mode
        if isinstance(event, Reset):
            assert event.mode == self.mode
            self.status, self.done = "inactive", []
        if isinstance(event, Started):
            assert self.mode == "auto"
        if type(event) in STATUSES:
            before, after = STATUSES[type(event)]
            assert self.status in before, (self.status, event)
            self.status = after

    def _step_follows(self, event: DomainEvent) -> None:
        if isinstance(event, Started):
            self.steps = event.steps
        if isinstance(event, IN_STEP):
            assert self.status in ("active", "paused"), event
            assert event.step == self.step, (self.step, event)
        if isinstance(event, StepStarted):
            assert event.step == self.steps[len(self.done)], (self.done, event)
            again = event.step == self.step_tried
            assert event.attempt == (self.attempt + 1 if again else 1), event
            self.step = self.step_tried = event.step
            self.attempt = event.attempt
        if isinstance(event, StepCompleted):
            self.done.append(event.step)
        if isinstance(event, Completed):
            assert self.done == [*self.steps[:-1]]
        if isinstance(event, (StepCompleted, StepFailed, *BEGINS_EPOCH)):
            self.step = None
        if isinstance(event, Started | Reset):
            self.step_tried = None

    step_tried: str | None = None
    """Which step the attempt counts."""


def told_by(events: Iterable[DomainEvent]) -> Story:
    """Require one consistent story of a run's events, and return where it stands."""
    story = Story()
    for event in events:
        story.goes_on(event)
    return story
