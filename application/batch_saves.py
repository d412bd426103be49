"""What a batch saves, as one command and scene by scene: so it comes apart where it has to wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from resumelog.application.held_saves import Command, Part
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import Outcome, SceneBatch
from resumelog.domain.values import Artifact, Payload

OUTCOME_BYTES = 1024
"""What an outcome without a result takes, so that these are bounded as well."""


def recording(outcomes: Sequence[Outcome], plan: Plan, at: datetime) -> Command[SceneBatch]:
    """Return what records how scenes ended."""
    return lambda batch, by: batch.record(outcomes, plan, by, at)


def recorded(outcomes: Sequence[Outcome], plan: Plan, at: datetime) -> Iterator[Part[SceneBatch]]:
    """Iterate over what records each alone."""
    for outcome in outcomes:
        made = (outcome.result, outcome.artifact) if outcome.error is None else None
        command = recording([outcome], plan, at)
        yield Part(outcome.scene, command, _size(outcome), made)


def invalidating(reasons: Mapping[str, str], plan: Plan, at: datetime) -> Command[SceneBatch]:
    """Return what lets scenes be made again, each for its reason."""
    return lambda batch, by: batch.invalidate(reasons, plan, at, by)


def invalidated(reasons: Mapping[str, str], plan: Plan, at: datetime) -> Iterator[Part[SceneBatch]]:
    """Iterate over what lets each be made again alone."""
    for key, why in reasons.items():
        yield Part(key, invalidating({key: why}, plan, at), len(why))


def is_same(made: object, result: Payload | None, artifact: Artifact | None) -> bool:
    """Tell whether a scene is done with just this; where no file is named, with whatever it is."""
    return isinstance(made, tuple) and made == (result, artifact or made[1])


def _size(outcome: Outcome) -> int:
    """Return the bytes that an outcome keeps in memory while it is held, about."""
    return OUTCOME_BYTES + (outcome.result.size if outcome.result else 0) + len(outcome.error or "")
