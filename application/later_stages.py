"""Which batches of a project take from another, as the log says, and which scenes a batch has."""

from __future__ import annotations

from collections.abc import Iterator

from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.domain.scene_batch import SceneBatch


def later_stages(log: EventLog, listed: JobList, batch: SceneBatch) -> Iterator[SceneBatch]:
    """Iterate over the batches of a project that come after one, directly or not, nearest first."""
    project, stage = batch.natural_key
    rows = listed.select([SceneBatch.kind])
    named = (row for row in rows if row.name.startswith(f"{project}/"))
    others = [log.recover(SceneBatch(row.id)) for row in named if row.id != batch.id]
    found = [stage]
    for earlier in found:  # which grows; a stage is found once, even in a circle
        for other in others:
            name = other.natural_key[-1]
            is_next = other.natural_key[0] == project and other.after == earlier
            if is_next and name not in found:
                found.append(name)
                yield other


def planned_keys(log: EventLog, batch: SceneBatch) -> list[str]:
    """Return the keys of a batch's scenes, from its log; none where it has not begun."""
    event = batch.decided_by.get("plan")
    if event is None:
        return []
    plan = log.value(batch.id, event.originator_version)
    assert isinstance(plan, dict)
    keys = plan["scenes"]
    assert isinstance(keys, list)
    return [str(key) for key in keys]
