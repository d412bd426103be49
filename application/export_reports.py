"""What is exported together, and what came of it."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue


class ExportItem(NamedTuple):
    """One version to export. `key` is by default the absolute output path.

    `inputs` is what the job is bound to; by default the version itself, which must be JSON then.
    """

    version: Any
    output_path: str | Path
    key: str | None = None
    inputs: JsonValue = None

    def handed(self) -> Any:
        """Return the version for its export to alter: a copy, where the job is bound to it."""
        return deepcopy(self.version) if self.inputs is None else self.version


class ItemStatus(StrEnum):
    """What came of one export."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    PAUSED = "paused"
    BUSY = "busy"
    NOT_BEGUN = "not begun"


class ItemReport(NamedTuple):
    """How one export went: `exception` as it was raised, `error` as text; its time in this run.

    SKIPPED: it was finished and intact. BUSY: another worker is at it, whom `error` names. A DONE
    one has an error where its resources were not released.
    """

    item: ExportItem
    key: str
    output: Path
    status: ItemStatus = ItemStatus.NOT_BEGUN
    error: str = ""
    exception: BaseException | None = None
    duration_s: float = 0.0


class ExportsReport(NamedTuple):
    """One report an item, in the order of the items; `cause` says why not all were begun.

    `exporter` is the name that the jobs are bound to.
    """

    items: tuple[ItemReport, ...]
    cause: str = ""
    exporter: str = ""

    def of(self, *statuses: ItemStatus) -> tuple[ItemReport, ...]:
        """Return the items of some statuses."""
        return tuple(item for item in self.items if item.status in statuses)

    @property
    def done(self) -> tuple[ItemReport, ...]:
        """What this run finished."""
        return self.of(ItemStatus.DONE)

    @property
    def skipped(self) -> tuple[ItemReport, ...]:
        """What was finished before, and is still intact."""
        return self.of(ItemStatus.SKIPPED)

    @property
    def failed(self) -> tuple[ItemReport, ...]:
        """What failed."""
        return self.of(ItemStatus.FAILED)

    @property
    def to_retry(self) -> tuple[ItemReport, ...]:
        """What is neither finished nor paused on purpose."""
        finished = (ItemStatus.DONE, ItemStatus.SKIPPED, ItemStatus.PAUSED)
        return tuple(item for item in self.items if item.status not in finished)

    @property
    def is_complete(self) -> bool:
        """Tell whether every output is there."""
        return all(item.status in (ItemStatus.DONE, ItemStatus.SKIPPED) for item in self.items)

    def with_retried(self, again: ExportsReport) -> ExportsReport:
        """Return this report with the items of another, of the same keys, in their place."""
        newer = {item.key: item for item in again.items}
        items = tuple(newer.get(item.key, item) for item in self.items)
        return again._replace(items=items)

    def __str__(self) -> str:
        """Count them, as `2 done, 1 failed`."""
        counts = Counter(item.status for item in self.items)
        return ", ".join(f"{counts[one]} {one}" for one in ItemStatus if counts[one]) or "nothing"
