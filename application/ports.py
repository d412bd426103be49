"""What the application needs from outside. The store itself is eventsourcing's recorder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Literal, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from eventsourcing.persistence import Tracking, TrackingRecorder

from resumelog.application.job_row import JobRow
from resumelog.domain.events import DomainEvent
from resumelog.domain.seals import Head
from resumelog.domain.seals import SealedRow as SealedRow  # stores know it from their port
from resumelog.domain.values import Artifact, Attempt, Claim, Worker

PARTIAL_MARK = ".partial-"

Verify = Literal["stat", "sha256", "off"]
"""How closely a recorded file is looked at before it counts."""


class Clock(Protocol):
    """Wall clock for what is recorded, monotonic clock for what is measured."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def wait(self, event: Event, seconds: float) -> None:
        """Return once the event is set, or so many seconds have passed."""
        ...


class InFlight(NamedTuple):
    """The nth attempt at a unit, begun, and what it leaves behind when it is cut off.

    `group` is the process group that works on it, `started` that group's start time (as
    `Worker.started`), `partial` the temporary path that it writes to, with PARTIAL_MARK in its name:
    nothing else is ever removed.
    """

    key: str
    attempt: int
    group: int | None = None
    started: int | None = None
    partial: str | None = None

    def as_attempt(self) -> Attempt:
        """Return it as the domain counts it."""
        return Attempt(self.key, self.attempt)


@dataclass(slots=True)
class InFlightNote:
    """What a lease says of what is in flight, to be written in the transaction of events.

    A recorder of ours sets `is_written` once that is committed and the lease still has its epoch;
    one that knows no leases takes no notice.
    """

    stream: UUID
    epoch: int
    in_flight: str
    is_written: bool = False


class Leases(Protocol):
    """One worker at a time on a stream; `worker` is who asks."""

    @property
    def worker(self) -> Worker:
        """Return the identity of this process."""
        ...

    def acquire(self, stream: UUID, job: str, floor: int, *, force: bool = False) -> Claim:
        """Return a claim whose epoch is above `floor` and every earlier one.

        What a dead holder left running has ended, and its temporary files are gone, when this
        returns. Raises AlreadyRunning unless the holder is gone or `force` is given.
        """
        ...

    def begun(self, stream: UUID, claim: Claim, units: tuple[InFlight, ...]) -> None:
        """Note what is in flight now, for a successor. Survives a kill, not a power loss.

        Raises LeaseLost once another worker has the lease.
        """
        ...

    def note(self, stream: UUID, claim: Claim, units: tuple[InFlight, ...]) -> InFlightNote:
        """Return what `begun` would write, for the transaction of an event."""
        ...

    def release(self, stream: UUID, claim: Claim) -> None:
        """Give the lease back; nothing is in flight any more."""
        ...

    def abandon(self, stream: UUID, claim: Claim) -> None:
        """Give the lease back, and leave what is in flight to the next worker."""
        ...

    def holder(self, stream: UUID) -> str | None:
        """Return who holds the lease, as text; None when nobody does."""
        ...

    def require_free(self, stream: UUID, job: str, floor: int) -> None:
        """Raise AlreadyRunning where `acquire` would, and take nothing."""
        ...


class LeftBehind(NamedTuple):
    """What a dead worker left of one stream: files by path with their bytes, process groups."""

    stream: UUID
    files: tuple[tuple[str, int], ...]
    groups: tuple[int, ...]


class Remains(Protocol):
    """What workers of this machine that are gone for certain left behind, as their leases note it."""

    def found(self) -> list[LeftBehind]:
        """Return what is still there."""
        ...

    def remove(self, stream: UUID, job: str) -> None:
        """End and remove it as a takeover does; what was in flight stays noted for the successor.

        Raises AlreadyRunning where one has taken over meanwhile.
        """
        ...


EventRow = tuple[int, str, bytes]
"""Version, topic and stored state of one event of a stream."""


class EventReader(Protocol):
    """What turns stored events back into events."""

    def events(self, stream: UUID, rows: Iterable[EventRow]) -> Iterator[DomainEvent]:
        """Iterate over the events of a stream's rows; raise DamagedEvent for one that is none."""
        ...

    def payload_content(self, event: DomainEvent, content: bytes) -> bytes:
        """Return the bytes of an event's payload as they were before they were encrypted."""
        ...


