"""What `resumelog run` shows: a bar on a terminal, a line for each scene elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from signal import Signals
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from resumelog.application.batch import Batch
from resumelog.application.batch_progress import BatchFacts
from resumelog.application.scene import Counts
from resumelog.application.scene_updates import SceneState, SceneUpdate
from resumelog.domain.wording import counted
from resumelog.infrastructure.cli.outcomes import printable
from resumelog.infrastructure.cli.printing import print_json
from resumelog.infrastructure.cli.screen import Screen, short

if TYPE_CHECKING:
    from resumelog.infrastructure.cli.scene_jobs import SceneJob

STALE_MAX = 10
AGAIN = "run the same command to go on"
AGAIN_FAILED = "run the same command, or resumelog retry {job}"
A_MOMENT_S = 0.5
"""A shorter wait would be shown as 0 s."""


class _TimeLeft(ProgressColumn):
    """How long yet, as it is whenever the bar is drawn."""

    def render(self, task: Task) -> Text:
        facts: BatchFacts = task.fields["now"]()
        left = "-:--:--" if facts.left_s is None else str(timedelta(seconds=round(facts.left_s)))
        return Text(left)


class _Counts(ProgressColumn):
    """What is done, failed, in work and remaining."""

    def render(self, task: Task) -> Text:
        facts: BatchFacts = task.fields["now"]()
        waiting = max(0, facts.remaining - facts.failed - facts.running)
        counts = f"{facts.done} done, {facts.failed} failed, {facts.running} running"
        return Text(f"{counts}, {waiting} remaining")


class Display(Screen):
    """Shows one batch."""

    def __init__(
        self, job: str, *, verbose: bool, wants_json: bool, tries: int = 1, rest: str = ""
    ) -> None:
        """Show nothing yet; a scene is tried so often in this run, `rest` says who makes the others."""
        super().__init__(job, verbose=verbose, wants_json=wants_json)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _Counts(),
            _TimeLeft(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._jobs: Mapping[str, SceneJob] = {}
        self._tries, self._tried, self._rest = tries, Counter[str](), rest
        self._durations: dict[str, float] = {}
        self._running: dict[str, str] = {}
        self._start = time.monotonic()

    @contextmanager
    def showing(
        self, batch: Batch, jobs: Mapping[str, SceneJob], only: Collection[str] | None = None
    ) -> Iterator[None]:
        """Say what is different from last time, and show the bar while the block runs.

        Of what is made again `only` that is named which this run makes.
        """
        self._jobs = jobs
        counts = batch.counts()
        if batch.cut_off is not None:
            at = f" at {', '.join(map(self._label, batch.cut_off))}" if batch.cut_off else ""
            self.say(f"{self.job}: the last worker ended without a word{at}")
        stale = batch.stale.items()
        self._say_stale({key: why for key, why in stale if only is None or key in only})
        self._task = self._progress.add_task(
            self.job, total=counts.total, completed=counts.done, now=batch.progress_facts
        )
        ends = (batch.on_scene(self._told), batch.on_progress(self._moved))
        try:
            with self._progress:
                yield
        finally:
            for end in ends:
                end()

    def _say_stale(self, stale: Mapping[str, str]) -> None:
        for why, count in Counter(stale.values()).most_common(STALE_MAX):
            one = next(key for key, each in stale.items() if each == why)
            many = f" and {count - 1} more are" if count > 1 else " is"
            self.say(f"scene {self._label(one)}{many} made again: {why}")

    def _told(self, update: SceneUpdate) -> None:
        """Show one step of one scene."""
        label = self._label(update.scene.key)
        if update.state is SceneState.BEGUN:
            self._running[update.scene.key] = label
        else:
            self._running.pop(update.scene.key, None)
        self._name_running()
        if update.state is SceneState.DONE:
            self._durations[update.scene.key] = round(update.elapsed_s, 3)
            self._line(update, f"done    {label}  ({update.elapsed_s:.1f} s)")
        elif update.state is SceneState.FAILED:
            self._line(update, f"failed  {label}: {short(update.error)}", always=True)
        elif update.state is SceneState.RETRYING:
            self._line(update, f"again   {label}: {self._retrying(update)}", always=True)

    def _retrying(self, update: SceneUpdate) -> str:
        self._tried[update.scene.key] += 1
        nth = self._tried[update.scene.key] + 1
        wait = f"in {update.wait_s:.0f} s" if update.wait_s >= A_MOMENT_S else "at once"
        return f"retrying {nth} of {self._tries} {wait}: {short(update.error)}"

    def _label(self, key: str) -> str:
        return self._jobs[key].label if key in self._jobs else key

    def _name_running(self) -> None:
        """Name the scene that was begun first of those in work; at the end the last one stays."""
        if self._task is not None and self._running:
            first, *others = self._running.values()
            more = f" +{len(others)}" if others else ""
            self._progress.update(self._task, description=f"{self.job}  {printable(first)}{more}")

    def _moved(self, facts: BatchFacts) -> None:
        if self._task is not None:
            tried = facts.done + (0 if facts.running else facts.failed)
            self._progress.update(self._task, completed=tried)

    def _line(self, update: SceneUpdate, line: str, *, always: bool = False) -> None:
        counts = update.counts
        if not self.console.is_terminal:
            self.say(f"[{counts.done + counts.failed}/{counts.total}] {line}")
        elif always:
            self.say(line)

    def report(self, batch: Batch, cause: str, *, unsaved: str = "", next_step: str = "") -> None:
        """Say at the end how it stands and what to do next, by default to run the command again."""
        counts = self._told_apart(batch.counts())
        made = f"{len(self._durations)} now, {counts.skipped} before"
        done = f"{counts.done} of {counted(counts.total, 'scene')} done ({made})"
        self.say(f"{self.job}: {done}, {self._end(counts, cause, next_step)}")
        if self.wants_json:
            print_json(self._document(batch, counts, cause, unsaved), indent=None)

    def _told_apart(self, counts: Counts) -> Counts:
        """Count what was done before and made again now once, as made now."""
        return counts._replace(skipped=max(0, counts.done + counts.held - len(self._durations)))

    def _end(self, counts: Counts, cause: str, next_step: str) -> str:
        left = f"{counts.remaining} remain{'s' * (counts.remaining == 1)}"
        if cause and counts.remaining:
            why = f" after {cause}" if cause in Signals.__members__ else f", {cause}"
            return f"{left}{why}; {next_step or AGAIN}"
        if counts.failed:
            untried = counts.remaining - counts.failed
            others = f", {untried} not made" if untried else ""
            return f"{counts.failed} failed{others}; {AGAIN_FAILED.format(job=self.job)}"
        if counts.remaining:
            return f"{left}; {self._rest or AGAIN}"
        return "complete"

    def _document(self, batch: Batch, counts: Counts, cause: str, unsaved: str) -> object:
        failed = batch.report().failed
        return {
            **counts._asdict(),
            "job": self.job,
            "cause": cause or None,
            "interrupted": cause or None,
            "not_saved": unsaved or None,
            "failures": [
                {"scene": self._label(each.key), "error": each.error, "attempts": each.attempts}
                for each in failed
            ],
            "next": [fact.value for fact in batch.resume_point().next],
            "durations": self._durations,
            "elapsed_s": round(time.monotonic() - self._start, 3),
        }
