"""The loop of `resumelog run`: one scene after the other, until done or asked to leave."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from resumelog.application.errors import NotSaved
from resumelog.application.scene_batches import Batch, Scene
from resumelog.domain.errors import BadInput
from resumelog.infrastructure.artifacts import discard
from resumelog.infrastructure.cli.display import Display
from resumelog.infrastructure.cli.outcomes import Exit
from resumelog.infrastructure.cli.scene_jobs import SceneJob
from resumelog.infrastructure.scene_commands import Ended, Interrupts, run_command


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
            with self._interrupts, display.showing(batch.report(), batch.stale), batch:
                self._do_remaining(only)
                self._leave_if_asked()
        except NotSaved as unsaved:
            display.report(batch, self._interrupts.cause, str(unsaved))
            raise
        display.report(batch, self._interrupts.cause)
        return self._exit_code()

    def _do_remaining(self, only: Collection[str] | None) -> None:
        for scene in self._batch.remaining(only):
            self._do(scene)
            if self._interrupts.cause:
                return

    def _leave_if_asked(self) -> None:
        if self._interrupts.cause:
            self._batch.leave(self._interrupts.cause)
        elif not self._batch.is_over and self._batch.is_asked_to_leave():
            self._interrupts.cause = f"the batch was {self._batch.report().status}"
            self._batch.leave(self._interrupts.cause)

    def _do(self, scene: Scene) -> None:
        job = self._jobs[scene.key]
        partial = self._batch.partial(job.artifact) if job.artifact else None
        self._display.began(job.label)
        try:
            ended = run_command(
                job.argv(partial),
                lambda group, started: self._batch.begun(
                    scene, group=group, started=started, partial=str(partial) if partial else None
                ),
                self._interrupts,
            )
            if not self._interrupts.ends_now or not ended.code:
                self._record(scene, ended, partial, job.artifact)
        except BadInput as refused:
            self._failed(scene, str(refused))
        finally:
            if partial:
                discard(partial)

    def _record(self, scene: Scene, ended: Ended, partial: Path | None, final: Path | None) -> None:
        if ended.code:
            self._failed(scene, ended.why)
            return
        if partial and final and not partial.is_file():
            self._failed(scene, "it ended well, but wrote no file to {artifact}")
            return
        artifact = self._batch.place(partial, final) if partial and final else None
        self._batch.complete(scene, ended.printed, artifact=artifact, elapsed_s=ended.elapsed_s)
        self._display.done(self._batch.report(), self._jobs[scene.key].label, ended.elapsed_s)

    def _failed(self, scene: Scene, why: str) -> None:
        self._batch.fail(scene, why)
        self._display.failed(self._batch.report(), self._jobs[scene.key].label, why)

    def _exit_code(self) -> Exit:
        report = self._batch.report()
        if self._interrupts.cause and report.remaining:
            return Exit.INTERRUPTED
        return Exit.FAILED if report.failed else Exit.DONE
