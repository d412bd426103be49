"""Exports: one job per output, resumed from where its log says it was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from resumelog.application.errors import BadArgument, BadBatch, JobNotFound
from resumelog.application.event_log import EventLog
from resumelog.application.export import Export
from resumelog.application.export_batch import ExportBatch, ExportFunction, OnItem
from resumelog.application.export_options import (
    SAVE_INTERVAL_S,
    OnChangedInputs,
    require_function,
    require_key,
    require_on_changed_inputs,
    require_path,
    seconds_between,
)
from resumelog.application.export_progress import OnProgress
from resumelog.application.export_reports import ExportItem, ExportsReport
from resumelog.application.export_session import ExportSession
from resumelog.application.export_tasks import ExportItems, tasks_of
from resumelog.application.jsonable import jsonable
from resumelog.application.ports import Artifacts, Clock, Leases, Signals
from resumelog.application.running import Running
from resumelog.application.stop_flag import StopFlag
from resumelog.application.version_exporter import VersionExporter, exporter_of
from resumelog.domain.errors import BadKey
from resumelog.domain.events import Events
from resumelog.domain.export_job import ExportJob, Work
from resumelog.domain.export_state import ExportState
from resumelog.domain.values import Claim, fingerprint


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

    def absolute(self, output_path: str | Path) -> Path:
        """Return where an output is: its path may be relative to the log's root."""
        return self._artifacts.absolute(output_path)

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

        The job's `key` is by default the absolute output path; with a key, `output_path` may be
        None. Another `inputs`, exporter or output begins again at 0, or raises InputsChanged. A
        finished job whose output is intact is skipped: `is_completed`, with nothing `remaining`.
        With `needs_output` none is skipped or completed without a file. On leaving the block the
        job is completed, or Interrupted (Ctrl+C, SIGTERM, an exit, units left, less than 1.0 reported last,
        no output where one was to be made: `complete` says that it is done) or Failed records
        why not, and the exception goes on. In the main thread SIGTERM and SIGHUP raise Terminated
        meanwhile, unless the program handles them. A block that catches that or Ctrl+C, and returns
        with less than 1.0 reported (also with nothing), is interrupted all the same: the exception goes on
        from its end, unless the block has called `complete` or `leave` itself. `on_progress` is called as Export.on_progress
        says. Each `with` is an attempt of its own; one in the other raises SessionEntered. Raises
        AlreadyRunning, and BadArgument for an option that can't be meant.
        """
        require_on_changed_inputs(on_changed_inputs)
        save_interval_s = seconds_between(save_interval_s)
        require_path(output_path)
        require_key(key)
        if on_progress is not None:
            require_function("on_progress", on_progress)
        output = None if output_path is None else self._artifacts.absolute(output_path)
        job = _job_of(output) if key is None else ExportJob.named(key)
        work = Work(exporter, str(output or ""), fingerprint(inputs))

        def attempt() -> tuple[Running[ExportJob], Export]:
            state = ExportJob(job.id, job.natural_key)
            running = Running(self._log, self._leases, self._clock, state)
            return running, Export(running, self._artifacts, output, save_interval_s)

        def begin(job: ExportJob, by: Claim) -> Events:
            events = job.begin(
                work,
                by,
                self._clock.now(),
                output_intact=self._is_intact(job, needs_output),
                on_changed_inputs=on_changed_inputs,
            )
            if events and output:
                self._require_place(job, output)
            return events

        return ExportSession(attempt, begin, self._signals, on_progress, needs_output=needs_output)

    def run_all(
        self,
        items: ExportItems,
        export: ExportFunction | VersionExporter,
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
        yields, makes what remains, and leaves a file at `job.output_path`. What make_resumable returns
        (or its `export_in`) is taken too: the jobs are those of its own `export`, by name, key, inputs and
        `check_export`, so that what either has finished the other one skips. What is finished and intact is skipped: the same call goes on
        after a kill. `on_item` gets each report as it comes. After `stop_after_failures` no more
        are begun. Once `stop` is set, or an interruption comes, those at work leave at their next
        `remaining`, `save_progress` or `leave_if_paused`; an interruption waits for that and goes
        on with the report as a note, a second one at once. `executor` is another pool of threads.
        Raises BadArgument, BadBatch, BadKey, DuplicateExport and NotJson before anything is begun;
        what an export raises is in its report.
        """
        own = exporter_of(export)
        if own:
            export, exporter = own.export_in, exporter or own.name
            if on_changed_inputs == "restart":
                on_changed_inputs = own.on_changed_inputs
        session = partial(
            self._session_of,
            exporter=exporter,
            on_changed_inputs=on_changed_inputs,
            save_interval_s=save_interval_s,
        )
        batch = ExportBatch(
            tasks_of(items, self._artifacts.absolute, session, own),
            cast("ExportFunction", export),
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
        self, report: ExportsReport, export: ExportFunction | VersionExporter, **options: Any
    ) -> ExportsReport:
        """Run what failed, was interrupted, busy, or never begun, with the options of `run_all`.

        Returns the report of all: what was finished, or paused, stands in it as it was.
        """
        if not isinstance(report, ExportsReport):
            raise BadBatch(why=f"{report!r} is no report; give what `run_all` returned")
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
        return self._log.decide(
            job, lambda job: job.restart_if_completed(reason, self._clock.now())
        )

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

    def _require_place(self, job: ExportJob, output: Path) -> None:
        if found := self._artifacts.no_place(output):
            advice = f"{found} stands there; name a file"
            raise BadArgument(job.title, option="output_path", given=str(output), advice=advice)

    def _is_intact(self, job: ExportJob, needs_output: bool) -> bool:
        return not (self._artifacts.fault(job.artifact) if job.artifact else needs_output)


def _job_of(output: Path | None) -> ExportJob:
    try:
        return ExportJob.named(output and str(output))
    except BadKey as error:
        why = f"{error.why}; give the job another name with `key`"
        raise BadKey(what="the output path", key=error.key, why=why) from None
