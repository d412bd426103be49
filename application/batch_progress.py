"""Progress of a batch as people want it told: what is done, failed and running, how long yet."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from resumelog.application.batch_reader import BatchReader
from resumelog.application.export_progress import Listener
from resumelog.application.scene import SceneName, keys_of
from resumelog.application.scene_pace import Pace
from resumelog.domain.scene_batch import Outcome
from resumelog.domain.scene_events import SceneCompleted

PAST_MAX = 8
"""So many durations of earlier runs are looked at."""


class BatchFacts(NamedTuple):
    """How far a batch is.

    `done`, `failed` and `remaining` (which counts the failed ones too) are of `total`, as the log
    has them; `held` saves are not in it yet. `running` scenes are in flight. `skipped` were done
    before this worker. `rate` is in scenes done a second, of late and by this run; None while it has
    made none. `left_s` is how long the scenes take that this run has still to make: those that
    failed only once they are tried again. It is None while no duration is known, neither of this run
    nor of earlier ones, and 0.0 where none is to be made, or the last is overdue. `elapsed_s` is this
    run's.
    """

    done: int
    failed: int
    running: int
    remaining: int
    total: int
    rate: float | None
    left_s: float | None
    held: int
    elapsed_s: float
    skipped: int

    @property
    def fraction(self) -> float:
        """The part that is done, 0.0 to 1.0; a batch without scenes is done."""
        return self.done / self.total if self.total else 1.0


OnBatchProgress = Callable[[BatchFacts], object]


class WatchedBatch(BatchReader):
    """A batch that is measured while it is made, and tells whoever wants to know."""

    def __init__(self, *parts: Any) -> None:
        """Take the parts of a BatchReader."""
        super().__init__(*parts)
        self._pace, self._watchers = (
            Pace(self._running.clock.monotonic),
            list[Listener[BatchFacts]](),
        )
        self._past_s: deque[float] | None = None
        self._made_before = self._made
        self._given_up, self._workers = set[str](), 1
        self.expect(len(self.plan) - self._made, 1)

    def progress_facts(self) -> BatchFacts:
        """Return how far it is, how fast, how long yet; at once, even while a save is made."""
        state, total, held = self._running.state, len(self.plan), self._running.held
        done = state.done
        to_do = min(self._expected - self._made, total - self._made) - len(self._given_up)
        rate, left_s, elapsed_s = self._pace.now(to_do)
        running = max(self._running.busy - len(self._files.late), 0)
        counts = (done, state.failed, running, total - done, total)
        return BatchFacts(*counts, rate, left_s, held, elapsed_s, self._done_before)

    def on_progress(self, callback: OnBatchProgress) -> Callable[[], None]:
        """Call `callback` with BatchFacts now, whenever scenes are begun or recorded, and at the end.

        Scenes that are recorded in one go are told in one go. It is called in the thread that
        records, under no lock, so where several threads do the calls may overlap. What it raises is
        logged and the work goes on. Returns what ends the calls.
        """
        watcher = Listener(callback)
        self._watchers.append(watcher)
        if self._past_s is None and self._made == self._made_before:
            self._measure(self._workers)
        watcher(self.progress_facts())

        def end() -> None:
            with suppress(ValueError):
                self._watchers.remove(watcher)

        return end

    def expect(self, scenes: int, workers: int) -> None:
        """Begin a run that makes so many scenes."""
        self._expected, self._workers = self._made + scenes, workers
        self._given_up.clear()
        self._measure(workers)

    def _measure(self, workers: int) -> None:
        """Begin to measure here; earlier runs are looked up only where somebody looks on."""
        if self._past_s is None and self._watchers:
            self._past_s = deque(self._recorded_s(), PAST_MAX)
        self._made_before = self._made
        self._pace.begin(self._past_s or (), workers)

    def _note_begun(self, scenes: Iterable[SceneName]) -> None:
        """Note that scenes are begun."""
        self._given_up.difference_update(keys_of(scenes))
        self._tell()

    def _came_to(self, outcomes: Sequence[Outcome]) -> None:
        """Note how scenes ended."""
        for outcome in outcomes:
            if outcome.error is not None:
                self._given_up.add(outcome.scene)
            else:
                self._given_up.discard(outcome.scene)
                if outcome.elapsed_s is not None and self._past_s is not None:
                    self._past_s.append(outcome.elapsed_s)
        self._pace.reached(self._made - self._made_before)
        self._tell()

    def _tell(self) -> None:
        if self._watchers:
            facts = self.progress_facts()
            for watcher in (*self._watchers,):
                watcher(facts)

    @property
    def _made(self) -> int:
        """How many scenes are done, on disk or not yet."""
        return self._running.state.done + self._running.held_saves.made

    def _recorded_s(self) -> list[float]:
        """Return what the scenes took that were done last, as far as that is on record."""
        log, state = self._running.log, self._running.state
        if not state.done:
            return []
        with self._running.lock:
            done = (record.version for record in state.scenes.values() if record.state == "done")
            versions = sorted(heapq.nlargest(PAST_MAX, done))
        events = log.events_at(state.id, versions)
        took = [event.elapsed_s for event in events if isinstance(event, SceneCompleted)]
        return [seconds for seconds in took if seconds is not None]
