"""What `resumelog run` shows: a bar on a terminal, a line for each scene elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from resumelog.application.batch import Batch
from resumelog.application.scene import Counts
from resumelog.infrastructure.cli.outcomes import printable
from resumelog.infrastructure.cli.printing import print_json
from resumelog.infrastructure.cli.screen import Screen, short

STALE_MAX = 10


class Display(Screen):
    """Shows one batch."""

    def __init__(self, job: str, *, verbose: bool, wants_json: bool) -> None:
        """Show nothing yet."""
        super().__init__(job, verbose=verbose, wants_json=wants_json)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[counts]}", markup=False),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._failures: list[dict[str, str]] = []
        self._start = time.monotonic()

    @contextmanager
    def showing(self, batch: Batch) -> Iterator[None]:
        """Say what is different from last time, and show the bar while the block runs."""
        report = batch.counts()
        if batch.cut_off is not None:
            at = f" at {', '.join(batch.cut_off)}" if batch.cut_off else ""
            self.say(f"{self.job}: the last worker ended without a word{at}")
        self._say_stale(batch.stale)
        self._task = self._progress.add_task(self.job, total=report.total, counts=_counts(report))
        self._progress.update(self._task, completed=report.done)
        with self._progress:
            yield

    def _say_stale(self, stale: Mapping[str, str]) -> None:
        for why, count in Counter(stale.values()).most_common(STALE_MAX):
            one = next(key for key, each in stale.items() if each == why)
            many = f" and {count - 1} more are" if count > 1 else " is"
            self.say(f"scene {one}{many} made again: {why}")

    def began(self, label: str) -> None:
        """Name the scene in work."""
        if self._task is not None:
            self._progress.update(self._task, description=f"{self.job}  {printable(label)}")

    def done(self, report: Counts, label: str, elapsed_s: float) -> None:
        """Count a scene that is done."""
        self._advance(report, f"done    {label}  ({elapsed_s:.1f} s)")

    def failed(self, report: Counts, label: str, why: str) -> None:
        """Count a scene that failed, and say why."""
        self._failures.append({"scene": label, "error": why})
        line = f"failed  {label}: {short(why)}"
        self._advance(report, line)
        if self.console.is_terminal:
            self.say(line)

    def report(self, batch: Batch, cause: str, unsaved: str = "") -> None:
        """Say at the end how it stands and what to do next."""
        report, point = batch.counts(), batch.resume_point()
        elapsed_s = time.monotonic() - self._start
        made = report.done - report.skipped
        counts = f"{report.done} of {report.total} scenes done"
        self.say(
            f"{self.job}: {counts} ({made} now, {report.skipped} before), {_end(report, cause)}"
        )
        if self.wants_json:
            document = report._asdict() | {
                "job": self.job,
                "interrupted": cause or None,
                "not_saved": unsaved or None,
                "failures": self._failures,
                "next": [fact.value for fact in point.next],
                "elapsed_s": round(elapsed_s, 3),
            }
            print_json(document, indent=None)

    def _advance(self, report: Counts, line: str) -> None:
        if self._task is not None and self.console.is_terminal:
            completed = report.done + report.failed
            self._progress.update(self._task, completed=completed, counts=_counts(report))
        else:
            self.say(f"[{report.done + report.failed}/{report.total}] {line}")


def _counts(report: Counts) -> str:
    waiting = report.remaining - report.failed
    return f"{report.done} done, {report.failed} failed, {waiting} remaining"


def _end(report: Counts, cause: str) -> str:
    if cause and report.remaining:
        return f"{report.remaining} remain after {cause}; run the same command to go on"
    if report.failed:
        return f"{report.failed} failed; run the same command to retry them"
    if report.remaining:
        return f"{report.remaining} remain; run it without --retry-failed to do them"
    return "complete"
