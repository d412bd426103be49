"""Prove from the log and from the service's own diary that nothing was lost or paid for twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeVar

import service  # type: ignore[import-not-found]  # it stands beside this
from storyboard import STAGES, STORY  # type: ignore[import-not-found]  # and this

from resumelog.domain.events import DomainEvent
from resumelog.domain.scene_events import Interrupted, SceneCompleted, SceneFailed

Event = TypeVar("Event", bound=DomainEvent)

WAIT = timedelta(seconds=service.RETRY_AFTER_S)

Task = tuple[str, str]
"""A stage and a scene."""
TASKS: list[Task] = [(stage, scene) for stage in STAGES for scene in STORY]


class Check(NamedTuple):
    """One line of the table."""

    holds: bool
    text: str


class Evidence(NamedTuple):
    """What the log has of each stage, what the service wrote down, and when each worker was started."""

    events: Mapping[str, Sequence[DomainEvent]]
    diary: Sequence[service.Request]
    starts: Sequence[datetime]

    def of(self, kind: type[Event]) -> Iterator[tuple[str, Event]]:
        """Iterate over the events of a kind, each with its stage."""
        for stage, events in self.events.items():
            yield from ((stage, event) for event in events if isinstance(event, kind))

    def asked(self, task: Task) -> list[service.Request]:
        """Return the requests for a scene in a stage, oldest first."""
        return [each for each in self.diary if (each.stage, each.scene) == task]


def killed(seen: Evidence) -> Check:
    """Each kill stands in the log, as its successor found it."""
    ends = [event for _, event in seen.of(Interrupted)]
    wordless = [event for event in ends if event.cause.endswith("without a word")]
    kills = len(seen.starts) - 1
    text = f"the log shows {len(wordless)} workers that ended without a word"
    return Check(kills == len(wordless) == len(ends), f"killed {kills} times; {text}")


def once(seen: Evidence) -> Check:
    """Every scene was recorded exactly once in every stage."""
    records = Counter((stage, event.scene) for stage, event in seen.of(SceneCompleted))
    holds = records == Counter(TASKS)
    return Check(holds, f"{len(records)} of {len(TASKS)} scripts are on record, each exactly once")


def never_again(seen: Evidence) -> Check:
    """Nothing was asked for once it was on record."""
    since = {(stage, event.scene): event.timestamp for stage, event in seen.of(SceneCompleted)}
    late = sum(since.get(task, each.at) < each.at for task in TASKS for each in seen.asked(task))
    return Check(not late, f"{len(seen.diary)} requests, {late} of them for what was on record")


def counted(seen: Evidence) -> Check:
    """Every attempt is in the log, and the service was told its number: over all workers."""
    failed = Counter((stage, event.scene) for stage, event in seen.of(SceneFailed))
    cut_off = Counter(
        (stage, scene) for stage, event in seen.of(Interrupted) for scene in event.in_flight
    )
    attempt = {(stage, event.scene): event.attempt for stage, event in seen.of(SceneCompleted)}
    wrong = 0
    for task in TASKS:
        told = [each.attempt for each in seen.asked(task)]  # a kill may have come before it asked
        in_log = failed[task] + cut_off[task] + 1
        wrong += told != sorted({*told}) or told[-1:] != [in_log] or attempt.get(task) != in_log
    how = f"{failed.total()} failed, {cut_off.total()} were cut off, {len(attempt)} went well"
    return Check(not wrong, f"attempts: {how}; {wrong} scenes are counted otherwise")


def failed_well(seen: Evidence) -> Check:
    """Every fault that was dealt out has happened."""
    met = Counter(each.fault for each in seen.diary)
    told = ", ".join(f"{met[fault]} × {fault}" for fault in service.FAULTS)
    return Check(all(met[fault] == service.EACH for fault in service.FAULTS), f"faults: {told}")


def waited(seen: Evidence) -> Check:
    """A Retry-After was kept to; a worker that was killed has forgotten it."""
    pairs = [
        pair for task in TASKS for pair in pairwise(seen.asked(task)) if pair[0].fault == "429"
    ]
    kept = sum(after.at - before.at >= WAIT for before, after in pairs)
    forgotten = sum(
        after.at - before.at < WAIT and any(before.at < start < after.at for start in seen.starts)
        for before, after in pairs
    )
    text = f", a kill forgot {forgotten}" if forgotten else ""
    return Check(
        kept + forgotten == len(pairs), f"{kept} of {len(pairs)} Retry-After were kept to{text}"
    )


def proven(seen: Evidence) -> bool:
    """Print the table; tell whether every check holds."""
    made = [check(seen) for check in (killed, once, never_again, counted, failed_well, waited)]
    for check in made:
        print("OK     " if check.holds else "FAILED ", check.text)
    return all(check.holds for check in made)
