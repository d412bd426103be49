"""Between events and what is stored: validated, upcast, and never importing what a topic names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ValidationError

from resumelog.application.errors import DamagedEvent
from resumelog.application.ports import EventRow
from resumelog.domain.events import DomainEvent, PayloadsRemoved, event_class, topics
from resumelog.domain.values import validation_text
from resumelog.infrastructure.storage.ciphertexts import PAYLOAD, STATE, Place, decrypted, encrypted


@dataclass(frozen=True)
class StoredEventWithPayload(StoredEvent):
    """A stored event whose payload belongs into the payload table, in the same transaction."""

    payload: bytes


@dataclass(frozen=True)
class StoredRemoval(StoredEvent):
    """A stored event with which the payloads of all earlier ones go, in the same transaction."""


class EventMapper(Mapper[UUID]):
    """eventsourcing's mapper for DomainEvents: the state is their JSON without the columns.

    A factory whose store has a payload table sets `keeps_payloads_aside`.
    """

    keeps_payloads_aside = False

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Return the stored form, with a large payload beside it or inside."""
        assert isinstance(domain_event, DomainEvent)
        assert domain_event.originator_version, "it was numbered"
        event, content = domain_event, None
        if event.PAYLOAD_FIELD:
            event, content = self._parted(event)
        stream, version = event.originator_id, event.originator_version
        state = event.__pydantic_serializer__.to_json(event, exclude_none=True)
        if event.class_version > 1:
            state = b'{"class_version":%d,%b' % (event.class_version, state[1:])
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = encrypted(self.cipher, state, Place(STATE, stream, version, event.TOPIC))
        if content is None:
            stored = StoredRemoval if isinstance(event, PayloadsRemoved) else StoredEvent
            return stored(stream, version, event.TOPIC, state)
        content = encrypted(self.cipher, content, Place(PAYLOAD, stream, version, event.TOPIC))
        return StoredEventWithPayload(stream, version, event.TOPIC, state, payload=content)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEvent:
        """Return the event; raise DamagedEvent, which names topic, stream and version."""
        row = (stored_event.originator_version, stored_event.topic, stored_event.state)
        stream = stored_event.originator_id
        (event,) = self.events(stream if isinstance(stream, UUID) else UUID(stream), (row,))
        return event

    def events(self, stream: UUID, rows: Iterable[EventRow]) -> Iterator[DomainEvent]:
        """Iterate over the events of a stream's rows. Raises DamagedEvent, as above."""
        is_packed = bool(self.cipher or self.compressor)
        cls, newest = DomainEvent, ""
        for version, topic, state in rows:
            try:
                if topic != newest:  # most rows have the topic of the row before
                    cls, newest = event_class(topic), topic
                    validate = cls.__pydantic_validator__.validate_json
                    is_upcast = cls.class_version > 1
                if is_packed:
                    state = self._opened(state, Place(STATE, stream, version, topic))
                if is_upcast:
                    state = _upcast(cls, state)
                event = validate(state)
                assert version > 0, "its version is not positive"
                columns = vars(event)  # whatever the state says of them
                columns["originator_id"] = stream
                columns["originator_version"] = version
            except Exception as error:
                raise _damaged(stream, version, topic, error) from error
            yield event

    def payload_content(self, event: DomainEvent, content: bytes) -> bytes:
        """Return the bytes of an event's payload as they were before they were encrypted."""
        place = Place(PAYLOAD, event.originator_id, event.originator_version, event.TOPIC)
        return decrypted(self.cipher, content, place)

    def _parted(self, event: DomainEvent) -> tuple[DomainEvent, bytes | None]:
        payload = event.payload
        if payload is None or payload.codec == "inline":
            return event, None
        if self.keeps_payloads_aside:
            assert payload.content is not None, "the bytes of a new event are at hand"
            return event, payload.content
        return event.model_copy(update={str(event.PAYLOAD_FIELD): payload.inlined()}), None

    def _opened(self, state: bytes, place: Place) -> bytes:
        state = decrypted(self.cipher, state, place)
        return self.compressor.decompress(state) if self.compressor else state


def keeping_payloads_aside(mapper: Mapper[Any]) -> Mapper[Any]:
    """Tell a mapper of ours, for a store that has a payload table."""
    if isinstance(mapper, EventMapper):
        mapper.keeps_payloads_aside = True
    return mapper


def _upcast(cls: type[DomainEvent], state: bytes) -> bytes:
    fields: dict[str, Any] = json.loads(state)
    for version in range(fields.pop("class_version", 1), cls.class_version):
        getattr(cls, f"upcast_v{version}_v{version + 1}")(fields)
    return json.dumps(fields, ensure_ascii=False).encode()


def _damaged(stream: UUID, version: int, topic: str, error: Exception) -> DamagedEvent:
    if topic not in topics():
        why = "this resumelog knows no such topic"
    elif isinstance(error, ValidationError):
        why = validation_text(error)
    elif isinstance(error, AssertionError | ValueError):
        why = str(error)
    else:
        why = f"{type(error).__name__}: {error}"
    return DamagedEvent(topic=topic, stream=stream, version=version, why=why)
