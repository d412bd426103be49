"""What workers that are gone left on this machine: temporary files, and processes without them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from resumelog.application.ports import PARTIAL_MARK, InFlight, LeftBehind
from resumelog.infrastructure import processes
from resumelog.infrastructure.storage.leases import TableLeases, is_gone_for_certain, noted_units


class LeaseRemains:
    """The `Remains` port over leases.

    Only of workers that are gone for certain: one that hangs may be succeeded, but nobody who goes
    on with its job is there to make what would be taken from it.
    """

    def __init__(self, leases: TableLeases) -> None:
        """Read nothing yet."""
        self._leases = leases

    def found(self) -> list[LeftBehind]:
        """Return what is still there."""
        rows = self._leases.table.at_work()
        left = (_left(stream, noted_units(row)) for stream, row in rows if is_gone_for_certain(row))
        return [each for each in left if each.files or each.groups]

    def remove(self, stream: UUID, job: str) -> None:
        """Take the lease over, which ends and removes it, and leave what was in flight noted.

        So nobody begins meanwhile, and a kill in between leaves it all to the next worker.
        """
        self._leases.abandon(stream, self._leases.acquire(stream, job, 0))


def _left(stream: UUID, noted: tuple[InFlight, ...]) -> LeftBehind:
    partials = [Path(unit.partial) for unit in noted if unit.partial]
    groups = [(unit.group, unit.started) for unit in noted]
    return LeftBehind(
        stream,
        tuple((str(path), _size(path)) for path in partials if _is_there(path)),
        tuple(
            group
            for group, started in groups
            if group is not None and started is not None and processes.group_runs(group, started)
        ),
    )


def _is_there(path: Path) -> bool:
    """Tell whether there is what a takeover would remove."""
    return PARTIAL_MARK in path.name and path.is_absolute() and (path.is_symlink() or path.exists())


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; a link has none."""
    if path.is_dir() and not path.is_symlink():
        return sum(_size(each) for each in path.iterdir())
    return 0 if path.is_symlink() else path.stat().st_size
