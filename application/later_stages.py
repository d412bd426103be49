"""Which batches of a project take from another, as the log says, and which scenes a batch has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from uuid import UUID

from resumelog.application.errors import DamagedEvent, PayloadGone
from resumelog.application.event_log import EventLog
from resumelog.application.job_list import JobList
from resumelog.application.job_row import JobRow
from resumelog.domain.errors import BrokenStream
from resumelog.domain.scene_batch import BatchStatus, SceneBatch
from resumelog.domain.scene_events import Opened, PlanRevised

UNFINISHED = {str(status) for status in BatchStatus if status not in SceneBatch.finished}


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


def earlier_stages(log: EventLog, batch: SceneBatch) -> Iterator[UUID]:
    """Iterate over the streams that a batch comes after, directly or not, nearest first; none twice.

    Their scenes are of no interest, and not decoded.
    """
    project, after, seen = batch.natural_key[0], batch.after, {batch.id}
    while after is not None:
        earlier = SceneBatch.named(project, after).id
        if earlier in seen:
            return
        seen.add(earlier)
        yield earlier
        planned = log.newest(earlier, Opened, PlanRevised)
        after = planned.after if isinstance(planned, Opened | PlanRevised) else None


class Unfinished:
    """The batches of a log that are not finished, each with the stages that it may still take from."""

    def __init__(self, log: EventLog, rows: Iterable[JobRow]) -> None:
        """Take the rows of such batches; they are read anew whenever it is asked."""
        self._log, self._rows = log, [*rows]

    def taking_from(self, batch: SceneBatch) -> SceneBatch | None:
        """Return one that comes after a batch, directly or not; one that is damaged can't take."""
        project = f"{batch.natural_key[0]}/"
        for row in self._rows:
            if row.id != batch.id and row.name.startswith(project):
                with suppress(DamagedEvent, BrokenStream):
                    later = self._log.recover(SceneBatch(row.id))
                    before = earlier_stages(self._log, later)
                    if later.status not in later.finished and batch.id in before:
                        return later
        return None


def known_keys(log: EventLog, batch: SceneBatch) -> Collection[str]:
    """Return the keys of a batch's scenes; those that were tried where its plan was removed."""
    try:
        return dict.fromkeys(planned_keys(log, batch))  # in order
    except PayloadGone:
        return batch.scenes.keys()


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
