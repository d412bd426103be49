"""One job as it is shown: a bar, or lines."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.text import Text

from resumelog.infrastructure.progress_text import FINISHED, Facts, began, described, news, same

EVERY_S = 0.1
"""A bar is moved no more often, unless there is news."""
FINISHED_MAX = 10
"""So many finished bars stay among those that move; an older one becomes a line above them."""


class DescribedColumn(ProgressColumn):
    """The facts in words, as they are whenever the bar is drawn."""

    def render(self, task: Task) -> Text:
        """Return them for one bar."""
        facts: Facts = task.fields["now"]()
        resumed = began(facts)
        if resumed == FINISHED:
            resumed = ""
        return Text(" · ".join(filter(None, (described(facts), resumed))))


class Bar:
    """One job on a bar; `now` gives the facts whenever it is drawn, else they are the newest told."""

    def __init__(
        self, progress: Progress, lock: Lock, title: str, now: Callable[[], Facts] | None
    ) -> None:
        self._progress, self._lock, self._title, self._now = progress, lock, title, now
        self._task: TaskID | None = None
        self._moved_at = float("-inf")
        self._shown: Facts | None = None

    def __call__(self, facts: Facts) -> None:
        """Move the bar."""
        now_s = time.monotonic()
        if facts.fraction < 1 and now_s - self._moved_at < EVERY_S and not news(self._shown, facts):
            return
        self._moved_at, self._shown = now_s, facts
        now = self._now if self._now and facts.fraction < 1 else (lambda: facts)
        with self._lock:
            if self._task not in self._progress.task_ids:
                if self._task is not None and facts.fraction >= 1:
                    return  # a line tells so already
                self._task = self._progress.add_task(self._title, total=1.0, now=now)
            self._progress.update(self._task, completed=facts.fraction, now=now)
            if facts.fraction >= 1:
                self._make_room()

    def end(self) -> None:
        """Leave the bar as it is."""
        with self._lock:
            if self._now and self._task in self._progress.task_ids:
                facts = self._now()
                self._progress.update(self._task, completed=facts.fraction, now=lambda: facts)

    def _make_room(self) -> None:
        finished = [task for task in self._progress.tasks if task.finished]
        for task in finished[:-FINISHED_MAX]:
            line = f"{task.description}: {described(task.fields['now']())}"
            if not self._progress.disable:
                self._progress.console.print(Text(line))
            self._progress.remove_task(task.id)


class Lines:
    """One job in lines: where it resumed, now and then how far it is, and its end."""

    def __init__(self, console: Console, title: str, every_s: float) -> None:
        self._console, self._title, self._every_s = console, title, every_s
        self._said: Facts | None = None
        self._newest: Facts | None = None
        self._said_at = time.monotonic()
        self._lock = Lock()

    def __call__(self, facts: Facts) -> None:
        """Say it, if it is time."""
        with self._lock:
            first, self._newest = self._newest is None, facts
            if first:
                self._begin(facts)
            elif (
                facts.fraction >= 1
                or news(self._said, facts)
                or time.monotonic() - self._said_at >= self._every_s
            ):
                self._say(facts)

    def end(self) -> None:
        """Say the last that was not said."""
        with self._lock:
            if self._newest:
                self._say(self._newest)

    def _begin(self, facts: Facts) -> None:
        self._said = facts
        if began(facts):
            self._print(began(facts))

    def _say(self, facts: Facts) -> None:
        if self._said and same(self._said, facts):
            return
        self._said, self._said_at = facts, time.monotonic()
        self._print(described(facts))

    def _print(self, text: str) -> None:
        self._console.print(Text(f"{self._title}: {text}"))