@runtime_checkable
class EventRows(Protocol):
    """What a recorder that was made for replay can read without an object for every row."""

    def select_rows(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[EventRow]:
        """Return what `select_events` does, as plain rows."""
        ...

    def last_origin(self, originator_id: UUID) -> int | None:
        """Return the version of the newest origin in a stream; None where there is none."""
        ...

    def select_versions(
        self, originator_id: UUID | str, versions: Sequence[int]
    ) -> Sequence[EventRow]:
        """Return the events with these versions, in their order."""
        ...

    def select_payload(self, originator_id: UUID, version: int) -> bytes:
        """Return the stored bytes of an event's payload. Raises PayloadGone."""
        ...

    def count_payloads(self, originator_id: UUID) -> tuple[int, int]:
        """Return how many payloads a stream has beside its events, and their bytes as stored."""
        ...


@runtime_checkable
class SealedEvents(Protocol):
    """What a recorder that seals its events can show to an auditor, a page at a time."""

    def sealed_by_position(self, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events after a position, in the order of their positions.

        What stands before `gt` is not needed to find them, so that damage there is no hindrance.
        """
        ...

    def sealed_by_version(self, stream: UUID | str, *, gt: int, limit: int) -> Sequence[SealedRow]:
        """Return the events of a stream after a version, in the order of their versions.

        A stream may also be named as it stands in the table.
        """
        ...

    def sealed_heads(self, *, gt: str, limit: int) -> Sequence[Head]:
        """Return the newest event of each stream after a stream, in the order of streams."""
        ...

    def damage(self, *, limit: int) -> Sequence[str]:
        """Return what the database's own check finds wrong with its structure, a line each."""
        ...


class JobsView(TrackingRecorder, ABC):
    """The rows of the `jobs` projection and the position of the log that they were folded to.

    As eventsourcing asks of a view, it is the tracking recorder of its projection.
    """

    @abstractmethod
    def read(self, streams: Iterable[UUID]) -> dict[UUID, JobRow]:
        """Return the rows of these streams, as far as there are any. Raises DamagedView."""

    @abstractmethod
    def save(self, rows: Iterable[JobRow], tracking: Tracking, after: int) -> None:
        """Save rows that were folded from position `after` on, and the new position, in one go.

        Raises IntegrityError where the view is not at `after` any more.
        """

    @abstractmethod
    def replace(self, rows: Iterable[JobRow], tracking: Tracking) -> None:
        """Let these rows and this position take the place of all that is there, in one go."""

    @abstractmethod
    def select(
        self,
        kinds: Collection[str],
        statuses: Collection[str],
        limit: int | None,
        below: int | None = None,
    ) -> list[JobRow]:
        """Return rows of some kinds and statuses (empty: any), the one that changed last first.

        `below`: only those that changed before this position. Raises DamagedView.
        """

    @abstractmethod
    def count(self, kinds: Collection[str], statuses: Collection[str]) -> int:
        """Count the rows that `select` would return without a limit."""

    @abstractmethod
    def beginning_with(self, prefix: str, limit: int) -> list[JobRow]:
        """Return rows whose stream's id in hex begins so, in the order of their ids."""


class LoopSignals(AbstractContextManager[object], Protocol):
    """Lets SIGTERM and SIGHUP end an event loop, while a task of the main thread is in it."""

    def cause_of(self, error: BaseException | None) -> BaseException | None:
        """Return the signal where that is why a task was cancelled, else the error itself."""
        ...


class SignalHold(AbstractContextManager[object], Protocol):
    """Lets SIGTERM and SIGHUP raise Terminated, and knows what came, Ctrl+C as well."""

    def came(self) -> BaseException | None:
        """Return what the first signal raised that came while it was entered; None without one."""
        ...


class Signals(AbstractContextManager[object], Protocol):
    """Lets SIGTERM and SIGHUP raise Terminated, while the main thread is in it."""

    def held(self) -> SignalHold:
        """Return what does so for one that may be left in another thread than it entered in.

        Left without having been entered, it does nothing.
        """
        ...

    @property
    def in_loop(self) -> LoopSignals:
        """Return what does the same for the tasks of an event loop."""
        ...


class Artifacts(Protocol):
    """Files that jobs make."""

    def absolute(self, path: str | Path) -> Path:
        """Return where a path below the root is."""
        ...

    def no_place(self, final: Path) -> str:
        """Return what stands where a file is to be made; empty where there is none, or a file."""
        ...

    def partial(self, final: Path, mark: str = "") -> Path:
        """Return a temporary path beside `final`, with its suffix: that of `mark`, or a new one."""
        ...

    def sync(self, path: Path) -> None:
        """Make what was written to a file durable."""
        ...

    def begin_with(self, path: Path, partial: Path) -> None:
        """Copy a file, if there is one, to a temporary path at which nothing stands."""
        ...

    def note(self, partial: Path, *, written: bool = False, doubtful: bool = False) -> None:
        """Note that an attempt began with a kept temporary path, or has written to it, or in doubt."""
        ...

    def is_doubtful(self, partial: Path) -> bool:
        """Tell whether what stands at a kept temporary path was noted as in doubt."""
        ...

    def is_lost(self, partial: Path, *, was_noted: bool = True) -> bool:
        """Tell whether nothing stands at a kept temporary path though something had been there."""
        ...

    def double(self, partial: Path, beside: Path) -> None:
        """Give a file a second name, or make a copy."""
        ...

    def kept(self, final: Path, mark: str) -> list[Path]:
        """Return the temporary paths of a mark and an epoch that are in use, the newest first."""
        ...

    def take_over(self, partial: Path, beside: Path, to: Path) -> None:
        """Let a kept file go on at another path, as a copy made at `beside`: its writer may live."""
        ...

    def part(self, partial: Path) -> None:
        """Let a file that has a second name have its content for itself."""
        ...

    def discard(self, partial: Path) -> None:
        """Remove what stands at a temporary path."""
        ...

    def commit(
        self, partial: Path, final: Path, last_look: Callable[[], object] | None = None
    ) -> Artifact:
        """Make the file durable, move it into place, and describe it.

        What `last_look` raises, right before it is moved, leaves it where it is.
        """
        ...

    def settle(self, path: Path) -> Artifact:
        """Make a file that is in its place durable, and describe it."""
        ...

    def stamp(self, path: Path, *, patiently: bool = False) -> tuple[int, ...]:
        """Return what any writing to a file alters; empty where there is none, or it is new.

        Patiently, it waits until the file is not new any more; empty where it is still written to.
        """
        ...

    def path_of(self, artifact: Artifact) -> Path:
        """Return where a recorded file is."""
        ...

    def fault(self, artifact: Artifact, verify: Verify = "stat") -> str:
        """Return why a recorded file no longer counts; empty while it is intact.

        "stat" looks at its size and mtime, and at its content only where the mtime differs.
        """
        ...
