"""The names that the old exporter system had, working on the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from resumelog.application.errors import NoResumer
from resumelog.application.export import Export
from resumelog.application.export_jobs import ExportJobs
from resumelog.application.running import Saved
from resumelog.domain.errors import NotRunning

_newest: ContextVar[ExportResumer] = ContextVar("resumelog_export_resumer")


class ExportResumer:
    """One export's progress, by the methods of the old system. It outlives its context."""

    def __init__(self, job: Export) -> None:
        """Wrap a job; `resumelog.resumable_export_context` does."""
        self._job, self._began_at = job, job.progress
        self._is_left = False

    @property
    def progress(self) -> float:
        """The fraction that is done: 0.0 at first, or what an earlier attempt came to."""
        return self._job.progress

    @property
    def save_interval(self) -> float:
        """Seconds between two saves; what is reported meanwhile is kept and written in the end."""
        return self._job.save_interval_s

    @save_interval.setter
    def save_interval(self, seconds: float) -> None:
        self._job.save_interval_s = seconds

    def save_state(self, progress: float) -> Saved:
        """Report how far it is; 1.0 is on disk on return, the rest by `save_interval`.

        A first report below where the context began means that the work begins at 0 once more.
        Raises ProgressOutOfRange, ProgressFell, LeaseLost, StoreUnavailable.
        """
        job = self._job
        job.require_fraction(progress)
        began_at, self._began_at = self._began_at, 0.0
        if progress < began_at:
            job.begin_again(f"it reported {progress} after a resume at {began_at}")
        return job.save_progress(progress)

    def load_state(self) -> float:
        """Return the fraction that the log has: that on disk, whatever was reported since."""
        return self._job.saved_progress

    def clear_state(self) -> None:
        """Forget the progress: the export begins at 0 again.

        Raises NotRunning once the context was left: `log.exports.restart` forgets it then.
        """
        self._began_at = 0.0
        try:
            self._job.begin_again("its state was cleared")
        except NotRunning as error:
            status = f"{error.status}: its context was left"
            raise NotRunning(error.job, command="clear the state", status=status) from None

    def check_integrity(self) -> bool:
        """Replay the log, and tell whether that gives the state that is kept.

        Raises DamagedEvent, and ClosedLog once the context that opened the log was left.
        """
        return self._job.is_as_recorded()


@contextmanager
def resumer_context(jobs: ExportJobs, key: str, save_interval_s: float) -> Iterator[ExportResumer]:
    """Begin or go on with the export of a key; one that was finished begins at 0 again."""
    jobs.restart_if_completed(key, "a finished export was begun again")
    with jobs.resume(None, key=key, save_interval_s=save_interval_s) as job:
        with _as_newest(ExportResumer(job)) as resumer:
            yield resumer
        job.leave_if_interrupted()
        if job.progress < 1:
            job.leave(f"left at {job.progress:.0%}")


@contextmanager
def _as_newest(resumer: ExportResumer) -> Iterator[ExportResumer]:
    """Let it be the one that is got; once it is left, that of the outer block, if it is in one."""
    outer = _newest.get(None)
    _newest.set(resumer)
    try:
        yield resumer
    finally:
        resumer._is_left = True
        if outer and not outer._is_left:
            _newest.set(outer)


def get_export_resumer() -> ExportResumer:
    """Return the resumer of the innermost context that this thread or task is in, or left last.

    Raises NoResumer where there was none.
    """
    try:
        return _newest.get()
    except LookupError:
        raise NoResumer from None
