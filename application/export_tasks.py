"""What a batch of exports is asked to do, looked at as a whole before anything begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from pydantic import JsonValue

from resumelog.application.errors import BadBatch, DuplicateExport
from resumelog.application.export import Export
from resumelog.application.export_options import OnChangedInputs
from resumelog.application.export_reports import ExportItem
from resumelog.domain.export_job import ExportJob

ExportItems = Iterable[ExportItem | tuple[Any, str | Path]]
"""Items, or pairs of a version and its output path."""


@runtime_checkable
class VersionExporter(Protocol):
    """What exports versions by itself too, and says how its jobs are named and what they are bound to."""

    @property
    def name(self) -> str:
        """The name that its jobs are bound to."""
        ...

    @property
    def on_changed_inputs(self) -> OnChangedInputs:
        """What its own exports do about another input."""
        ...

    def key_of(self, version: Any, output_path: str) -> str | None:
        """Return the key of a version's job; None for its output's path."""
        ...

    def inputs_of(self, version: Any) -> JsonValue:
        """Return what a version's job is bound to."""
        ...

    def require(self, version: Any, output_path: str) -> None:
        """Raise for what can't be exported, before its job begins."""
        ...

    def export_in(self, job: Export, version: Any) -> object:
        """Export within a job that was begun already."""
        ...


def exporter_of(export: object) -> VersionExporter | None:
    """Return the exporter that an export is, or whose `export_in` it is; None for a plain function."""
    owner = getattr(export, "__self__", export)
    return owner if isinstance(owner, VersionExporter) else None


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
            item = _bound_by(exporter, given)
            begun = partial(_looked_at, exporter, str(output), session)
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


def _bound_by(exporter: VersionExporter, item: ExportItem) -> ExportItem:
    """Return an item whose job is the one of the exporter's own `export`, unless it says another."""
    output = str(item.output_path)
    key = exporter.key_of(item.version, output) if item.key is None else item.key
    inputs = exporter.inputs_of(item.version) if item.inputs is None else item.inputs
    return item._replace(key=key, inputs=inputs)


def _looked_at(
    exporter: VersionExporter,
    output: str,
    session: Callable[[ExportItem], AbstractContextManager[Export]],
    item: ExportItem,
) -> AbstractContextManager[Export]:
    return _Required(session(item), partial(exporter.require, item.version, output))


class _Required(AbstractContextManager[Export]):
    """A session that begins once nothing speaks against its export."""

    def __init__(
        self, session: AbstractContextManager[Export], require: Callable[[], object]
    ) -> None:
        self._session, self._require = session, require

    def __enter__(self) -> Export:
        self._require()
        return self._session.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, traceback)


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
