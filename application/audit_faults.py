"""What an audit finds, and what to do about it."""

from __future__ import annotations

from typing import Literal

from resumelog.application.sealed_pages import FIRST, LAST, Damage
from resumelog.domain.seal_faults import FaultKind, Finding
from resumelog.domain.values import Value

Part = Literal["event", "payload", "store"]

ADVICE: dict[FaultKind, str] = {
    "altered": "restore the job from a copy of the log made before that, and find out who changed it",
    "missing": "restore the job from a copy of the log that still has it",
    "reordered": "restore the job from a copy of the log made before that",
    "inserted": "restore the job from a copy of the log made before that",
    "unreadable": "check the disk, and restore a copy of the log",
    "cut": "restore the job from a copy of the log that is as new as the manifest",
    "removed": "restore the job from a copy of the log that is as new as the manifest",
}


class Fault(Value):
    """The first fault of a stream (hex, as it stands in the table), or one of the store itself.

    `job` is its name where its first event can be decoded. `version` is the first that is
    affected, `position` where that event stands; None where there is none.
    """

    kind: FaultKind
    part: Part = "event"
    stream: str | None = None
    job: str | None = None
    version: int | None = None
    position: int | None = None
    why: str
    advice: str


class Verdict(Value):
    """What was checked, and every fault that was found."""

    events: int
    streams: int
    payloads: int
    faults: tuple[Fault, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def of_a_stream(stream: str, job: str | None, finding: Finding, part: Part = "event") -> Fault:
    """Return the fault of a stream."""
    kind, version, position, why = finding
    return Fault(
        kind=kind,
        part=part,
        stream=str(stream),  # where a row was forged, the columns hold anything
        job=job,
        version=version if type(version) is int else None,
        position=position,
        why=why,
        advice=ADVICE[kind],
    )


def of_the_store(line: str) -> Fault:
    """Return what the database's own check found."""
    why = " ".join(line.split())
    return Fault(kind="unreadable", part="store", why=why, advice=ADVICE["unreadable"])


def of_positions(damage: Damage) -> Fault:
    """Return positions that can't be read."""
    first = "the first" if damage.first == FIRST + 1 else str(damage.first)
    last = "the last" if damage.last == LAST else str(damage.last)
    return of_the_store(f"positions from {first} to {last}: {damage.why}")


def unreadable(damage: Damage) -> Finding:
    """Return versions of a stream that can't be read."""
    version = None if damage.first == FIRST + 1 else damage.first
    return Finding("unreadable", version, None, damage.why)
