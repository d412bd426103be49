"""What `resumelog export` shows: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple, TextIO

import click
from pydantic import JsonValue
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from resumelog.application.export import Export
from resumelog.domain.export_events import Interrupted, Restarted, Resumed
from resumelog.domain.export_job import Report
from resumelog.infrastructure.cli.export_reports import position
from resumelog.infrastructure.cli.passage import LinesAbove, Passage
from resumelog.infrastructure.cli.screen import Screen, short

LINE_EVERY_S = 5.0

Passes = Callable[[bytes], None]


class Outcome(NamedTuple):
    """How an attempt ended: completed, failed, interrupted or paused, and why."""

    status: str
    why: str = ""
    skipped: bool = False
    exit_code: int | None = None
    not_saved: str | None = None


class ExportDisplay(Screen):
    """Shows one export."""

    def __init__(self, job: str, *, verbose: bool, wants_json: bool) -> None:
        """Show nothing yet."""
        super().__init__(job, verbose=verbose, wants_json=wants_json)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[position]}", markup=False),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._start = time.monotonic()
        self._line_at = self._start + LINE_EVERY_S

    @contextmanager
    def showing(self, export: Export) -> Iterator[None]:
        """Say how this attempt begins, and show the bar while the block runs."""
        for event in export.began:
            if isinstance(event, Interrupted):
                self.say(f"{self.job}: {event.cause}")
            elif isinstance(event, Restarted):
                self.say(f"{self.job}: begins again at 0: {event.reason}")
            elif isinstance(event, Resumed):
                self.say(f"{self.job}: goes on at {position(export.report)}")
        self._task = self._bar.add_task(self.job, total=None, position="")
        if export.progress:
            self.update(export.report)
        with self._bar:
            yield

    def update(self, report: Report) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if self._task is not None and self.console.is_terminal:
            done = report.progress
            self._bar.update(self._task, total=1.0, completed=done, position=position(report))
        elif now >= self._line_at:
            self._line_at = now + LINE_EVERY_S
            self.say(f"{self.job}: {position(report)}")

    @contextmanager
    def passages(self) -> Iterator[tuple[Passes, Passes]]:
        """Yield where the standard output and error of the command go."""
        out = self._passage(sys.__stderr__ if self.wants_json else sys.__stdout__)
        err = self._passage(sys.__stderr__)
        yield out, err
        out(b"")
        err(b"")

    def _passage(self, stream: TextIO | None) -> Passes:
        if stream and stream.isatty() and self.console.is_terminal:
            return LinesAbove(self.console)
        return Passage(stream.fileno() if stream else None, self.say)

    def ended(
        self,
        export: Export,
        last: Report,
        outcome: Outcome,
        bad: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Say at the end how it stands and what to do next."""
        if outcome.status == "completed":
            last = last._replace(progress=1.0)
        if bad:
            kinds = ", ".join(f"{count} {kind}" for kind, count in bad.items())
            self.say(f"{self.job}: reports that were ignored: {kinds}")
        elapsed_s = time.monotonic() - self._start
        self.say(f"{self.job}: {_end(export, last, outcome)} ({elapsed_s:.1f} s)")
        if self.wants_json:
            document: dict[str, JsonValue] = {
                "job": self.job,
                "output": str(export.output_path),
                **last._asdict(),
                **outcome._asdict(),
                "why": outcome.why or None,
                "bad_reports": dict(bad),
                "elapsed_s": round(elapsed_s, 3),
            }
            click.echo(json.dumps(document, ensure_ascii=False))


def _end(export: Export, last: Report, outcome: Outcome) -> str:
    if outcome.skipped:
        path = export.artifact_path
        intact = f", and {path} is intact" if path else ""
        return f"finished before{intact}: skipped"
    if outcome.status == "completed":
        return "complete" if last.units_total is None else f"complete, {position(last)}"
    again = "run the same command to go on"
    return f"{outcome.status} at {position(last)}: {short(outcome.why)}; {again}"
