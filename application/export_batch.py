"""Many exports, a few at a time: each its own job, and the failure of one leaves the rest going."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Condition
from typing import Any

from resumelog.application.errors import (
    AlreadyRunning,
    BadBatch,
    JobPaused,
    ReleaseFailed,
)
from resumelog.application.export import Export
from resumelog.application.export_reports import ExportsReport, ItemReport, ItemStatus
from resumelog.application.export_tasks import Task
from resumelog.application.ports import Clock
from resumelog.application.stop_flag import StopFlag
from resumelog.domain.values import error_text
from resumelog.domain.wording import counted

ExportFunction = Callable[[Export, Any], object]
"""Makes what is left of one version. What it returns does not count: the file at its output does."""

OnItem = Callable[[ItemReport], object]

logger = logging.getLogger("resumelog")


class ExportBatch:
    """One run. What `on_item` is told, it is told in the thread that runs the batch."""

    def __init__(
        self,
        tasks: Sequence[Task],
        export: ExportFunction,
        clock: Clock,
        *,
        workers: int,
        executor: Executor | None = None,
        stop_after_failures: int | None = None,
        on_item: OnItem | None = None,
        stop: StopFlag | None = None,
    ) -> None:
        """Take what is to be done. Raises BadBatch."""
        _require(callable(export), f"{export!r} is no function of a job and a version")
        _require(_counts(workers), f"{workers!r} workers do nothing; give 1 or more")
        enough = stop_after_failures is None or _counts(stop_after_failures)
        _require(enough, f"stop_after_failures is {stop_after_failures!r}; give 1 or more, or None")
        _require(_has_threads(executor), "workers share a log, and so a process; give threads")
        self._tasks, self._export, self._monotonic = tasks, export, clock.monotonic
        self._workers, self._executor = workers, executor
        self._failures_max, self._on_item = stop_after_failures, on_item
        self._stop = stop or StopFlag()
        self._reports = [ItemReport(task.given, task.key, task.output) for task in tasks]
        self._ended = deque[int]()
        self._cause = ""
        self._at_work = self._failures = 0
        self._left = Condition()

    def run(self) -> ExportsReport:
        """Run until all have ended.

        An interruption sets `stop`, waits until the workers have left, and goes on; a second one
        goes on at once.
        """
        try:
            with self._pool() as pool:
                self._run_all(pool)
        except BaseException as error:
            self._stop.set(error)
            logger.warning("exports: waiting until %d at work have left", self._at_work)
            with self._left:
                self._left.wait_for(lambda: not self._at_work)
            self._say_to(error)
            raise
        return self.report()

    def report(self) -> ExportsReport:
        """Return what came of each so far."""
        return ExportsReport((*self._reports,), self._stop.cause or self._cause)

    def _run_all(self, pool: Executor) -> None:
        waiting, running = deque(range(len(self._tasks))), set[Future[None]]()
        while True:
            while waiting and len(running) < self._workers and not self._is_over():
                running.add(pool.submit(self._work, waiting.popleft()))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                future.result()  # an export's errors are in its report: this is the executor's
            self._tell()

    def _is_over(self) -> bool:
        """Tell whether no more are begun; after failures, what is at work goes on."""
        if self._failures_max and self._failures >= self._failures_max:
            self._cause = f"stopped after {counted(self._failures, 'failure')}"
        return bool(self._cause or self._stop.cause)

    def _work(self, index: int) -> None:
        """Do one, in a worker's thread. Its report is there before the worker counts as gone."""
        with self._left:
            if self._stop.cause:
                return
            self._at_work += 1
        try:
            self._reports[index] = self._done(self._tasks[index], self._reports[index])
            self._ended.append(index)
        finally:
            with self._left:
                self._failures += self._reports[index].status is ItemStatus.FAILED
                self._at_work -= 1
                self._left.notify_all()

    def _done(self, task: Task, report: ItemReport) -> ItemReport:
        began, job = self._monotonic(), None
        try:
            with task.session as job:
                job.stop = self._stop
                skipped = job.is_completed
                if not skipped:
                    self._export(job, task.item.handed())
            report = report._replace(**_left(job, skipped=skipped))
        except BaseException as error:  # noqa: BLE001 - it ends this one, not the others
            text = "; ".join([error_text(error), *getattr(error, "__notes__", ())])
            report = report._replace(status=_status(error, job), error=text, exception=error)
        return report._replace(duration_s=self._monotonic() - began)

    def _tell(self) -> None:
        while self._ended:
            report = self._reports[self._ended.popleft()]
            if self._on_item:
                self._on_item(report)

    def _say_to(self, error: BaseException) -> None:
        """Tell what came of the batch, on the exception that ended it."""
        try:
            self._tell()
        except Exception as late:  # noqa: BLE001 - the first error is the one to raise
            error.add_note(f"on_item raised {error_text(late)}")
        error.add_note(f"exports: {self.report()}")
        logger.warning("exports ended by %s: %s", self._stop.cause, self.report())

    @contextmanager
    def _pool(self) -> Iterator[Executor]:
        if self._executor is not None:
            yield self._executor
            return
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="resumelog export")
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who is at work is waited for once


def _left(job: Export, *, skipped: bool) -> dict[str, Any]:
    if skipped:
        return {"status": ItemStatus.SKIPPED}
    if job.is_completed:
        return {"status": ItemStatus.DONE}
    return {"status": ItemStatus.INTERRUPTED, "error": f"left at {job.progress:.0%}"}


def _status(error: BaseException, job: Export | None) -> ItemStatus:
    if not isinstance(error, Exception):
        return ItemStatus.INTERRUPTED
    if job is None:
        return ItemStatus.BUSY if isinstance(error, AlreadyRunning) else ItemStatus.FAILED
    if isinstance(error, JobPaused) and error.job == job.title:
        return ItemStatus.PAUSED
    if isinstance(error, ReleaseFailed) and job.is_completed:
        return ItemStatus.DONE
    return ItemStatus.FAILED


def _require(is_so: bool, why: str) -> None:
    if not is_so:
        raise BadBatch(why=why)


def _counts(number: object) -> bool:
    return isinstance(number, int) and number >= 1


def _has_threads(executor: Executor | None) -> bool:
    if executor is None:
        return True
    from concurrent.futures import ProcessPoolExecutor  # here, since it takes milliseconds

    return not isinstance(executor, ProcessPoolExecutor)
