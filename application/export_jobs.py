"""Exports: one job per output, resumed from where its log says it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import JsonValue

from resumelog.application.async_export import AsyncExport, AsyncSession
from resumelog.application.errors import JobNotFound, JobPaused
from resumelog.application.event_log import EventLog, of
from resumelog.application.export import Export
from resumelog.application.export_batch import ExportBatch, ExportFunction, OnItem
from resumelog.application.export_progress import OnProgress
from resumelog.application.export_reports import ExportItem, ExportsReport
from resumelog.application.export_tasks import ExportItems, tasks_of
from resumelog.application.jsonable import jsonable
from resumelog.application.ports import Artifacts, Clock, Leases, Signals
from resumelog.application.running import Running
from resumelog.application.stop_flag import StopFlag
from resumelog.domain.events import Events
from resumelog.domain.export_job import ExportJob, Work
from resumelog.domain.export_state import ExportState
from resumelog.domain.values import Claim, fingerprint

SAVE_INTERVAL_S = 5.0

OnChangedInputs = Literal["restart", "refuse"]

logger = logging.getLogger("resumelog")


class ExportSession:
    """One attempt at an export: begins on entering, and on leaving records how it ended."""

    def __init__(
        self,
        running: Running[ExportJob],
        export: Export,
        begin: Callable[[ExportJob, Claim], Events],
        signals: Signals,
        on_progress: OnProgress | None = None,
        *,
        needs_output: bool = False,
    ) -> None:
        """Prepare; nothing is read or written before `with`."""
        self._running, self._export, self._begin = running, export, begin
        self._signals, self._on_progress = signals, on_progress
        self._needs_output = needs_output
        self._terminable: AbstractContextManager[object] = signals
        self._stack = ExitStack()

    def __enter__(self) -> Export:
        """Take the lease and begin. Raises AlreadyRunning, InputsChanged."""
        self._stack.enter_context(self._terminable)
        self._stack.callback(self._running.end)
        try:
            self._running.begin(self._begin, cut_off=self._cut_off)
            self._export.measure()
            if self._on_progress:
                self._export.on_progress(self._on_progress)
        except BaseException as error:
            with self._stack:
                self._record_end(error)
            raise
        if self._export.is_completed:
            state = self._running.state
            logger.info("%s is finished and intact: skipped", state.title, extra=of(state))
        return self._export

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the job, or record why not, and let the exception go on.

        A job that ends well is completed once its resources are released, so that its files are
        closed when they are looked at. One that ends otherwise is recorded first: a release may
        hang. Rollbacks come last, unless it is completed. The lease is given back after all that.
        """
        with self._stack as stack:
            stack.push(lambda _, late, __: self._release(late or error))
            try:
                if error is None:
                    self._finish()
            except BaseException as late:
                self._record_end(late)
                raise
            if error is not None:
                self._record_end(error)

    async def __aenter__(self) -> AsyncExport:
        """Begin as `with` does, with all that blocks in a thread of its own."""
        on_progress, self._on_progress = self._on_progress, None
        self._terminable = nullcontext()
        self._in_loop = AsyncSession(self, self._signals.in_loop, on_progress)
        return await self._in_loop.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record how it ended as `with` does."""
        await self._in_loop.__aexit__(kind, error, traceback)

    def _cut_off(self, job: ExportJob, by: Claim, error: BaseException) -> Events:
        return job.interrupt(error, by, self._running.clock.now())

    def _finish(self) -> None:
        self._export.resources.finish()
        if self._running.claim:
            self._complete_or_leave()

    def _release(self, error: BaseException | None) -> None:
        self._export.resources.release(error, failed=not self._export.is_completed)

    def _complete_or_leave(self) -> None:
        export, job = self._export, self._running.state
        if job.status not in job.at_work:
            return  # it was completed, or left
        total = job.report.units_total or export.units_total or 0
        done = job.units_done_of(total)
        if done >= total:
            export.complete(export.output_path if self._needs_output else None)
        else:
            export.leave(f"left with {done} of {total} units done")

    def _record_end(self, error: BaseException) -> None:
        """Let the exception go on even where its record can't be written."""
        job = self._running.state
        if not self._running.claim or job.status not in job.at_work:
            return
        try:
            if not isinstance(error, Exception) or isinstance(error, JobPaused):
                self._export.leave(error)
                return
            self._export.flush()
            at = self._running.clock.now()
            self._running.do(lambda job, by: job.fail(error, by, at))
        except Exception as unsaved:  # noqa: BLE001 - the first error is the one to raise
            error.add_note(f"its record was not saved: {unsaved}")


