"""The work of `resumelog run` on one batch: until all is done, or it is asked to leave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from resumelog.application.batch import Batch
from resumelog.application.errors import NotSaved, Terminated
from resumelog.infrastructure.cli.display import AGAIN, Display
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.recipe import Recipe
from resumelog.infrastructure.cli.scene_jobs import SceneJob
from resumelog.infrastructure.cli.scene_work import SceneWork, retry_of
from resumelog.infrastructure.scene_commands import Interrupts


class SceneWorker:
    """Runs the jobs of one batch and says how it went."""

    def __init__(
        self,
        batch: Batch,
        recipe: Recipe,
        jobs: Mapping[str, SceneJob],
        display: Display,
        asked: Callable[[], str],
    ) -> None:
        """Take a batch that was just opened; `asked` says who paused or stopped it, and why."""
        self._batch, self._recipe, self._jobs = batch, recipe, jobs
        self._display, self._asked = display, asked
        self._interrupts = Interrupts(display.say)
        self._cause, self._was_asked, self._next_step = "", False, ""

    def work(self, only: Collection[str] | None = None) -> Exit:
        """Do what remains, or of these, record how it ended, and return the exit code.

        Raises NotSaved and LeaseLost.
        """
        batch, display = self._batch, self._display
        try:
            with self._interrupts, display.showing(batch, self._jobs, only), batch:
                self._run(only)
        except Terminated as ended:
            self._cause = str(ended)
            self._tell_notes(ended)
        except NotSaved as unsaved:
            display.report(batch, self._cause or self._interrupts.cause, unsaved=str(unsaved))
            raise
        display.report(batch, self._cause, next_step=self._next_step)
        return self._exit_code(only)

    def _run(self, only: Collection[str] | None) -> None:
        batch, recipe = self._batch, self._recipe
        if batch.is_over:
            return
        report = batch.run(
            SceneWork(batch, recipe, self._jobs, self._interrupts),
            scenes=only,
            workers=recipe.workers,
            retry=retry_of(recipe),
            stop_after_failures=recipe.stop_after_failures,
            stop=self._interrupts.stop,
        )
        self._cause = self._interrupts.cause or report.cause
        if not report.remaining:
            self._cause = ""
        elif not self._interrupts.cause and (asked := self._asked()):
            self._cause, self._was_asked = asked, True
            self._next_step = f"resumelog resume {self._display.job}, or {AGAIN}"
        elif self._cause:
            if self._cause == batch.waits(len(batch.waiting(batch.left(only)))):
                self._next_step = "run the same command once they are done there"
            batch.leave(self._cause)

    def _tell_notes(self, error: BaseException) -> None:
        """Say what could not be recorded of an end."""
        for note in getattr(error, "__notes__", ()):
            self._display.say(note)

    def _exit_code(self, only: Collection[str] | None) -> Exit:
        counts, report = self._batch.counts(), self._batch.report()
        if counts.held:
            return Exit.NOT_SAVED
        if (self._interrupts.cause or self._was_asked) and counts.remaining:
            return Exit.INTERRUPTED
        failed = [scene for scene in report.failed if only is None or scene.key in only]
        return Exit.FAILED if failed or (self._cause and counts.remaining) else Exit.DONE
