"""What an exporter reports while it runs: recorded, told to the caller, or a reason to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from threading import RLock

from resumelog.application.export import Export
from resumelog.application.progress_scale import ProgressScale, Scale

LOOK_S = 1.0
"""So often an exporter that reports is asked to leave, if somebody paused its job."""

ROUNDING = 1e-9
"""A sum of parts may be so far beyond 0 or 1."""

logger = logging.getLogger("resumelog")

ProgressCallback = Callable[[float], object]


class ReportedProgress:
    """What an exporter tells of its progress, on its way to the log and to who asked for it."""

    def __init__(self, job: Export, scale: Scale, callback: ProgressCallback | None) -> None:
        """Tell `callback` fractions of the whole; `begins` comes before the first report."""
        self._job, self._callback, self._scale_kind = job, callback, scale
        self._looked_at = job.monotonic()
        self._last: float | None = None
        self._lock = RLock()
        self._failure: BaseException | None = None

    def begins(self, to: Path) -> None:
        """Let the exporter go on where the job is now, and with what stands at `to`."""
        self._to, self._before = to, _size_of(to)
        self._scale = ProgressScale(self._scale_kind, self._job.progress, self._job.title)

    def report(self, reported: float) -> None:
        """Record a report; one that falls is of work that was overtaken, and left out.

        What it raises ends the export, also where the exporter takes that for a reason to return.
        """
        with self._lock:
            try:
                self._report(reported)
            except BaseException as error:
                self._failure = self._failure or error
                raise

    def leave_if_failed(self) -> None:
        """Raise what a report raised, if the exporter went on or returned all the same.

        So does what a signal raised and the exporter caught: it has returned early, unless the last
        that it reported is 1.0. One that reports nothing can't say that it went on to its end.
        """
        if self._failure:
            raise self._failure
        came = self._job.interruption()
        if came and self._last != 1.0:
            raise came

    def _report(self, reported: float) -> None:
        job = self._job
        reported = _without_rounding(reported)
        job.require_fraction(reported)
        whole = self._scale.of_whole(reported)
        began_at = self._scale.began_at
        if self._scale.begins_again(whole):
            job.begin_again(f"it reported {whole} after a resume at {job.progress}")
            self._doubt_what_was_written(whole, began_at)
        if whole > job.progress or self._last is None:
            job.save_progress(max(whole, job.progress))
        self._tell(job.progress)
        self._look()

    def _doubt_what_was_written(self, reported: float, began_at: float) -> None:
        """Say what may come of it where the exporter has not emptied the file that it goes on with.

        It isn't emptied here: the exporter has it open, and what it wrote since stands there too.
        """
        inode, size = self._before
        inode_now, size_now = _size_of(self._to)
        if not size or inode_now != inode or size_now < size:
            return
        self._job.doubt_partial()
        logger.warning(
            "%s: its exporter reported %s after a resume at %s, as if it began again, and has left the"
            " %d bytes in place that stood there: if it appends to them, its output has parts twice."
            " If it goes on and reports fractions of what was left, use"
            ' progress_scale="relative"; if it begins again, let it empty its file first. After another'
            " interruption it begins with an empty one",
            self._job.title,
            reported,
            began_at,
            size,
        )

    def begin_again(self, why: str) -> None:
        """Forget the progress before the exporter begins."""
        self._job.begin_again(why)
        self.begins(self._to)

    def end(self) -> None:
        """Let the last fraction that is told be 1.0."""
        if self._last != 1.0:
            self._tell(1.0)

    def _tell(self, fraction: float) -> None:
        self._last = fraction
        if self._callback:
            self._callback(fraction)

    def _look(self) -> None:
        now = self._job.monotonic()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._job.leave_if_paused()


def _size_of(path: Path) -> tuple[int, int]:
    """Return inode and size; zeros where nothing stands."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_ino, facts.st_size


def _without_rounding(reported: float) -> float:
    if not isinstance(reported, float) or not -ROUNDING <= reported <= 1 + ROUNDING:
        return reported
    return min(max(reported, 0.0), 1.0)
