"""What a cleaning removed, or would remove, and what it left alone."""

from __future__ import annotations

from uuid import UUID

from resumelog.domain.values import Value


class CleanedJob(Value):
    """A finished job whose payloads are gone, and their bytes as they were stored."""

    job: str
    kind: str
    id: UUID
    payloads: int
    bytes: int


class TemporaryFile(Value):
    """A file or folder that a dead worker was writing."""

    path: str
    bytes: int


class CleanedUp(Value):
    """What a dead worker of a job had left: files, and process groups that still ran."""

    job: str
    kind: str
    id: UUID
    files: tuple[TemporaryFile, ...]
    groups: tuple[int, ...]


class LeftAlone(Value):
    """A job that was left as it is; `is_damaged` where that is no matter of waiting."""

    job: str
    kind: str
    id: UUID
    why: str
    is_damaged: bool = False


class CleanReport(Value):
    """What was removed; with `dry_run` what would be, and nothing is changed.

    `older_than_s`: only jobs that had not changed for so many seconds were looked at.
    """

    dry_run: bool
    older_than_s: float
    finished: tuple[CleanedJob, ...]
    dead: tuple[CleanedUp, ...]
    left_alone: tuple[LeftAlone, ...]

    @property
    def payloads(self) -> int:
        """How many payloads."""
        return sum(each.payloads for each in self.finished)

    @property
    def payload_bytes(self) -> int:
        """Their bytes; the log's file keeps its size and uses the room again."""
        return sum(each.bytes for each in self.finished)

    @property
    def files(self) -> int:
        """How many temporary files and folders."""
        return sum(len(each.files) for each in self.dead)

    @property
    def file_bytes(self) -> int:
        """Their bytes, which the disk has back."""
        return sum(file.bytes for each in self.dead for file in each.files)

    @property
    def is_well(self) -> bool:
        """Whether no job was found damaged."""
        return not any(each.is_damaged for each in self.left_alone)
