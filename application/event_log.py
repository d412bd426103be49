"""The one way from a command to a stored event, and from stored events to a state."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent
from eventsourcing.utils import EnvType
from pydantic import JsonValue

from resumelog.application.errors import (
    Contended,
    DamagedEvent,
    InDoubt,
    PayloadGone,
    PayloadRemoved,
)
from resumelog.application.event_rows import StockRows
from resumelog.application.ports import EventReader, EventRow, EventRows, InFlightNote
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.errors import Refused
from resumelog.domain.events import DomainEvent, Events, PayloadsRemoved, kinds

DECISIONS_MAX = 20
PAGE = 1000

State = TypeVar("State", bound=EventSourced)
logger = logging.getLogger("resumelog")


class EventLog(Application[UUID]):
    """eventsourcing's Application over resumelog's aggregates: load, decide, append."""

    name = "resumelog"

    def __init__(self, env: EnvType | None = None) -> None:
        """Construct as the library does; see `Application`."""
        super().__init__(env)
        recorder = self.recorder
        self._rows = recorder if isinstance(recorder, EventRows) else StockRows(recorder)
        self._reader = cast("EventReader", self.mapper)

    def recover(self, state: State) -> State:
        """Fold into a state what its stream holds beyond it; a new state begins at the last origin."""
        gt = state.version
        origin = self._rows.last_origin(state.id) if not gt else None
        if origin is not None:
            gt = origin - 1
        return state.fold(self._reader.events(state.id, self._rows_after(state.id, gt)))

    def decide(
        self,
        state: State,
        command: Callable[[State], Events],
        note: InFlightNote | None = None,
    ) -> Events:
        """Append what the command decides; the state evolves only when that is on disk.

        A note goes into the same transaction where the store can do that, and says whether it did.
        After a conflict the stream is read up to its end and the command decides again. Raises what the
        command refuses, StoreUnavailable, and Contended after DECISIONS_MAX conflicts.
        """
        for _ in range(DECISIONS_MAX):
            events = self.decided(state, command)
            if not events or self._appended(state, events, note):
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
        return self._reader.events(stream, self._rows_after(stream, gt))

    def event(self, stream: UUID, version: int) -> DomainEvent:
        """Return one event."""
        (event,) = self.events_at(stream, (version,))
        return event

    def newest(self, stream: UUID, *of: type[DomainEvent]) -> DomainEvent | None:
        """Return a stream's newest event of some classes; no other is decoded."""
        topics = {each.TOPIC for each in of}
        rows = deque((row for row in self._rows_after(stream, 0) if row[1] in topics), maxlen=1)
        return next(self._reader.events(stream, rows), None)

    def events_at(self, stream: UUID, versions: Iterable[int]) -> Iterator[DomainEvent]:
        """Iterate over the events with these versions, in the order given, a page at a time."""
        wanted = iter(versions)
        while page := [*islice(wanted, PAGE)]:
            rows = self._rows.select_versions(stream, page)
            found = {event.originator_version: event for event in self._reader.events(stream, rows)}
            yield from (found[version] for version in page)

    def value(self, stream: UUID, version: int) -> JsonValue:
        """Return the value that is kept with an event; None where there is none."""
        return self.value_of(self.event(stream, version))

    def value_of(self, event: DomainEvent) -> JsonValue:
        """Return the value that is kept with an event.

        Raises PayloadRemoved (a PayloadGone) for one that was given up, and DamagedEvent.
        """
        payload = event.payload
        if payload is None or payload.codec == "inline":
            return payload.inline if payload else None
        try:
            content = self._rows.select_payload(event.originator_id, event.originator_version)
        except PayloadGone as gone:
            raise self._why_gone(event) or gone from None
        try:
            return payload.value(self.opened_payload(event, content))
        except Exception as error:
            raise DamagedEvent(
                topic=event.TOPIC,
                stream=event.originator_id,
                version=event.originator_version,
                why=f"its value: {type(error).__name__}: {error}",
            ) from error

    def count_payloads(self, stream: UUID) -> tuple[int, int]:
        """Return how many values are kept beside a stream's events, and their bytes as stored."""
        return self._rows.count_payloads(stream)

    def opened_payload(self, event: DomainEvent, content: bytes) -> bytes:
        """Return an event's payload as it was before it was encrypted; raise what its cipher does."""
        return self._reader.payload_content(event, content)

    def decode(self, stored: StoredEvent) -> DomainEvent:
        """Return the event; raise DamagedEvent for one that can't be read."""
        event = self.mapper.to_domain_event(stored)
        assert isinstance(event, DomainEvent)
        return event

    def _rows_after(self, stream: UUID, gt: int) -> Iterator[EventRow]:
        return chain.from_iterable(self._pages_after(stream, gt))

    def _pages_after(self, stream: UUID, gt: int) -> Iterator[Sequence[EventRow]]:
        while page := self._rows.select_rows(stream, gt=gt, limit=PAGE):
            yield page
            if len(page) < PAGE:
                return
            gt = page[-1][0]

    def _why_gone(self, event: DomainEvent) -> PayloadRemoved | None:
        """Return who removed an event's payload on purpose, if somebody did."""
        later = self.history(event.originator_id, gt=event.originator_version)
        removal = next((each for each in later if isinstance(each, PayloadsRemoved)), None)
        if removal is None:
            return None
        return PayloadRemoved(
            self.recover(kinds()[event.kind](event.originator_id)).title,
            stream=event.originator_id,
            version=event.originator_version,
            at=removal.timestamp,
            actor=removal.actor,
            reason=removal.reason,
        )

    def _moved_on(self, state: EventSourced) -> bool:
        before = state.version
        return self.recover(state).version > before

    def _appended(
        self, state: EventSourced, events: Events, note: InFlightNote | None = None
    ) -> bool:
        beside = {"note": note} if note else {}
        try:
            self.recorder.insert_events([*map(self.mapper.to_stored_event, events)], **beside)
        except IntegrityError as error:
            if not isinstance(error, InDoubt) or not self._is_there(state, events):
                self.recover(state)
                return False
        except PersistenceError:
            if not self._is_there(state, events):
                raise
        state.fold(events)
        for event in events:
            if event.PAYLOAD_FIELD and event.payload:
                event.payload.forget()
        if logger.isEnabledFor(logging.INFO):
            _tell(state, events)
        return True

    def _is_there(self, state: EventSourced, events: Events) -> bool:
        """After a commit that ended in doubt: look."""
        try:
            stored = self.recorder.select_events(state.id, gt=state.version, limit=len(events))
            return (*map(self.decode, stored),) == events
        except PersistenceError:
            return False


def _tell(state: EventSourced, events: Events) -> None:
    for event in events:
        name, version = type(event).__name__, event.originator_version
        about = of(state) | {"version": version}
        logger.info("%s appended %s, version %d", state.title, name, version, extra=about)


def of(state: EventSourced) -> dict[str, object]:
    """Return what every log record says of a job."""
    return {"job": state.title, "version": state.version}
