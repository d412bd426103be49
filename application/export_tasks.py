"""What a batch of exports is asked to do, looked at as a whole before anything begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from resumelog.application.errors import BadBatch, DuplicateExport
from resumelog.application.export import Export
from resumelog.application.export_reports import ExportItem
from resumelog.application.version_exporter import VersionExporter, bound_by, looked_at
from resumelog.domain.export_job import ExportJob

ExportItems = Iterable[ExportItem | tuple[Any, str | Path]]
"""Items, or pairs of a version and its output path."""


class Task(NamedTuple):
    """One export that is ready to begin: nothing was read or written for it yet.

    `item` is what is handed on, `given` what the caller gave.
    """

    given: ExportItem
    item: ExportItem
    stream: UUID
    key: str
    output: Path
    session: AbstractContextManager[Export]


def tasks_of(
    items: ExportItems,
    absolute: Callable[[str | Path], Path],
    session: Callable[[ExportItem], AbstractContextManager[Export]],
    exporter: VersionExporter | None = None,
) -> list[Task]:
    """Make each item a task. Raises BadBatch, BadKey, DuplicateExport, and what `session` does."""
    if not isinstance(items, Iterable):
        raise BadBatch(why=f"{items!r} are no items; give pairs of a version and its output path")
    tasks = []
    for given in map(_item, items):
        output, item = absolute(given.output_path), given
        begun = session
        if exporter:
            item = bound_by(exporter, given)
            begun = partial(looked_at, exporter, str(output), session)
        job = ExportJob.named(str(output) if item.key is None else item.key)
        tasks.append(Task(given, item, job.id, job.natural_key[0], output, begun(item)))
    _require_each_once(tasks)
    return tasks


def _item(given: object) -> ExportItem:
    if isinstance(given, tuple) and len(given) >= 2 and isinstance(given[1], str | Path):
        if isinstance(given, ExportItem):
            return given
        if len(given) == 2:
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
