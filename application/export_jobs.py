"""Exports: one job per output, resumed from where its log says it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from resumelog.application.errors import JobNotFound, JobPaused
from resumelog.application.event_log import EventLog
from resumelog.application.ports import Artifacts, Clock, InFlight, Leases
from resumelog.application.running import Running, Saved
from resumelog.domain.events import Events
from resumelog.domain.export_events import Paused
from resumelog.domain.export_job import ExportJob, ExportStatus, Report, Work
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.values import fingerprint

OUTPUT = "output"


class Export:
    """A worker's handle on one export. `progress` is a fraction, units count from 0."""

    def __init__(self, running: Running[ExportJob], artifacts: Artifacts, output: Path) -> None:
        """Wrap a running job; `ExportJobs.resume` does."""
        self._running, self._artifacts = running, artifacts
        self._units_total: int | None = None
        self.output_path = output

    @property
    def progress(self) -> float:
        """The fraction that is done, as the log has it."""
        return self._running.state.progress

    @property
    def units_done(self) -> int:
        """How many units are done; 0 where none were counted."""
        return self._running.state.report.units_done or 0

    @property
    def cursor(self) -> JsonValue:
        """The exporter's own position, as it was saved last."""
        return self._running.state.report.cursor

    @property
    def is_completed(self) -> bool:
        """Tell whether it is finished and its output is still there."""
        return self._running.state.status is ExportStatus.COMPLETED

    def remaining(self, total: int) -> Iterator[int]:
        """Iterate over the units that are left, of `total`; stop where somebody paused the job."""
        self._units_total = total
        done = total if self.is_completed else self.units_done
        for unit in range(done, total):
            self._leave_if_paused()
            yield unit

    def save_progress(
        self,
        progress: float = 0.0,
        *,
        units_done: int | None = None,
        units_total: int | None = None,
        cursor: JsonValue = None,
    ) -> Saved:
        """Save after the work: exact counts, or a fraction from 0.0 to 1.0. On disk on return.

        Raises ProgressOutOfRange, ProgressFell, UnitsOutOfRange, UnitsTotalChanged, TooLarge,
        LeaseLost, StoreUnavailable.
        """
        counted = units_done is not None
        total = (units_total or self._units_total) if counted else units_total
        report = Report(progress, units_done, total, cursor)
        at = self._running.clock.now()
        return self._running.do(lambda job, by: job.save_progress(report, by, at))

    @contextmanager
    def output(self) -> Iterator[Path]:
        """Yield a temporary path; move it into place when the block ends without an error.

        What a kill leaves of it, the next worker removes. Raises NotRunning where the export is
        completed already, and LeaseLost.
        """
        partial = self._artifacts.partial(self.output_path)
        self._running.begun(InFlight(OUTPUT, 0, partial=str(partial)))
        try:
            yield partial
            self._running.watch()  # a successor's output is not ours to replace
            self._artifacts.commit(partial, self.output_path)
        finally:
            self._artifacts.discard(partial)
            self._running.ended(OUTPUT)

    def complete(self) -> Saved:
        """Finish, with the output if there is one. Raises UnitsRemain where some are left."""
        there = self.output_path.is_file()
        artifact = self._artifacts.settle(self.output_path) if there else None
        at = self._running.clock.now()
        return self._running.do(lambda job, by: job.complete(artifact, by, at))

    def resume_point(self) -> ResumePoint:
        """Return what is done and what is next, and why."""
        return resume_point(self._running.state)

    def _leave_if_paused(self) -> None:
        job = self._running.watch()
        if job.status is ExportStatus.PAUSED:
            event = job.decided_by["status"]
            assert isinstance(event, Paused)
            raise JobPaused(job.title, actor=event.actor, reason=event.reason)


class ExportJobs:
    """All exports of one log."""

    def __init__(self, log: EventLog, leases: Leases, clock: Clock, artifacts: Artifacts) -> None:
        """Take the parts that every job shares."""
        self._log, self._leases, self._clock, self._artifacts = log, leases, clock, artifacts

    @contextmanager
    def resume(
        self,
        output_path: str | Path,
        *,
        inputs: JsonValue = None,
        key: str | None = None,
        exporter: str = "",
        on_changed_inputs: Literal["restart", "refuse"] = "restart",
    ) -> Iterator[Export]:
        """Start the export of `output_path`, or go on where it stopped.

        The job's `key` is by default the absolute output path. Another `inputs`, exporter or output
        begins again at 0, or raises InputsChanged. On leaving the block the job is completed, or
        Interrupted or Failed records why not, and the exception goes on. Raises AlreadyRunning.
        """
        output = self._artifacts.absolute(output_path)
        job = ExportJob.named(str(output) if key is None else key)
        work = Work(exporter, str(output), fingerprint(inputs))
        running = Running(self._log, self._leases, self._clock, job)
        running.begin(
            lambda job, by: job.begin(
                work,
                by,
                self._clock.now(),
                output_intact=not self._fault(job),
                on_changed_inputs=on_changed_inputs,
            )
        )
        export = Export(running, self._artifacts, output)
        try:
            yield export
            if running.claim:
                self._complete_or_leave(export, running)
        except BaseException as error:
            self._record_end(running, error)
            raise
        finally:
            running.end()

    def pause(self, key: str, reason: str = "", actor: str = "") -> Events:
        """Ask the worker to stop at its next safe point. `key` may be the output path."""
        return self._control(key, lambda job: job.pause(reason, actor, self._clock.now()))

    def restart(self, key: str, reason: str) -> Events:
        """Forget the progress of a job; a worker that is at it is refused from here on."""
        return self._control(key, lambda job: job.restart(reason, self._clock.now()))

    def _control(self, key: str, command: Any) -> Events:
        named = (ExportJob.named(key), ExportJob.named(str(self._artifacts.absolute(key))))
        for job in named:
            if self._log.recover(job).version:
                return self._log.decide(job, command)
        raise JobNotFound(name=key)

    def _fault(self, job: ExportJob) -> str:
        return self._artifacts.fault(job.artifact) if job.artifact else ""

    def _complete_or_leave(self, export: Export, running: Running[ExportJob]) -> None:
        report, at = running.state.report, self._clock.now()
        done, total = report.units_done or 0, report.units_total or export._units_total or 0
        if export.is_completed:
            return
        if done >= total:
            export.complete()
        else:
            cause = f"left with {done} of {total} units done"
            running.do(lambda job, by: job.interrupt(cause, by, at))

    def _record_end(self, running: Running[ExportJob], error: BaseException) -> None:
        """Let the exception go on even where its record can't be written."""
        if not running.claim:
            return
        at, failed = self._clock.now(), isinstance(error, Exception)
        failed = failed and not isinstance(error, JobPaused)
        try:
            if failed:
                running.do(lambda job, by: job.fail(error, by, at))
            else:
                running.do(lambda job, by: job.interrupt(error, by, at))
        except Exception as unsaved:  # noqa: BLE001 - the first error is the one to raise
            error.add_note(f"its record was not saved: {unsaved}")
