"""Between events and what is stored: validated, upcast, and never importing what a topic names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ValidationError

from resumelog.application.errors import DamagedEvent
from resumelog.domain.events import DomainEvent, event_class
from resumelog.domain.values import validation_text

COLUMNS = {"originator_id", "originator_version"}


@dataclass(frozen=True)
class StoredEventWithPayload(StoredEvent):
    """A stored event whose payload belongs into the payload table, in the same transaction."""

    payload: bytes


class EventMapper(Mapper[UUID]):
    """eventsourcing's mapper for DomainEvents: the state is their JSON without the columns.

    A factory whose store has a payload table sets `keeps_payloads_aside`.
    """

    keeps_payloads_aside = False

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Return the stored form, with a large payload beside it or inside."""
        assert isinstance(domain_event, DomainEvent)
        event, content = self._parted(domain_event)
        state = event.model_dump_json(exclude=COLUMNS, exclude_none=True).encode()
        if event.class_version > 1:
            state = b'{"class_version":%d,%b' % (event.class_version, state[1:])
        if self.compressor:
            state = self.compressor.compress(state)
        columns = (event.originator_id, event.originator_version, event.TOPIC)
        if content is None:
            return StoredEvent(*columns, self._encrypted(state))
        return StoredEventWithPayload(
            *columns, self._encrypted(state), payload=self._encrypted(content)
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEvent:
        """Return the event; raise DamagedEvent, which names topic, stream and version."""
        try:
            cls = event_class(stored_event.topic)
        except KeyError:
            raise _damaged(stored_event, "this resumelog knows no such topic") from None
        try:
            state = stored_event.state
            if self.cipher:
                state = self.cipher.decrypt(state)
            if self.compressor:
                state = self.compressor.decompress(state)
            if cls.class_version > 1:
                state = _upcast(cls, state)
            return cls.model_validate_json(_with_columns(stored_event, state))
        except ValidationError as error:
            raise _damaged(stored_event, validation_text(error)) from error
        except Exception as error:
            raise _damaged(stored_event, f"{type(error).__name__}: {error}") from error

    def _parted(self, event: DomainEvent) -> tuple[DomainEvent, bytes | None]:
        payload = event.payload
        if payload is None or payload.codec == "inline":
            return event, None
        if self.keeps_payloads_aside:
            assert payload.content is not None, "the bytes of a new event are at hand"
            return event, payload.content
        (field,) = (name for name, part in vars(event).items() if part is payload)
        return event.model_copy(update={field: payload.inlined()}), None

    def _encrypted(self, content: bytes) -> bytes:
        return self.cipher.encrypt(content) if self.cipher else content


def _with_columns(stored: StoredEvent, state: bytes) -> bytes:
    """Put the columns back into the JSON object, so that one validation covers all.

    They come last: of a name that stands twice, the last counts.
    """
    assert state[-1:] == b"}", "the state is no JSON object"
    return b'%b%b"originator_id":"%b","originator_version":%d}' % (
        state[:-1],
        b"," if len(state) > 2 else b"",
        str(stored.originator_id).encode(),
        stored.originator_version,
    )


def _upcast(cls: type[DomainEvent], state: bytes) -> bytes:
    fields: dict[str, Any] = json.loads(state)
    for version in range(fields.pop("class_version", 1), cls.class_version):
        getattr(cls, f"upcast_v{version}_v{version + 1}")(fields)
    return json.dumps(fields, ensure_ascii=False).encode()


def _damaged(stored: StoredEvent, why: str) -> DamagedEvent:
    return DamagedEvent(
        topic=stored.topic,
        stream=stored.originator_id,
        version=stored.originator_version,
        why=why,
    )
