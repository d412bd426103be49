"""Single streams in an audit: what a manifest misses in one, and what its job is called."""

from __future__ import annotations

from uuid import UUID

from eventsourcing.persistence import PersistenceError, StoredEvent

from resumelog.application.audit_faults import unreadable
from resumelog.application.event_log import EventLog
from resumelog.application.ports import SealedEvents
from resumelog.application.sealed_pages import FIRST, LAST, Damage, reason
from resumelog.domain.events import kinds
from resumelog.domain.seal_faults import Finding
from resumelog.domain.seals import Head


def missed(recorder: SealedEvents, head: Head, version: int) -> Finding | None:
    """Return how a stream whose chain holds up to `version` falls short of a head, if it does.

    FIRST stands for a stream of which nothing was found.
    """
    after = max(min(version, head.version - 1), FIRST)
    try:
        rows = recorder.sealed_by_version(head.stream, gt=after, limit=1)
    except PersistenceError as error:
        return unreadable(Damage(after + 1, LAST, reason(error)))
    if rows and rows[0][2] == head.version and rows[0][5] == head.seal:
        return None
    if version == FIRST:
        why = f"the manifest has it, up to version {head.version}"
        return Finding("removed", None, None, why)
    if version < head.version:
        return Finding("cut", version + 1, None, f"the manifest has version {head.version}")
    why = "it was written anew up to here: the manifest has another seal"
    return Finding("altered", head.version, rows[0][0] if rows else None, why)


def name_of(stream: str, recorder: SealedEvents, log: EventLog) -> str | None:
    """Return the job's name, as its first event tells it; None where that can't be decoded."""
    try:
        (row,) = recorder.sealed_by_version(stream, gt=FIRST, limit=1)
        event = log.decode(StoredEvent(UUID(stream), row[2], row[3], row[4]))
        return "/".join(kinds()[event.kind](event.originator_id).fold((event,)).natural_key)
    except Exception:  # noqa: BLE001 - what is damaged may fail in any way, and has no name then
        return None
