"""Whether the log is still what was written: an audit of the seals, without the jobs' help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from eventsourcing.persistence import PersistenceError

from resumelog.application.audit_faults import Verdict, of_the_store
from resumelog.application.errors import AmbiguousJob, JobNotFound, NotSealed
from resumelog.application.event_log import EventLog
from resumelog.application.manifest import NO_MANIFEST, Manifest
from resumelog.application.payload_audit import PayloadAudit
from resumelog.application.ports import SealedEvents
from resumelog.application.queries import id_prefix, keyed
from resumelog.application.scan import Progress, Scan
from resumelog.application.sealed_pages import FIRST, PAGE, reason
from resumelog.domain.seals import Head

OWN_CHECK_MAX = 10


class Audit:
    """Questions to the seals of one log. They change nothing."""

    def __init__(self, log: EventLog) -> None:
        """Read from this log."""
        self._log = log

    def verify(
        self,
        stream: str | None = None,
        *,
        manifest: Manifest = NO_MANIFEST,
        payloads: bool = True,
        on_progress: Progress | None = None,
    ) -> Verdict:
        """Check every event, or those of one stream, and name the first fault of each stream.

        Reads page after page and keeps one seal a stream. With a manifest also what stood at the
        end is missed. `on_progress` is called with the events checked so far and about how many
        there are (0: unknown). Raises NotSealed.
        """
        recorder = self._sealed()
        scan = Scan(self._log, recorder, PayloadAudit(self._log) if payloads else None)
        if stream is None:
            scan.whole(on_progress)
        else:
            scan.one(stream, on_progress)
        for head in manifest.heads.values():
            if stream in (None, head.stream):
                scan.require(head)
        damage = _own_check(recorder) if stream is None else ()
        faults = (*scan.faults.values(), *scan.damage, *map(of_the_store, damage))
        return Verdict(
            events=scan.events, streams=len(scan.heads), payloads=scan.payloads, faults=faults
        )

    def heads(self) -> Iterator[Head]:
        """Iterate over the newest event of each stream, in the order of streams.

        A stream that is begun meanwhile may be left out. Raises NotSealed.
        """
        recorder, gt = self._sealed(), ""
        while page := recorder.sealed_heads(gt=gt, limit=PAGE):
            yield from page
            gt = page[-1].stream

    def find(self, name: str, manifest: Manifest = NO_MANIFEST) -> str:
        """Return the stream that a job's name means, even if its events can't be decoded.

        A stream that only the manifest knows counts too. Raises JobNotFound and AmbiguousJob.
        """
        known = {state.id.hex for state in keyed(name)}
        found = {stream for stream in known if stream in manifest.heads or self._is_there(stream)}
        if not found and (prefix := id_prefix(name)):
            streams = chain((head.stream for head in self.heads()), manifest.heads)
            found = {stream for stream in streams if stream.startswith(prefix)}
        if not found:
            raise JobNotFound(name=name)
        if len(found) > 1:
            raise AmbiguousJob(name=name, candidates=", ".join(sorted(found)))
        return found.pop()

    def _is_there(self, stream: str) -> bool:
        return bool(self._sealed().sealed_by_version(stream, gt=FIRST, limit=1))

    def _sealed(self) -> SealedEvents:
        recorder = self._log.recorder
        if not isinstance(recorder, SealedEvents):
            raise NotSealed(store=type(recorder).__module__)
        return recorder


def _own_check(recorder: SealedEvents) -> Sequence[str]:
    try:
        return recorder.damage(limit=OWN_CHECK_MAX)
    except PersistenceError as error:
        return (reason(error),)
