"""What exports versions by itself, taken for a batch: with the jobs of its own export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

from pydantic import JsonValue

from resumelog.application.export import Export
from resumelog.application.export_options import OnChangedInputs
from resumelog.application.export_reports import ExportItem


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


def bound_by(exporter: VersionExporter, item: ExportItem) -> ExportItem:
    """Return an item whose job is the one of the exporter's own `export`, unless it says another."""
    output = str(item.output_path)
    key = exporter.key_of(item.version, output) if item.key is None else item.key
    inputs = exporter.inputs_of(item.version) if item.inputs is None else item.inputs
    return item._replace(key=key, inputs=inputs)


def looked_at(
    exporter: VersionExporter,
    output: str,
    session: Callable[[ExportItem], AbstractContextManager[Export]],
    item: ExportItem,
) -> AbstractContextManager[Export]:
    """Return a session that begins once the exporter has nothing against it."""
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