class ExportJobs:
    """All exports of one log."""

    def __init__(
        self,
        log: EventLog,
        leases: Leases,
        clock: Clock,
        artifacts: Artifacts,
        signals: Signals,
    ) -> None:
        """Take the parts that every job shares."""
        self._log, self._leases, self._clock, self._artifacts = log, leases, clock, artifacts
        self._signals = signals

    def resume(
        self,
        output_path: str | Path | None,
        *,
        inputs: JsonValue = None,
        key: str | None = None,
        exporter: str = "",
        on_changed_inputs: OnChangedInputs = "restart",
        save_interval_s: float = SAVE_INTERVAL_S,
        needs_output: bool = False,
        on_progress: OnProgress | None = None,
    ) -> ExportSession:
        """Start the export of `output_path`, or go on where it stopped, by `with` or `async with`.

        The job's `key` is by default the absolute output path; with a key, `output_path` may be None.
        Another `inputs`, exporter or output
        begins again at 0, or raises InputsChanged. A finished job whose output is intact is skipped:
        `is_completed`, with nothing `remaining`; with `needs_output` only if there is an output, and it isn't completed without one. On leaving the block the job is completed, or
        Interrupted (Ctrl+C, SIGTERM, an exit, units left) or Failed records why not, and the
        exception goes on. In the main thread SIGTERM and SIGHUP raise Terminated meanwhile, unless
        the program handles them. `on_progress` is called as Export.on_progress says. Raises AlreadyRunning.
        """
        output = None if output_path is None else self._artifacts.absolute(output_path)
        job = ExportJob.named(output and str(output) if key is None else key)
        work = Work(exporter, str(output or ""), fingerprint(inputs))
        running = Running(self._log, self._leases, self._clock, job)

        def begin(job: ExportJob, by: Claim) -> Events:
            return job.begin(
                work,
                by,
                self._clock.now(),
                output_intact=self._is_intact(job, needs_output),
                on_changed_inputs=on_changed_inputs,
            )

        export = Export(running, self._artifacts, output, save_interval_s)
        return ExportSession(
            running, export, begin, self._signals, on_progress, needs_output=needs_output
        )

    def run_all(
        self,
        items: ExportItems,
        export: ExportFunction,
        *,
        workers: int = 4,
        executor: Executor | None = None,
        exporter: str = "",
        on_changed_inputs: OnChangedInputs = "restart",
        save_interval_s: float = SAVE_INTERVAL_S,
        stop_after_failures: int | None = None,
        on_item: OnItem | None = None,
        stop: StopFlag | None = None,
    ) -> ExportsReport:
        """Export many versions, `workers` at a time; the failure of one leaves the rest going.

        Each is a job of its own: `export(job, version)` is called in a thread with what `resume`
        yields, makes what remains, and leaves a file at `job.output_path`; so does `export_in` of
        what make_resumable returns. What is finished and intact is skipped: the same call goes on
        after a kill. `on_item` gets each report as it comes. After `stop_after_failures` no more
        are begun. Once `stop` is set, or an interruption comes, those at work leave at their next
        `remaining`, `save_progress` or `leave_if_paused`; an interruption waits for that and goes
        on with the report as a note, a second one at once. `executor` is another pool of threads.
        Raises BadBatch, BadKey, DuplicateExport and NotJson before anything is begun; what an
        export raises is in its report.
        """
        session = partial(
            self._session_of,
            exporter=exporter,
            on_changed_inputs=on_changed_inputs,
            save_interval_s=save_interval_s,
        )
        batch = ExportBatch(
            tasks_of(items, self._artifacts.absolute, session),
            export,
            self._clock,
            workers=workers,
            executor=executor,
            stop_after_failures=stop_after_failures,
            on_item=on_item,
            stop=stop,
        )
        with self._signals:
            return batch.run()._replace(exporter=exporter)

    def retry_failed(
        self, report: ExportsReport, export: ExportFunction, **options: Any
    ) -> ExportsReport:
        """Run what failed, was interrupted, busy, or never begun, with the options of `run_all`.

        Returns the report of all: what was finished, or paused, stands in it as it was.
        """
        options = {"exporter": report.exporter, **options}
        again = self.run_all([each.item for each in report.to_retry], export, **options)
        return report.with_retried(again)

    def import_progress(self, key: str, state: ExportState) -> Events:
        """Begin the job `key` with what an old progress file says; `resume` goes on from there.

        Returns no events where this file was imported before. Raises AlreadyRecorded where the job
        has events of its own, BadKey, and ProgressOutOfRange.
        """
        job, by = self._log.recover(ExportJob.named(key)), self._leases.worker
        at = self._clock.now()
        return self._log.decide(job, lambda job: job.import_progress(state, by, at))

    def pause(self, key: str, reason: str = "", actor: str = "") -> Events:
        """Ask the worker to stop at its next safe point. `key` may be the output path."""
        return self._control(key, lambda job: job.pause(reason, actor, self._clock.now()))

    def restart(self, key: str, reason: str) -> Events:
        """Forget the progress of a job; a worker that is at it is refused from here on."""
        return self._control(key, lambda job: job.restart(reason, self._clock.now()))

    def restart_if_completed(self, key: str, reason: str) -> Events:
        """Restart a job that is finished; do nothing with any other, or none."""
        job = self._log.recover(ExportJob.named(key))
        if job.status not in job.finished:
            return ()
        return self._log.decide(job, lambda job: job.restart(reason, self._clock.now()))

    def _session_of(self, item: ExportItem, **options: Any) -> ExportSession:
        inputs = jsonable(item.version) if item.inputs is None else item.inputs
        return self.resume(
            item.output_path, inputs=inputs, key=item.key, needs_output=True, **options
        )

    def _control(self, key: str, command: Callable[[ExportJob], Events]) -> Events:
        return self._log.decide(self._found(key), command)

    def _found(self, key: str) -> ExportJob:
        named = (ExportJob.named(key), ExportJob.named(str(self._artifacts.absolute(key))))
        for job in named:
            if self._log.recover(job).version:
                return job
        raise JobNotFound(name=key)

    def _is_intact(self, job: ExportJob, needs_output: bool) -> bool:
        return not (self._artifacts.fault(job.artifact) if job.artifact else needs_output)
