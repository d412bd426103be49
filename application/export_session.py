"""One attempt at an export, from its beginning to the record of how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from threading import Lock
from types import TracebackType

from resumelog.application.async_export import AsyncExport
from resumelog.application.async_session import AsyncSession
from resumelog.application.endings import ending
from resumelog.application.errors import JobPaused, SessionEntered
from resumelog.application.event_log import of
from resumelog.application.export import Export
from resumelog.application.export_progress import OnProgress
from resumelog.application.ports import Signals
from resumelog.application.running import Running
from resumelog.domain.events import Events
from resumelog.domain.export_job import ExportJob
from resumelog.domain.values import Claim

logger = logging.getLogger("resumelog")


class ExportSession:
    """One attempt at an export: begins on entering, and on leaving records how it ended."""

    def __init__(
        self,
        attempt: Callable[[], tuple[Running[ExportJob], Export]],
        begin: Callable[[ExportJob, Claim], Events],
        signals: Signals,
        on_progress: OnProgress | None = None,
        *,
        needs_output: bool = False,
    ) -> None:
        """Prepare; nothing is read or written before `with`, which makes an `attempt`."""
        self._attempt, self._begin = attempt, begin
        self._signals, self._on_progress = signals, on_progress
        self._needs_output = needs_output
        self._entered = Lock()

    def __enter__(self) -> Export:
        """Take the lease and begin. Raises AlreadyRunning, InputsChanged, SessionEntered."""
        running, export = self._attempt()
        if not self._entered.acquire(blocking=False):
            raise SessionEntered(export.title)
        self._running, self._export = running, export
        self._stack = ExitStack()
        try:
            self._stack.callback(self._entered.release)
            self._enter()
        except BaseException as error:
            with self._stack:
                self._record_end(error)
            raise
        return export

    def _enter(self) -> None:
        """Push what gives back before it is taken: an interrupt may come in between."""
        held = self._stack.push(self._signals.held())
        held.__enter__()
        self._export.interruption = held.came
        self._stack.callback(self._running.end)
        self._export.began = self._running.begin(self._beginning, cut_off=self._cut_off)
        self._export.begins()
        self._export.measure()
        if self._on_progress:
            self._export.on_progress(self._on_progress)
        if self._export.is_completed:
            state = self._running.state
            logger.info("%s is finished and intact: skipped", state.title, extra=of(state))

    @ending
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the job, or record why not, and let the exception go on.

        A signal that the block kept to itself goes on as well, unless all was reported done since.

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
        untold = copy(self)  # the loop's own thread calls `on_progress`
        untold._on_progress = None
        in_loop = AsyncSession(untold, self._signals.in_loop, AsyncExport)
        job = await in_loop.__aenter__()
        self._in_loop = in_loop
        if self._on_progress:
            job.on_progress(self._on_progress)
        return job

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record how it ended as `with` does."""
        await self._in_loop.__aexit__(kind, error, traceback)

    def _beginning(self, job: ExportJob, by: Claim) -> Events:
        self._export.was_at(job.work.output_path)
        return self._begin(job, by)

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
        export.flush()  # what is kept is done as well
        export.leave_if_interrupted()
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
