"""What every aggregate is: an id, a version, a table from event to evolve method, and a fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial as draft
from typing import Any, ClassVar, Self, TypeVar, get_type_hints
from uuid import UUID, uuid5

from pydantic import JsonValue, ValidationError

from resumelog.domain.errors import (
    AlreadyRecorded,
    BadField,
    BrokenStream,
    LeaseLost,
    NotBegun,
    NotFinished,
    NothingToFork,
)
from resumelog.domain.events import (
    DomainEvent,
    Events,
    Forked,
    Imported,
    PayloadsRemoved,
    StreamEvent,
    register_kind,
)
from resumelog.domain.values import (
    Claim,
    JsonObject,
    Worker,
    canonical_json,
    checked_key,
    error_text,
    require_cursor,
    validation_text,
)

__all__ = ["ORIGIN_TOPICS", "Draft", "EventSourced", "draft", "evolves", "stream_id"]

STREAMS = UUID("6f1d3b0a-3f0e-5d55-9a43-4d0a5b9c7e21")
"""The namespace of every stream id. It never changes."""

ORIGIN_TOPICS = ("resumelog.AutoPilotRun.Reset", "resumelog.ExportJob.Restarted")
"""The topics of every kind's origins, by which a store finds the last one; stores index them."""

Draft = draft[Any]
"""The class of an event and its own fields, before it is numbered."""

_Evolve = TypeVar("_Evolve", bound=Callable[..., None])


def stream_id(kind: str, natural_key: Iterable[str]) -> UUID:
    """Return uuid5 over the JSON array of kind and natural key: after a restart, the same key finds it."""
    return uuid5(STREAMS, canonical_json([kind, *natural_key]).decode())


def evolves(method: _Evolve) -> _Evolve:
    """Mark an evolve method: it takes the event that its annotation names, assigns, never raises."""
    method.__dict__["evolves"] = True
    return method


