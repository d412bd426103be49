"""The base of every event, the registry of their topics, and the events that all kinds share.

Topics and field names are the storage format: a stored event is upcast on reading, never changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PositiveInt

from resumelog.domain.values import TEXT_CHARS_MAX, JsonObject, Payload, Sha256

if TYPE_CHECKING:
    from resumelog.domain.aggregate import EventSourced

Events = tuple["DomainEvent", ...]

_topics: dict[str, type[DomainEvent]] = {}
_kinds: dict[str, type[EventSourced]] = {}


class DomainEvent(BaseModel):
    """Something that happened to one stream, frozen.

    `originator_version` counts the stream's events from 1, `timestamp` is UTC, and `epoch` is that
    of the worker who wrote it (None: a control command). Stream and version are no part of the
    stored form: until a command numbers a new event, or a mapper a stored one, they are 0. A class whose stored form changed sets
    `class_version` and has `upcast_vN_vM(state)` static methods, as eventsourcing names them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=TEXT_CHARS_MAX)

    TOPIC: ClassVar[str] = ""
    class_version: ClassVar[int] = 1
    PAYLOAD_FIELD: ClassVar[str | None] = None

    originator_id: UUID = Field(UUID(int=0), exclude=True)
    originator_version: PositiveInt = Field(0, exclude=True)
    timestamp: AwareDatetime
    epoch: int | None = None

    def __init_subclass__(cls, *, topic: str = "", **kwargs: Any) -> None:
        """Register the class under its topic."""
        super().__init_subclass__(**kwargs)
        if topic in _topics:
            raise TypeError(f"topic {topic} belongs to {_topics[topic].__qualname__}")
        if topic:
            cls.TOPIC = topic
            _topics[topic] = cls

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Find the one field that may hold a payload."""
        super().__pydantic_init_subclass__(**kwargs)
        fields = cls.model_fields.items()
        found = [name for name, field in fields if field.annotation in (Payload, Payload | None)]
        assert len(found) <= 1, "the payload table has one row an event"
        cls.PAYLOAD_FIELD = found[0] if found else None

    @property
    def kind(self) -> str:
        """The kind of stream that it belongs to, which is the topic's middle word."""
        return self.TOPIC.split(".")[1]

    @property
    def payload(self) -> Payload | None:
        """The value that is kept with it, of which an event has one at most."""
        return getattr(self, self.PAYLOAD_FIELD) if self.PAYLOAD_FIELD else None

    def mutate(self, aggregate: EventSourced | None) -> EventSourced:
        """Evolve a state by this event, as eventsourcing's stock projector asks for it."""
        state = _kinds[self.kind](self.originator_id) if aggregate is None else aggregate
        return state.fold((self,))


def event_class(topic: str) -> type[DomainEvent]:
    """Return the class registered for a topic; raise KeyError for any other, and import nothing."""
    return _topics[topic]


def topics() -> dict[str, type[DomainEvent]]:
    """Return a copy of the whole catalogue."""
    return dict(_topics)


def kinds() -> dict[str, type[EventSourced]]:
    """Return the aggregates by kind."""
    return dict(_kinds)


def register_kind(kind: str, aggregate: type[EventSourced]) -> None:
    """Let events of `kind` begin a stream of `aggregate`."""
    _kinds[kind] = aggregate


class StreamEvent(DomainEvent):
    """An event that belongs to every kind, and so names it."""

    stream_kind: str

    @property
    def kind(self) -> str:
        """The kind that it names."""
        return self.stream_kind


class Imported(StreamEvent, topic="resumelog.Imported"):
    """Begins a stream that came from a legacy file; `recorded` is what that file said."""

    natural_key: tuple[str, ...]
    source: str
    sha256: Sha256
    recorded_at: datetime | None = None
    recorded: JsonObject = {}


class Forked(StreamEvent, topic="resumelog.Forked"):
    """Ends what was copied from another stream; from here on this one goes its own way."""

    natural_key: tuple[str, ...]
    from_stream: UUID
    from_version: PositiveInt
    actor: str


class PayloadsRemoved(StreamEvent, topic="resumelog.PayloadsRemoved"):
    """The payloads of all earlier events of this stream are gone on purpose."""

    reason: str
    actor: str
