"""What a batch of exports is asked to do, looked at as a whole before anything begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from resumelog.application.errors import BadBatch, DuplicateExport
from resumelog.application.export import Export
from resumelog.application.export_reports import ExportItem
from resumelog.domain.export_job import ExportJob

ExportItems = Iterable[ExportItem | tuple[Any, str | Path]]
"""Items, or pairs of a version and its output path."""


class Task(NamedTuple):
    """One export that is ready to begin: nothing was read or written for it yet."""

    item: ExportItem
    stream: UUID
    key: str
    output: Path
    session: AbstractContextManager[Export]


def tasks_of(
    items: ExportItems,
    absolute: Callable[[str | Path], Path],
    session: Callable[[ExportItem], AbstractContextManager[Export]],
) -> list[Task]:
    """Make each item a task. Raises BadBatch, BadKey, DuplicateExport, and what `session` does."""
    tasks = []
    for item in map(_item, items):
        output = absolute(item.output_path)
        job = ExportJob.named(str(output) if item.key is None else item.key)
        tasks.append(Task(item, job.id, job.natural_key[0], output, session(item)))
    _require_each_once(tasks)
    return tasks


def _item(given: object) -> ExportItem:
    if isinstance(given, ExportItem):
        return given
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], str | Path):
        return ExportItem(*given)
    raise BadBatch(why=f"{given!r} is neither an ExportItem nor a version and its output path")


def _require_each_once(tasks: Sequence[Task]) -> None:
    """Neither a job nor a file, whatever the way to it, is in work twice."""
    keys, outputs = dict[UUID, int](), dict[Path, int]()
    for index, task in enumerate(tasks):
        first = keys.setdefault(task.stream, index)
        if first != index:
            raise DuplicateExport(first=first, second=index, what="key", value=task.key)
        first = outputs.setdefault(task.output.resolve(), index)
        if first != index:
            raise DuplicateExport(first=first, second=index, what="output", value=str(task.output))
