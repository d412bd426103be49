"""The events of a log, for programs that read its history: `log.queries.history(job)` iterates over them.

`exports`, `scenes` and `autopilot` hold those of one kind of job, `Imported`, `Forked` and
`PayloadsRemoved` belong to all. Their names, topics and fields are the storage format: they stay.
"""

from __future__ import annotations

from resumelog.domain import autopilot_events as autopilot
from resumelog.domain import export_events as exports
from resumelog.domain import scene_events as scenes
from resumelog.domain.events import DomainEvent, Forked, Imported, PayloadsRemoved, topics

__all__ = [
    "DomainEvent",
    "Forked",
    "Imported",
    "PayloadsRemoved",
    "autopilot",
    "exports",
    "scenes",
    "topics",
]
