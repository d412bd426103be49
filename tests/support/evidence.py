"""What must hold of a log, whatever happened to it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from uuid import UUID

from support.logs import events_of

import resumelog
from resumelog import ResumeLog
from resumelog.domain.aggregate import EventSourced
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.scene_events import SceneCompleted
from resumelog.domain.seals import NO_SEAL, seal
from resumelog.domain.values import canonical_json

ALL_ROWS = 1_000_000


def sound(path: Path) -> dict[str, int]:
    """Open a log, require that it is whole, and return the newest version of each stream."""
    with resumelog.open(path) as log:
        versions = sealed_versions(log)
        for stream in versions:
            require_readable(log, UUID(stream))
    return versions


def sealed_versions(log: ResumeLog) -> dict[str, int]:
    """Require rising positions, versions without a gap, and seals that chain."""
    recorder = log.log.recorder
    rows = recorder.sealed_by_position(gt=0, limit=ALL_ROWS)  # type: ignore[attr-defined]  # an auditor's
    versions: dict[str, int] = defaultdict(int)
    seals: dict[str, bytes] = defaultdict(lambda: NO_SEAL)
    last = 0
    for position, stream, version, topic, state, sealed in rows:
        assert position > last
        assert version == versions[stream] + 1, f"{stream} has no version {versions[stream] + 1}"
        assert sealed == seal(seals[stream], stream, version, topic, state)
        last, versions[stream], seals[stream] = position, version, sealed
    return dict(versions)


def require_readable(log: ResumeLog, stream: UUID) -> None:
    """Require that every event of a stream is valid and that the value kept with it is there."""
    for event in log.log.history(stream):
        if event.payload:
            content = canonical_json(log.log.value_of(event), "a value")
            assert hashlib.sha256(content).hexdigest() == event.payload.sha256


def units_of(log: ResumeLog, export: EventSourced) -> list[int | None]:
    """Return how many units each save of an export said were done."""
    events = events_of(log, export)
    return [event.units_done for event in events if isinstance(event, ProgressSaved)]


def scenes_of(log: ResumeLog, batch: EventSourced) -> list[str]:
    """Return the scenes of a batch in the order in which they were done."""
    return [event.scene for event in events_of(log, batch) if isinstance(event, SceneCompleted)]
