"""The one way from a command to a stored event, and from stored events to a state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent
from pydantic import JsonValue

from resumelog.application.errors import Contended, InDoubt
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.errors import Refused
from resumelog.domain.events import DomainEvent, Events, kinds

DECISIONS_MAX = 20
PAGE = 500

State = TypeVar("State", bound=EventSourced)
logger = logging.getLogger("resumelog")


class EventLog(Application[UUID]):
    """eventsourcing's Application over resumelog's aggregates: load, decide, append."""

    name = "resumelog"

    def recover(self, state: State) -> State:
        """Fold into a state what its stream holds beyond it, reading back to the last origin."""
        newest_first = self._back_to_origin(state)
        if newest_first and newest_first[-1].originator_version > state.version + 1:
            state.begin_anew(state.natural_key)
        return state.fold(map(self.decode, reversed(newest_first)))

    def decide(self, state: State, command: Callable[[State], Events]) -> Events:
        """Append what the command decides; the state evolves only when that is on disk.

        After a conflict the stream is read up to its end and the command decides again. Raises what the
        command refuses, StoreUnavailable, and Contended after DECISIONS_MAX conflicts.
        """
        for _ in range(DECISIONS_MAX):
            events = self.decided(state, command)
            if not events or self._appended(state, events):
                return events
        raise Contended(state.title, attempts=DECISIONS_MAX)

    def decided(self, state: State, command: Callable[[State], Events]) -> Events:
        """Return what the command decides, and append nothing.

        A refusal, or that nothing is to be done, counts only on the newest state.
        """
        for _ in range(DECISIONS_MAX):
            try:
                events = command(state)
            except Refused as refusal:
                if self._moved_on(state):
                    continue
                version = state.version
                logger.info("refused at version %d: %s", version, refusal, extra=of(state))
                raise
            if events or not self._moved_on(state):
                return events
        raise Contended(state.title, attempts=DECISIONS_MAX)

    def history(self, stream: UUID, *, gt: int = 0) -> Iterator[DomainEvent]:
        """Iterate over all events of a stream, from version `gt` + 1 on."""
        while page := self.recorder.select_events(stream, gt=gt, limit=PAGE):
            yield from map(self.decode, page)
            gt = page[-1].originator_version

    def event(self, stream: UUID, version: int) -> DomainEvent:
        """Return one event."""
        (stored,) = self.recorder.select_events(stream, gt=version - 1, lte=version)
        return self.decode(stored)

    def value(self, stream: UUID, version: int) -> JsonValue:
        """Return the value that is kept with an event; None where there is none."""
        payload = self.event(stream, version).payload
        if payload is None or payload.codec == "inline":
            return payload.inline if payload else None
        read = getattr(self.recorder, "select_payload")  # noqa: B009 - stores with a payload table have it
        content: bytes = read(stream, version)
        cipher = self.mapper.cipher
        return payload.value(cipher.decrypt(content) if cipher else content)

    def states(self) -> Iterator[EventSourced]:
        """Return every job's state, from one pass over the log."""
        found: dict[UUID, EventSourced] = {}
        for event in self._everything():
            state = found.get(event.originator_id)
            if state is None:
                state = found[event.originator_id] = kinds()[event.kind](event.originator_id)
            state.fold((event,))
        return iter(found.values())

    def decode(self, stored: StoredEvent) -> DomainEvent:
        """Return the event; raise DamagedEvent for one that can't be read."""
        event = self.mapper.to_domain_event(stored)
        assert isinstance(event, DomainEvent)
        return event

    def _back_to_origin(self, state: EventSourced) -> list[StoredEvent]:
        """Return what the stream holds beyond a state, newest first, and nothing before an origin."""
        origins = {event.TOPIC for event in state.origins}
        found: list[StoredEvent] = []
        lte = None
        while page := self._page_back(state.id, state.version, lte):
            for stored in page:
                found.append(stored)
                if stored.topic in origins:
                    return found
            if len(page) < PAGE:
                break
            lte = page[-1].originator_version - 1
        return found

    def _page_back(self, stream: UUID, gt: int, lte: int | None) -> Sequence[StoredEvent]:
        return self.recorder.select_events(stream, gt=gt, lte=lte, desc=True, limit=PAGE)

    def _everything(self) -> Iterator[DomainEvent]:
        position = 0
        while page := self.recorder.select_notifications(position, PAGE, inclusive_of_start=False):
            yield from map(self.decode, page)
            position = page[-1].id

    def _moved_on(self, state: EventSourced) -> bool:
        before = state.version
        return self.recover(state).version > before

    def _appended(self, state: EventSourced, events: Events) -> bool:
        try:
            self.events.put(events)
        except IntegrityError as error:
            if not isinstance(error, InDoubt) or not self._is_there(state, events):
                self.recover(state)
                return False
        except PersistenceError:
            if not self._is_there(state, events):
                raise
        state.fold(events)
        for event in events:
            if event.payload:
                event.payload.forget()
            name, version = type(event).__name__, event.originator_version
            logger.info(
                "%s appended %s, version %d",
                state.title,
                name,
                version,
                extra=of(state) | {"version": version},
            )
        return True

    def _is_there(self, state: EventSourced, events: Events) -> bool:
        """After a commit that ended in doubt: look."""
        try:
            stored = self.recorder.select_events(state.id, gt=state.version, limit=len(events))
            return (*map(self.decode, stored),) == events
        except PersistenceError:
            return False


def of(state: EventSourced) -> dict[str, object]:
    """Return what every log record says of a job."""
    return {"job": state.title, "version": state.version}
