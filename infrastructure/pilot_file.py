"""Reads a pilot.toml: a host whose steps are commands, without a line of Python."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

from resumelog.application.pilot_options import PilotOptions
from resumelog.application.poll import Poll
from resumelog.application.simulation import SimulationTimes
from resumelog.application.steps import Limited, Step
from resumelog.infrastructure.pilot_commands import StepCommand, search_path
from resumelog.infrastructure.pilot_host import CommandHost, LookStep, StartStep, WorkStep
from resumelog.infrastructure.pilot_source import PilotSource
from resumelog.infrastructure.pilot_tables import Command, Folder, Monitor, Start, Work


def read_pilot(path: str | Path) -> tuple[CommandHost, PilotOptions]:
    """Return the host that a pilot.toml describes, and how its runs are driven.

    Relative paths in it begin at its folder. Raises BadPilotFile, which names the place.
    """
    source = PilotSource(Path(path).absolute())
    parts = _Parts(source)
    return CommandHost(parts.known(), parts.chain(), parts.hurry), source.tables.options


class _Parts:
    """What the tables of a file come to."""

    def __init__(self, source: PilotSource) -> None:
        self._source, self._tables, self._folder = source, source.tables, source.folder
        self.hurry = Event()

    def known(self) -> Path | StepCommand | None:
        exists = self._tables.exists
        if isinstance(exists, Folder):
            return self._folder / exists.folder
        return self._command(exists, ["exists"]) if isinstance(exists, Command) else None

    def chain(self) -> Mapping[str, Step]:
        tables = self._tables
        if tables.steps is not None:
            own = enumerate(tables.steps)
            return {step.name: self._own(step, ["steps", number]) for number, step in own}
        assert tables.start, "the tables were checked"
        assert tables.monitor, "the tables were checked"
        assert tables.report, "the tables were checked"
        look = self._look(tables.monitor, ["monitor"], tables.start)
        assert look.start, "it was given"
        return {
            "preparing": self._prepare(),
            "starting": _limited(look.start, tables.start.limit_s),
            "monitoring": _poll(look, tables.monitor),
            "generating_report": self._work(tables.report, ["report"]),
        }

    def _prepare(self) -> Step:
        table = self._tables.prepare
        if table is None:
            return _nothing
        limit_s = table.limit_s or SimulationTimes().prepare_limit_s
        return self._work(table.model_copy(update={"limit_s": limit_s}), ["prepare"])

    def _own(self, step: Work | Monitor, place: Sequence[int | str]) -> Step:
        if isinstance(step, Work):
            return self._work(step, place)
        return _poll(self._look(step, place), step)

    def _work(self, work: Work, place: Sequence[int | str]) -> Step:
        check = self._command(work, place, "check", work.check) if work.check else None
        step = WorkStep(self._command(work, place), check, work.done_when)
        return _limited(step, work.limit_s)

    def _look(
        self, monitor: Monitor, place: Sequence[int | str], start: Start | None = None
    ) -> LookStep:
        command, limit_s = self._command(monitor, place), monitor.look_limit_s
        starts = StartStep(self._command(start, ["start"]), command, limit_s) if start else None
        return LookStep(command, limit_s, starts)

    def _command(
        self,
        table: Command | Start,
        place: Sequence[int | str],
        key: str = "run",
        argv: Sequence[str] | None = None,
    ) -> StepCommand:
        folder, words = self._folder / table.cwd, argv or table.run
        if not folder.is_dir():
            self._source.refuse_at(
                [*place, "cwd"], f"there is no folder {folder}", "make it, or name another"
            )
        if not _is_runnable(words[0], folder):
            why = f"there is no command {words[0]!r} that can be run"
            self._source.refuse_at([*place, key], why, "install it, name its path, or chmod +x it")
        environment = {**self._tables.environment, **table.environment}
        return StepCommand((*words,), folder, environment, self._tables.grace_s, self.hurry)


def _is_runnable(name: str, folder: Path) -> bool:
    if "/" in name:
        path = folder / name
        return path.is_file() and os.access(path, os.X_OK)
    return shutil.which(name, path=search_path(os.environ.get("PATH", os.defpath))) is not None


def _limited(step: Step, limit_s: float | None) -> Step:
    return step if limit_s is None else Limited(step, limit_s)


def _poll(look: LookStep, monitor: Monitor) -> Poll:
    return Poll(
        look, every_s=monitor.every_s, limit_s=monitor.limit_s, errors_max=monitor.errors_max
    )


def _nothing(_: object) -> None:
    """There is nothing to prepare."""