class EventSourced:
    """A state that is only ever the fold of its events.

    Commands check and return new events, numbered from `version + 1`, and change nothing; `fold`
    is the one thing that changes a state. A kind says in which statuses it is `finished`, in
    which a worker may be `at_work`, which it is `at_rest` in, and which events are `origins`: they
    carry all that the state keeps across them, so that a fold may begin at one.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    key_fields: ClassVar[tuple[str, ...]]
    finished: ClassVar[frozenset[StrEnum]]
    at_work: ClassVar[frozenset[StrEnum]]
    at_rest: ClassVar[StrEnum]
    origins: ClassVar[tuple[type[DomainEvent], ...]] = ()
    _table: ClassVar[dict[type[DomainEvent], Callable[[Any, Any], None]]]

    status: StrEnum

    def __init_subclass__(cls) -> None:
        """Fill the evolve table from the annotations, and register the kind."""
        super().__init_subclass__()
        cls._table = {}
        for method in (getattr(cls, name) for name in dir(cls)):
            if getattr(method, "evolves", False):
                cls._table[get_type_hints(method)["event"]] = method
        register_kind(cls.kind, cls)

    def __init__(self, id: UUID, natural_key: tuple[str, ...] = ()) -> None:  # noqa: A002 - the library's protocol names it so
        """Begin empty; use `named` to begin from a natural key."""
        self.id = id
        self.version = 0
        self.natural_key = natural_key
        self.epoch = 0
        self.worker: Worker | None = None
        self.decided_by: dict[str, DomainEvent] = {}
        self.created_at: datetime | None = None
        self.modified_at: datetime | None = None
        self.imported_from: str | None = None
        self.payloads_removed_at = 0

    @classmethod
    def named(cls, *natural_key: object) -> Self:
        """Return the empty state of the stream with this natural key; raise BadKey for a bad one."""
        names = zip(natural_key, cls.key_fields, strict=True)
        checked = tuple(checked_key(part, f"the {field}") for part, field in names)
        return cls(stream_id(cls.kind, checked), checked)

    def fold(self, events: Iterable[DomainEvent]) -> Self:
        """Evolve this state by events that follow it, in their order, and return it.

        Raises BrokenStream where one is missing or twice.
        """
        table, version = self._table, self.version
        try:
            for event in events:
                after = event.originator_version
                if after != version + 1 and (version or not isinstance(event, self.origins)):
                    raise BrokenStream(self.title, before=version, after=after)
                table[type(event)](self, event)
                version = after
                self.modified_at = event.timestamp
                if self.created_at is None:
                    self.created_at = event.timestamp
        finally:
            self.version = version
        return self

    def begin_anew(self, natural_key: tuple[str, ...]) -> None:
        """Forget all but the id, for the evolve method of an origin."""
        vars(self).update(vars(type(self)(self.id, natural_key)))

    @property
    def title(self) -> str:
        """How messages name this job."""
        return f"{self.noun} {'/'.join(self.natural_key) or self.id}"

    # What commands are made of

    def new(self, at: datetime, *drafts: Draft) -> Events:
        """Number the drafts from the next version on and stamp them with the time in UTC.

        Raises BadField for a value that an event can't hold.
        """
        if at.tzinfo not in (UTC, None):
            at = at.astimezone(UTC)
        made = []
        try:
            for version, new in enumerate(drafts, self.version + 1):
                columns = {"originator_id": self.id, "originator_version": version, "timestamp": at}
                validator = new.func.__pydantic_validator__  # type: ignore[attr-defined]  # a draft's func is an event's class
                made.append(validator.validate_python(new.keywords | columns))
        except ValidationError as error:
            raise BadField(self.title, why=validation_text(error)) from None
        return (*made,)

    def require_claim(self, by: Claim) -> None:
        """Raise LeaseLost for an epoch that is over, NotBegun for one that has not begun."""
        if by.epoch < self.epoch:
            raise LeaseLost(self.title, epoch=by.epoch, current=self.epoch)
        if by.epoch > self.epoch:
            raise NotBegun(self.title, epoch=by.epoch, current=self.epoch)

    def require_newer(self, by: Claim) -> None:
        """Raise LeaseLost unless the claim is newer than every epoch of this stream."""
        if by.epoch <= self.epoch:
            raise LeaseLost(self.title, epoch=by.epoch, current=self.epoch)

    def require_json(self, what: str, value: JsonValue) -> None:
        """Raise NotJson or TooLarge unless it fits beside an event's other fields."""
        if value is not None:
            require_cursor(value, what, self.title)

    # Commands of every kind

    def import_from(
        self,
        source: str,
        sha256: str,
        at: datetime,
        *then: Draft,
        recorded_at: datetime | None = None,
        recorded: JsonObject | None = None,
    ) -> Events:
        """Begin the stream from a legacy file, and `then` with what that comes to in events.

        Raises AlreadyRecorded if it holds anything else.
        """
        if self.imported_from == sha256:
            return ()
        if self.version:
            raise AlreadyRecorded(self.title, version=self.version)
        self.require_json("what the file recorded", recorded or {})
        return self.new(
            at,
            draft(
                Imported,
                stream_kind=self.kind,
                natural_key=self.natural_key,
                source=source,
                sha256=sha256,
                recorded_at=recorded_at,
                recorded=recorded or {},
            ),
            *then,
        )

    def fork(self, events: Iterable[DomainEvent], actor: str, at: datetime) -> Events:
        """Begin this empty stream as a copy of another's events, up to the last one given.

        The copies keep their versions (payloads are copied beside them) and take this natural key.
        """
        if self.version:
            raise AlreadyRecorded(self.title, version=self.version)
        source = tuple(events)
        if not source or source[0].originator_version != 1:
            raise NothingToFork(self.title)
        last = source[-1]
        copies = tuple(self._copied(event) for event in source)
        (end,) = self.new(
            at,
            draft(
                Forked,
                stream_kind=self.kind,
                natural_key=self.natural_key,
                from_stream=last.originator_id,
                from_version=last.originator_version,
                actor=actor,
            ),
        )
        return (*copies, end.model_copy(update={"originator_version": len(copies) + 1}))

    def _copied(self, event: DomainEvent) -> DomainEvent:
        update: dict[str, Any] = {"originator_id": self.id}
        if isinstance(event, StreamEvent):
            update |= {"natural_key": self.natural_key} if hasattr(event, "natural_key") else {}
        elif self.key_fields[0] in type(event).model_fields:
            update |= dict(zip(self.key_fields, self.natural_key, strict=True))
        return event.model_copy(update=update)

    def remove_payloads(self, reason: str, actor: str, at: datetime) -> Events:
        """Give up the payloads of a finished job; its events and seals stay."""
        if self.status not in self.finished:
            raise NotFinished(self.title, command="remove payloads", status=self.status)
        if self.payloads_removed_at == self.version:
            return ()
        removed = draft(
            PayloadsRemoved, stream_kind=self.kind, reason=error_text(reason), actor=actor
        )
        return self.new(at, removed)

    # Evolve

    @evolves
    def _imported(self, event: Imported) -> None:
        self.natural_key = event.natural_key
        self.imported_from = event.sha256

    @evolves
    def _forked(self, event: Forked) -> None:
        self.natural_key = event.natural_key
        if self.status in self.at_work:
            self._became(self.at_rest, event)

    @evolves
    def _payloads_removed(self, event: PayloadsRemoved) -> None:
        self.payloads_removed_at = event.originator_version

    def _became(self, status: StrEnum, event: DomainEvent) -> None:
        self.status = status
        self.decided_by["status"] = event

    def _worked_on_by(self, worker: Worker, event: DomainEvent) -> None:
        self.worker, self.epoch = worker, event.epoch or 0
        self.decided_by["worker"] = event

    def __repr__(self) -> str:
        return f"<{self.title}: {self.status}, version {self.version}>"

    def __eq__(self, other: object) -> bool:
        """States are equal when they are the same kind with the same facts."""
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # a state changes, so it has no hash
