"""One pass over sealed events: the newest good seal of each stream, and the first fault of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from eventsourcing.persistence import PersistenceError

from resumelog.application.audit_faults import Fault, Part, of_a_stream, of_positions, unreadable
from resumelog.application.event_log import EventLog
from resumelog.application.payload_audit import PayloadAudit
from resumelog.application.ports import SealedEvents
from resumelog.application.sealed_pages import FIRST, Damage, by_position, by_version
from resumelog.application.sealed_streams import missed, name_of
from resumelog.domain.events import PayloadsRemoved
from resumelog.domain.seal_faults import Finding, Row, diagnose, follows
from resumelog.domain.seals import NO_SEAL, Head, SealedRow, seal

Progress = Callable[[int, int], None]
NOT_FOLLOWED = (FIRST, NO_SEAL)


class Scan:
    """What is known of each stream so far. Memory is bounded by the number of streams."""

    def __init__(
        self, log: EventLog, recorder: SealedEvents, payloads: PayloadAudit | None
    ) -> None:
        """Begin with nothing read."""
        self._log, self._recorder, self._payloads = log, recorder, payloads
        self.events = self.payloads = 0
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.faults: dict[str, Fault] = {}
        self.damage: list[Fault] = []
        self._removed: dict[str, int] = {}
        self._last = FIRST

    def whole(self, on_progress: Progress | None) -> None:
        """Check every stream, in the order of positions."""

        pages = by_position(self._recorder, lambda each: self.damage.append(of_positions(each)))
        self._check(pages, on_progress, self._about())
        if self.damage:
            self._find_what_damage_hides()

    def one(self, stream: str, on_progress: Progress | None) -> None:
        """Check one stream, in the order of versions."""
        found: list[Damage] = []
        self._check(by_version(self._recorder, stream, found.append), on_progress, 0)
        if found and stream not in self.faults:
            self._fault(stream, unreadable(found[0]))

    def require(self, head: Head) -> None:
        """Compare a stream with a head from a manifest."""
        version, sealed = self.heads.get(head.stream, NOT_FOLLOWED)
        if head.stream in self.faults or (version, sealed) == (head.version, head.seal):
            return
        if finding := missed(self._recorder, head, version):
            self._fault(head.stream, finding)

    def _check(
        self, pages: Iterable[Sequence[SealedRow]], on_progress: Progress | None, total: int
    ) -> None:
        for rows in pages:
            self._follow(rows)
            self.events += len(rows)
            if on_progress:
                on_progress(self.events, total)

    def _follow(self, rows: Sequence[SealedRow]) -> None:
        """The inner loop: what it does is done for every event of a log."""
        heads = self.heads
        carriers = self._payloads.topics if self._payloads else ()
        last = self._last
        for row in rows:
            position, stream, version, topic, state, stored = row
            try:
                known, previous = heads[stream]
                good = (
                    version == known + 1
                    and position > last
                    and seal(previous, stream, version, topic, state) == stored
                )
            except (KeyError, AttributeError, TypeError):
                good = False
            if good:
                heads[stream] = (version, stored)
            elif not self._begins(row):
                continue
            last = position
            if topic in carriers:
                self._check_payload(row)
        self._last = last

    def _begins(self, row: SealedRow) -> bool:
        """Take the first event of a stream in; anything else is that stream's fault."""
        position, stream, version, *_, stored = row
        if stream not in self.heads and _is_first(Row(*row)):
            self.heads[stream] = (version, stored)
            return True
        if stream not in self.faults:
            twice = Finding("inserted", version, position, "its number is there twice")
            self.heads[stream] = NOT_FOLLOWED
            self._fault(stream, self._diagnosed(stream) or twice)
        return False

    def _diagnosed(self, stream: str) -> Finding | None:
        """Read a stream alone, from its beginning, and say what is wrong with it."""
        found: list[Damage] = []
        pages = by_version(self._recorder, stream, found.append)
        finding = diagnose(row for page in pages for row in page)
        return unreadable(found[0]) if finding is None and found else finding

    def _find_what_damage_hides(self) -> None:
        """Where positions can't be read, a stream may end without a word."""
        for stream in self.heads.keys() - self.faults.keys():
            if finding := self._diagnosed(stream):
                self._fault(stream, finding)

    def _check_payload(self, row: SealedRow) -> None:
        assert self._payloads is not None
        position, stream, version, topic, state, _ = row
        is_aside, kind, why = self._payloads.check(stream, version, topic, state)
        self.payloads += is_aside
        if kind and not (is_aside and self._is_removed_after(stream, version)):
            self.heads[stream] = NOT_FOLLOWED
            self._fault(stream, Finding(kind, version, position, why), "payload")

    def _is_removed_after(self, stream: str, version: int) -> bool:
        """Tell whether payloads up to a version were removed on purpose."""
        if self._removed.get(stream, FIRST) < version:
            pages = by_version(self._recorder, stream, lambda _: None)
            removals = (row for page in pages for row in page if row[3] == PayloadsRemoved.TOPIC)
            numbers = (row[2] for row in removals if type(row[2]) is int)
            self._removed[stream] = max(numbers, default=FIRST)
        return self._removed[stream] > version

    def _fault(self, stream: str, finding: Finding, part: Part = "event") -> None:
        job = name_of(stream, self._recorder, self._log)
        self.faults[stream] = of_a_stream(stream, job, finding, part)

    def _about(self) -> int:
        try:
            return self._log.recorder.max_notification_id() or 0
        except PersistenceError:
            return 0


def _is_first(row: Row) -> bool:
    return type(row.version) is int and follows(NO_SEAL, row)
