"""The loop of `resumelog run`: one scene after the other, until done or asked to leave."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from resumelog.application.batch import Batch
from resumelog.application.errors import NotSaved
from resumelog.application.scene import Scene
from resumelog.domain.errors import BadInput
from resumelog.infrastructure.artifacts import discard
from resumelog.infrastructure.cli.display import Display
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.scene_jobs import SceneJob
from resumelog.infrastructure.gate import Ended
from resumelog.infrastructure.scene_commands import Interrupts, run_command


class SceneWorker:
    """Runs the jobs of one batch and says how it went."""

    def __init__(self, batch: Batch, jobs: Mapping[str, SceneJob], display: Display) -> None:
        """Take a batch that was just opened."""
        self._batch, self._jobs, self._display = batch, jobs, display
        self._interrupts = Interrupts(display.say)

    def work(self, *, retry_failed: bool) -> Exit:
        """Do what remains, record how it ended, and return the exit code. Raises NotSaved."""
        batch, display = self._batch, self._display
        only = {scene.key for scene in batch.failed()} if retry_failed else None
        try:
            with self._interrupts, display.showing(batch), batch:
                self._do_remaining(only)
                self._leave_if_asked()
        except NotSaved as unsaved:
            display.report(batch, self._interrupts.cause, str(unsaved))
            raise
        display.report(batch, self._interrupts.cause)
        return self._exit_code()

    def _do_remaining(self, only: Collection[str] | None) -> None:
        for scene in self._batch.remaining(only):
            if self._interrupts.cause:
                return
            self._do(scene)

    def _leave_if_asked(self) -> None:
        """Name the cause where scenes remain; a batch that is done is completed all the same."""
        batch = self._batch
        if not batch.counts().remaining or batch.is_over:
            return
        if not self._interrupts.cause and batch.is_asked_to_leave():
            self._interrupts.cause = f"the batch was {batch.counts().status}"
        if self._interrupts.cause:
            batch.leave(self._interrupts.cause)

    def _do(self, scene: Scene) -> None:
        job = self._jobs[scene.key]
        self._display.began(job.label)
        try:
            with self._partial(scene, job) as partial:
                ended = self._run(scene, job, partial)
                if self._interrupts.ends_now:
                    return  # cut off, however it ended: it stays in flight until the batch is left
                why = ended.why if ended.code else self._record(scene, ended, partial)
        except BadInput as error:
            why = str(error)
        except OSError as error:
            place = error.filename2 or error.filename
            why = f"{place}: {error.strerror}" if place else str(error)
        if why:
            self._batch.fail(scene, why)
            self._display.failed(self._batch.counts(), job.label, why)
        else:
            self._display.done(self._batch.counts(), job.label, ended.elapsed_s)

    @contextmanager
    def _partial(self, scene: Scene, job: SceneJob) -> Iterator[Path | None]:
        partial = self._batch.artifact(scene, job.artifact) if job.artifact else None
        try:
            yield partial
        finally:
            if partial:
                discard(partial)

    def _run(self, scene: Scene, job: SceneJob, partial: Path | None) -> Ended:
        left = str(partial) if partial else None
        return run_command(
            job.argv(partial),
            lambda group, started: self._batch.begun(
                scene, group=group, started=started, partial=left
            ),
            self._interrupts,
        )

    def _record(self, scene: Scene, ended: Ended, partial: Path | None) -> str:
        """Complete the scene, or return why it failed all the same."""
        if partial and not partial.is_file():
            return "it ended well, but wrote no file to {artifact}"
        self._batch.complete(scene, ended.printed, elapsed_s=ended.elapsed_s)
        return ""

    def _exit_code(self) -> Exit:
        report = self._batch.counts()
        if self._interrupts.cause and report.remaining:
            return Exit.INTERRUPTED
        return Exit.FAILED if report.failed else Exit.DONE
