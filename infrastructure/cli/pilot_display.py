"""What `resumelog pilot` shows of a run: a live row on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn

from resumelog.infrastructure.cli.pilot_services import Facts
from resumelog.infrastructure.cli.printing import print_json, print_lines
from resumelog.infrastructure.cli.screen import Screen
from resumelog.infrastructure.printable import printable
from resumelog.infrastructure.progress_bars import BAR_CHARS, LINE_EVERY_S

SHOWN = (
    ("mode", "mode"),
    ("last completed step", "last_completed_step"),
    ("failed attempts", "retry_count"),
    ("started", "started_at"),
    ("paused", "paused_at"),
    ("completed", "completed_at"),
    ("failed", "failed_at"),
)


class RunDisplay(Screen):
    """Shows one run while it is watched; enter it by `with`."""

    def __init__(self, job: str, *, verbose: bool, wants_json: bool) -> None:
        """Show nothing yet."""
        super().__init__(job, verbose=verbose, wants_json=wants_json)
        draws = self.console.is_terminal and not self.console.is_dumb_terminal
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(BAR_CHARS),
            TextColumn("{task.fields[told]}", markup=False),
            console=self.console,
            disable=not draws,
            transient=True,
        )
        self._row = self._progress.add_task(self.job, total=100.0, told="") if draws else None
        self._shown: tuple[object, ...] = ()
        self._shown_at = float("-inf")

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Draw no more."""
        self._progress.stop()

    def show(self, facts: Facts) -> None:
        """Show how it is now, where that is new."""
        if self._row is not None:
            percent = float(facts.get("step_progress") or 0)
            self._progress.update(self._row, completed=percent, told=printable(_told(facts)))
            return
        now, place = time.monotonic(), (facts["status"], facts.get("current_step"))
        new = (*place, _told(facts))
        is_due = now - self._shown_at >= LINE_EVERY_S
        if new != self._shown and (is_due or place != self._shown[:2]):
            self._shown, self._shown_at = new, now
            self.say(line(facts))

    def ended(self, facts: Facts, next_: str = "") -> None:
        """Say how it stands when it is watched no longer."""
        said = line(facts) + (f"; {next_}" if next_ else "")
        if self.wants_json:
            self.say(said)
            print_json(facts)
        else:
            print_lines([said])


def line(facts: Facts) -> str:
    """Return a run in one line."""
    name, status, step = facts["simulation_id"], facts["status"], facts.get("current_step")
    if status == "failed":
        return f"{name}: failed at {facts.get('error_step')}: {facts.get('error')}"
    if status == "completed" or step in (None, "idle"):
        return f"{name}: {status}"
    stops = ", its worker is stopping" if facts.get("is_stopping") else ""
    return f"{name}: {status} at {_told(facts)}{stops}"


def lines(facts: Facts) -> list[str]:
    """Return all that there is to say of a run."""
    shown = [(title, facts.get(key)) for title, key in SHOWN]
    known = [f"  {title}: {value}" for title, value in shown if value not in (None, "", "idle", 0)]
    error = facts.get("error")
    last = [f"  last error: {error}"] if error and facts["status"] != "failed" else []
    return [line(facts), *known, *last]


def _told(facts: Facts) -> str:
    percent, message = float(facts.get("step_progress") or 0), facts.get("step_message")
    tries = facts.get("retry_count") or 0
    told = [f"{facts.get('current_step')} {percent:.0f} %"]
    told += [str(message)] if message and message != facts.get("current_step") else []
    told += [f"{tries} failed"] if tries else []
    return " · ".join(told)
