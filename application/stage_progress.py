"""How far a stage of a pipeline is: its batch is another one in every run, whoever looks on stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from resumelog.application.batch_progress import BatchFacts, OnBatchProgress, WatchedBatch
from resumelog.application.export_progress import Listener


class StageProgress:
    """One stage, to be shown like a batch. Before it is run for the first time nothing is known of it."""

    def __init__(self, project: str, stage: str, scenes: int) -> None:
        """Begin without a batch."""
        self.title, self.stage, self._scenes = f"{project}/{stage}", stage, scenes
        self._batch: WatchedBatch | None = None
        self._is_run = False
        self._watchers = list[Listener[BatchFacts]]()
        self._end_watch: Callable[[], object] | None = None

    def progress_facts(self) -> BatchFacts:
        """Return how far it is, how fast, how long yet; at once, even while a save is made."""
        if self._batch is None:
            return BatchFacts(0, 0, 0, self._scenes, self._scenes, None, None, 0, 0.0, 0)
        return self._batch.progress_facts()

    def on_progress(self, callback: OnBatchProgress) -> Callable[[], None]:
        """Call `callback` as Batch.on_progress does, in each run; now only while one goes on."""
        watcher = Listener(callback)
        if self._end_watch:
            watcher(self.progress_facts())
        self._watchers.append(watcher)
        self._watch()

        def end() -> None:
            with suppress(ValueError):
                self._watchers.remove(watcher)

        return end

    def is_of(self, batch: WatchedBatch) -> None:
        """Look at this batch, until its run ends."""
        self._batch, self._is_run = batch, True
        self._watch()

    def rest(self) -> None:
        """Tell nobody any more: the run has ended."""
        self._is_run = False
        if self._end_watch:
            self._end_watch()
            self._end_watch = None

    def _watch(self) -> None:
        if self._batch and self._is_run and self._watchers and not self._end_watch:
            self._end_watch = self._batch.on_progress(self._tell)

    def _tell(self, facts: BatchFacts) -> None:
        for watcher in (*self._watchers,):
            watcher(facts)
