"""What `resumelog export` shows: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import IO, NamedTuple, Self, TextIO, cast

from pydantic import JsonValue

from resumelog.application.export import Export
from resumelog.application.progress_meter import ProgressFacts
from resumelog.domain.export_events import Interrupted, Restarted, Resumed, Started
from resumelog.domain.export_job import Report
from resumelog.infrastructure.cli.export_reports import position
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.passage import LinesAbove, Passage
from resumelog.infrastructure.cli.printing import print_json
from resumelog.infrastructure.cli.screen import Screen, short
from resumelog.infrastructure.cli.unheld_file import UnheldFile
from resumelog.infrastructure.processes import TERMINATE_S
from resumelog.infrastructure.progress_bars import LINE_EVERY_S, ProgressBars
from resumelog.infrastructure.progress_text import described

_FAULTS = {
    "ProgressFell": "below an earlier one",
    "ProgressOutOfRange": "out of range",
    "UnitsOutOfRange": "out of range",
    "UnitsTotalChanged": "of another total",
    "TooLarge": "with too large a cursor",
}
"""The errors that people may meet, in their words."""

_EXITS = {
    "completed": Exit.DONE,
    "failed": Exit.FAILED,
    "interrupted": Exit.INTERRUPTED,
    "paused": Exit.INTERRUPTED,
}

Passes = Callable[[bytes], None]


class Outcome(NamedTuple):
    """How an attempt ended: completed, failed, interrupted or paused, and why."""

    status: str
    why: str = ""
    skipped: bool = False
    command_exit_code: int | None = None
    not_saved: str | None = None

    @property
    def exit_code(self) -> Exit:
        """Return the exit code of resumelog itself."""
        return Exit.NOT_SAVED if self.not_saved else _EXITS[self.status]


class ExportDisplay(Screen):
    """Shows one export."""

    def __init__(self, job: str, *, verbose: bool, wants_json: bool) -> None:
        """Show nothing yet."""
        self._file = UnheldFile(sys.__stderr__) if sys.__stderr__ else None
        file = cast("IO[str] | None", self._file)  # it has what a console asks of a file
        super().__init__(job, verbose=verbose, wants_json=wants_json, file=file)
        self._patience_s: float | None = None
        self._start = self._said_at = time.monotonic()

    def __enter__(self) -> Self:
        """Show something."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until all is shown; whoever interrupted it does not wait for a reader who stopped."""
        if self._file:
            self._file.drain(self._patience_s)

    @contextmanager
    def showing(self, export: Export) -> Iterator[None]:
        """Say how this attempt begins, and show how far it is while the block runs."""
        for event in export.began:
            if isinstance(event, Interrupted):
                self.say(f"{self.job}: {event.cause}")
            elif isinstance(event, Restarted):
                self.say(f"{self.job}: begins again at 0: {_explained(event.reason)}")
            elif isinstance(event, Resumed | Started) and export.progress:
                self.say(f"{self.job}: goes on at {position(export.report)}")
        if self._draws:
            with ProgressBars(console=self.console) as bars, bars.showing(export, self.job):
                yield
        else:
            export.on_progress(self._say_now_and_then)
            yield

    @property
    def _draws(self) -> bool:
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def _say_now_and_then(self, facts: ProgressFacts) -> None:
        now = time.monotonic()
        if now - self._said_at >= LINE_EVERY_S:
            self._said_at = now
            self.say(f"{self.job}: {described(facts)}")

    @contextmanager
    def passages(self) -> Iterator[tuple[Passes, Passes]]:
        """Yield where the standard output and error of the command go."""
        out = self._passage(sys.__stderr__ if self.wants_json else sys.__stdout__)
        err = self._passage(sys.__stderr__)
        yield out, err
        out(b"")
        err(b"")

    def _passage(self, stream: TextIO | None) -> Passes:
        if stream and stream.isatty() and self._draws and self._file:
            return LinesAbove(self.console, self._file.wait_for_room)
        return Passage(stream.fileno() if stream else None, self.say)

    def ended(
        self,
        export: Export,
        last: Report,
        outcome: Outcome,
        bad: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Say at the end how it stands and what to do next."""
        if outcome.status == "interrupted":
            self._patience_s = TERMINATE_S
        if outcome.status == "completed":
            last = last._replace(progress=1.0)
        if bad:
            self.say(f"{self.job}: {_ignored(bad)}")
        elapsed_s = time.monotonic() - self._start
        self.say(f"{self.job}: {_end(export, last, outcome)} ({elapsed_s:.1f} s)")
        if self.wants_json:
            document: dict[str, JsonValue] = {
                "job": self.job,
                "output": str(export.output_path),
                **last._asdict(),
                **outcome._asdict(),
                "exit_code": outcome.exit_code,
                "why": outcome.why or None,
                "bad_reports": dict(bad),
                "elapsed_s": round(elapsed_s, 3),
            }
            print_json(document, indent=None)


def _explained(reason: str) -> str:
    told = "; the command line, --total and each --input count as the input"
    return reason + told if reason.endswith("input changed") else reason


def _ignored(bad: Mapping[str, int]) -> str:
    counts = Counter[str]()
    for kind, count in bad.items():
        counts[_FAULTS.get(kind, "that can't be used")] += count
    faults = ", ".join(f"{count} {fault}" for fault, count in counts.items())
    return f"reports that were ignored: {faults}"


def _end(export: Export, last: Report, outcome: Outcome) -> str:
    if outcome.skipped:
        path = export.artifact_path
        intact = f", and {path} is intact" if path else ""
        return f"finished before{intact}: skipped"
    if outcome.status == "completed":
        complete = "complete" if last.units_total is None else f"complete, {position(last)}"
        path = export.output_path
        return (
            complete if export.artifact_path else f"{complete}; there is no file {path} to record"
        )
    again = "run the same command to go on"
    return f"{outcome.status} at {position(last)}: {short(outcome.why)}; {again}"
