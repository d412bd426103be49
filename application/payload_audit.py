"""Whether the values kept beside the events are those that the events name."""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast
from uuid import UUID

from eventsourcing.persistence import PersistenceError, StoredEvent

from resumelog.application.errors import DamagedEvent, PayloadGone
from resumelog.application.event_log import EventLog
from resumelog.application.sealed_pages import reason
from resumelog.domain.events import DomainEvent, topics
from resumelog.domain.seal_faults import FaultKind
from resumelog.domain.values import Payload


class _PayloadTable(Protocol):
    def select_payload(self, originator_id: UUID, version: int) -> bytes: ...


class Checked(NamedTuple):
    """Whether there is a payload beside the event, and what is wrong with it, if anything."""

    is_aside: bool
    kind: FaultKind | None = None
    why: str = ""


NOTHING = Checked(is_aside=False)
INTACT = Checked(is_aside=True)


class PayloadAudit:
    """Checks the payloads of one log, each against its event."""

    def __init__(self, log: EventLog) -> None:
        """Decode events, and decrypt payloads, with this log's mapper."""
        self._log = log
        self._table = cast("_PayloadTable", log.recorder)
        self.topics = frozenset(topic for topic, cls in topics().items() if cls.PAYLOAD_FIELD)
        """Only events with these topics can carry a payload; no other need be decoded."""

    def check(self, stream: str, version: int, topic: str, state: bytes) -> Checked:
        """Return whether the event's payload is what was written."""
        try:
            stored = StoredEvent(UUID(stream), version, topic, state)
            event = self._log.decode(stored)
        except (DamagedEvent, ValueError) as error:
            return Checked(is_aside=False, kind="unreadable", why=str(error))
        payload = event.payload
        if payload is None or payload.codec == "inline":
            return NOTHING
        return self._compared(event, payload)

    def _compared(self, event: DomainEvent, payload: Payload) -> Checked:
        try:
            content = self._table.select_payload(event.originator_id, event.originator_version)
        except PayloadGone:
            return Checked(is_aside=True, kind="missing", why="the value kept with it is gone")
        except (PersistenceError, MemoryError) as error:
            return Checked(is_aside=True, kind="unreadable", why=reason(error))
        why = self._differs(event, payload, content)
        if why:
            return Checked(is_aside=True, kind="altered", why=f"the value kept with it {why}")
        return INTACT

    def _differs(self, event: DomainEvent, payload: Payload, content: object) -> str:
        if not isinstance(content, bytes):
            return "is not bytes"
        try:
            plain = self._log.opened_payload(event, content)
        except Exception as error:  # noqa: BLE001 - each cipher has errors of its own
            return f"can't be decrypted: {type(error).__name__}"
        return payload.differs(plain)
