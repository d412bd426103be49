"""Bars of exports and batches on a terminal, and a line now and then where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Protocol, Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.table import Column

from resumelog.application.pipeline import Pipeline
from resumelog.infrastructure.printable import printable
from resumelog.infrastructure.progress_rows import Bar, DescribedColumn, Lines
from resumelog.infrastructure.progress_text import Facts
from resumelog.infrastructure.standard_error import StandardError

LINE_EVERY_S = 5.0
BAR_CHARS = 24


Told = TypeVar("Told", bound=Facts, covariant=True)


class Watchable(Protocol[Told]):
    """What can be shown: an Export, a Batch, or one of an event loop."""

    @property
    def title(self) -> str:
        """How messages name it."""
        ...

    def progress_facts(self) -> Told:
        """Return how far it is now."""
        ...

    def on_progress(self, callback: Callable[[Told], object]) -> Callable[[], None]:
        """Call `callback` now and after each report; return what ends that."""
        ...


def columns() -> tuple[ProgressColumn, ...]:
    """Return what a row shows: its title, its bar, and in words how far it is."""
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_CHARS),
        DescribedColumn(Column(no_wrap=True, overflow="ellipsis")),
    )


class ProgressBars:
    """Bars of any number of exports and batches, one below the other; enter it by `with`. Safe for threads.

    All goes to standard error. Where that is no terminal each has a line at a resume, one in
    `line_every_s` seconds in which it reports, and one at its end; that a save of a batch waits for the disk is said at once. `disable` shows nothing.
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
            *columns(),
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

    def show(self, title: str) -> Callable[[Facts], object]:
        """Return what shows one more export: for `on_progress` of `log.exports.resume`."""
        return self._row(title, None)

    @contextmanager
    def showing(self, job: Watchable[Facts] | Pipeline, title: str | None = None) -> Iterator[None]:
        """Show a job while the block runs; by default under the name of its output.

        A pipeline has a bar for each stage, from when its run opens it; `title` stands before its name.
        """
        with ExitStack() as shown:
            if isinstance(job, Pipeline):
                for stage in job.progress:
                    name = f"{title}/{stage.stage}" if title else stage.title
                    shown.enter_context(self._showing(stage, name))
            else:
                shown.enter_context(self._showing(job, title))
            yield

    @contextmanager
    def _showing(self, job: Watchable[Facts], title: str | None) -> Iterator[None]:
        path = getattr(job, "output_path", None)  # a batch has none
        row = self._row(title or (path.name if path else job.title), job.progress_facts)
        end = job.on_progress(row)
        try:
            yield
        finally:
            end()
            row.end()

    def _row(self, title: str, now: Callable[[], Facts] | None) -> Bar | Lines:
        if self._draws or self._disable:
            return Bar(self._progress, self._lock, printable(title), now)
        return Lines(self._console, printable(title), self._line_every_s)


@contextmanager
def progress_bar(
    job: Watchable[Facts] | Pipeline, title: str | None = None, *, disable: bool = False
) -> Iterator[None]:
    """Show one job, or all stages of a pipeline, while the block runs. For several at once, share one ProgressBars."""
    with ProgressBars(disable=disable) as bars, bars.showing(job, title):
        yield
