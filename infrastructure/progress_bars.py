"""Bars of exports on a terminal, and a line now and then where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from resumelog.application.export_progress import OnProgress
from resumelog.application.progress_meter import ProgressFacts
from resumelog.infrastructure.printable import printable
from resumelog.infrastructure.progress_rows import Bar, DescribedColumn, Lines
from resumelog.infrastructure.standard_error import StandardError

LINE_EVERY_S = 5.0
BAR_CHARS = 24


class Watchable(Protocol):
    """What can be shown: an Export or an AsyncExport."""

    @property
    def title(self) -> str:
        """How messages name it."""
        ...

    @property
    def output_path(self) -> Path | None:
        """Where its output belongs."""
        ...

    def progress_facts(self) -> ProgressFacts:
        """Return how far it is now."""
        ...

    def on_progress(self, callback: OnProgress) -> Callable[[], None]:
        """Call `callback` now and after each report; return what ends that."""
        ...


class ProgressBars:
    """Bars of any number of exports, one below the other; enter it by `with`. Safe for threads.

    All goes to standard error. Where that is no terminal each export has a line at a resume, one in
    `line_every_s` seconds in which it reports, and one at its end. `disable` shows nothing.
    """

    def __init__(
        self,
        *,
        disable: bool = False,
        line_every_s: float = LINE_EVERY_S,
        console: Console | None = None,
    ) -> None:
        """Draw nothing yet."""
        self._console = console or StandardError()
        self._disable, self._line_every_s = disable, line_every_s
        self._draws = self._console.is_terminal and not self._console.is_dumb_terminal
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(BAR_CHARS),
            DescribedColumn(Column(no_wrap=True, overflow="ellipsis")),
            console=self._console,
            disable=disable or not self._draws,
        )
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bars as they are."""
        self._progress.stop()

    def show(self, title: str) -> OnProgress:
        """Return what shows one more export: for `on_progress` of `log.exports.resume`."""
        return self._row(title, None)

    @contextmanager
    def showing(self, job: Watchable, title: str | None = None) -> Iterator[None]:
        """Show a job while the block runs; by default under the name of its output."""
        name = title or (job.output_path.name if job.output_path else job.title)
        row = self._row(name, job.progress_facts)
        end = job.on_progress(row)
        try:
            yield
        finally:
            end()
            row.end()

    def _row(self, title: str, now: Callable[[], ProgressFacts] | None) -> Bar | Lines:
        if self._draws or self._disable:
            return Bar(self._progress, self._lock, printable(title), now)
        return Lines(self._console, printable(title), self._line_every_s)


@contextmanager
def progress_bar(
    job: Watchable, title: str | None = None, *, disable: bool = False
) -> Iterator[None]:
    """Show one job while the block runs. For several at once, share one ProgressBars."""
    with ProgressBars(disable=disable) as bars, bars.showing(job, title):
        yield
