"""A worker's handle on one export: what is done, what is left, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import EllipsisType

from pydantic import JsonValue

from resumelog.application.errors import JobPaused
from resumelog.application.export_options import seconds_between
from resumelog.application.export_output import ExportOutput
from resumelog.application.export_progress import Watched
from resumelog.application.ports import Artifacts
from resumelog.application.resources import Resources
from resumelog.application.running import Command, Running, Saved
from resumelog.application.stop_flag import StopFlag
from resumelog.application.throttle import Throttle
from resumelog.domain.errors import BadInput, ProgressFell
from resumelog.domain.events import Events
from resumelog.domain.export_events import Paused, ProgressSaved
from resumelog.domain.export_job import ExportJob, ExportStatus, Report
from resumelog.domain.resume_point import ResumePoint, resume_point
from resumelog.domain.values import Claim


class Export(ExportOutput, Watched):
    """One attempt at one export. `progress` is a fraction, units count from 0. Safe for threads."""

    def __init__(
        self,
        running: Running[ExportJob],
        artifacts: Artifacts,
        output: Path | None,
        save_interval_s: float,
    ) -> None:
        """Wrap a job that is about to run; `ExportJobs.resume` does."""
        Watched.__init__(self, running.clock.monotonic)
        ExportOutput.__init__(self, running, artifacts, output)
        self._throttle = Throttle(
            save_interval_s, running.clock.monotonic, self._write, running.lock
        )
        self.units_total: int | None = None
        self.began: Events = ()
        """The events that this attempt began with; none for what is completed."""
        self.monotonic = running.clock.monotonic
        self.resources = Resources(running.state.title, running.note_folder)
        self.stop = StopFlag()
        self._has_reported = False
        self._refused: BadInput | None = None
        self.interruption: Callable[[], BaseException | None] = _nothing
        """Returns what a signal raised in this attempt, whoever caught it."""

    @property
    def progress(self) -> float:
        """The fraction that is done, as it was reported last."""
        kept = self._throttle.kept
        return kept.progress if kept else self._running.state.progress

    @property
    def report(self) -> Report:
        """What was saved last."""
        return self._running.state.report

    @property
    def units_done(self) -> int:
        """How many units are done; 0 where none were counted."""
        return self._running.state.report.units_done or 0

    @property
    def cursor(self) -> JsonValue:
        """The exporter's own position, as it was saved last."""
        return self._running.state.report.cursor

    @property
    def saved_progress(self) -> float:
        """The fraction that is on disk; less than `progress` while the throttle keeps a report."""
        return self._running.state.progress

    @property
    def save_interval_s(self) -> float:
        """Seconds between two bare fractions that are written."""
        return self._throttle.interval_s

    @save_interval_s.setter
    def save_interval_s(self, seconds: float) -> None:
        self._throttle.interval_s = seconds_between(seconds)

    @property
    def saved_at(self) -> datetime | None:
        """When the event was written that says how far it is; None before the first."""
        event = self._running.state.decided_by.get("report")
        return event.timestamp if event else None

    @property
    def is_completed(self) -> bool:
        """Tell whether it is finished and its output is still there."""
        return self._running.state.status is ExportStatus.COMPLETED

    def remaining(self, total: int) -> Iterator[int]:
        """Iterate over the units that are left, of `total`; stop where somebody paused the job.

        Raises UnitsOutOfRange at once for what is no whole number from 0 on, and UnitsTotalChanged where
        another total is on record.
        """
        self._running.state.require_total(total)
        self.units_total = total
        return self._remaining(total)

    def save_progress(
        self,
        progress: float | None = None,
        *,
        units_done: int | None = None,
        units_total: int | None = None,
        cursor: JsonValue | EllipsisType = ...,
    ) -> Saved:
        """Save after the work: exact counts or a cursor, which are on disk on return, or a fraction.

        Of bare fractions (0.0 to 1.0, with no cursor but the one on record) one in `save_interval_s`
        is written, and 1.0; of the others the last is kept until its time comes, or the end:
        `Saved.throttled` tells. A kill loses it. What is not given is what was reported last: its
        fraction, counts and cursor (None: there is none any more); where units were counted, a fraction alone is refused.
        Raises ProgressOutOfRange, ProgressFell, UnitsOutOfRange, UnitsTotalChanged, TooLarge,
        LeaseLost, StoreUnavailable; BatchStopped after the save, if `stop` is set and work is left.
        """
        try:
            saved = self._save(progress, units_done, units_total, cursor)
        except BadInput as error:
            self._refused = error
            raise
        self._tell()
        if self.stop.cause and self.progress < 1:
            self.stop.leave_if_set()
        return saved

    def begin_again(self, reason: str) -> Saved:
        """Forget the progress: the exporter begins at 0 once more. A `Restarted` says why."""
        with self._running.lock:
            at = self._running.clock.now()
            self._throttle.forget(None)
            saved = self._running.do(lambda job, by: job.begin_again(reason, by, at))
            self.measure()
        self._tell()
        return saved

    def require_fraction(self, progress: object) -> None:
        """Raise ProgressOutOfRange for anything but a number from 0 to 1."""
        self._running.state.require_fraction(progress)

    def flush(self) -> None:
        """Write the last fraction, if the throttle kept it. Raises LeaseLost, StoreUnavailable."""
        self._throttle.flush()

    def complete(self, output: str | Path | None = None) -> Saved:
        """Finish, with the output if there is one; `output` names another than `output_path`.

        Raises UnitsRemain where some are left, OutputMissing where `output` is no file, or stands
        there unaltered since before the job began at 0, or what was put in its place is gone.
        """
        path = self._artifacts.absolute(output) if output else self.output_path
        if path and (output or self._placed):
            self._require_made(path)
        self.flush()
        told = self._reached()
        artifact = self._settled(path) if path and path.is_file() else None
        at = self._running.clock.now()
        saved = self._running.do(lambda job, by: job.complete(artifact, by, at))
        self.discard_kept()
        self._meter.report(self.progress)
        if self._reached() != told:  # 1.0 was told when it was reported
            self._tell()
        return saved

    def leave(self, cause: object) -> Saved:
        """End this attempt with work undone: what was reported last is saved, and `Interrupted`."""
        self.flush()
        at = self._running.clock.now()
        return self._running.do(lambda job, by: job.interrupt(cause, by, at))

    def resume_point(self) -> ResumePoint:
        """Return what is done and what is next, and why."""
        return resume_point(self._running.state)

    def is_as_recorded(self) -> bool:
        """Replay the log from its beginning; tell whether that is the kept state. Raises DamagedEvent."""
        return self._running.is_as_recorded()

    def leave_if_paused(self) -> None:
        """Raise JobPaused once somebody asked for a pause, and LeaseLost once it is another's job.

        BatchStopped where the exports that it belongs to are ended.
        """
        self.stop.leave_if_set()
        job = self._running.watch()
        if job.status is ExportStatus.PAUSED:
            event = job.decided_by["status"]
            assert isinstance(event, Paused)
            raise JobPaused(job.title, actor=event.actor, reason=event.reason)

    def left_over(self, *, needs_output: bool) -> str:
        """Return why an attempt that ends well is not done all the same; "" where it is.

        It is done where nothing that was reported says otherwise: with all units, or with 1.0; and with
        the output in its place where this attempt reported nothing, or only a cursor. What is done
        below 1.0 says so by `complete`. Where every report was refused, and the work kept that to itself,
        it is not known to be.
        """
        job = self._running.state
        if self._refused and not self._has_reported:
            why = str(self._refused).removeprefix(f"{job.title}: ")
            return f"left with every report refused: {type(self._refused).__name__}: {why}"
        progress, total = job.progress, job.report.units_total or self.units_total
        if total is not None:
            done = job.units_done_of(total)
            return f"left with {done} of {total} units done" if done < total else ""
        if self._placed and not self._has_reported:
            return ""
        if 0 < progress < 1:
            return f"left at {progress:g}; report 1.0, or call `complete`, where it is done"
        if progress or self._placed:
            return ""
        if job.report.cursor is not None:
            return "left at a cursor; report 1.0, or call `complete`, where it is done"
        if not needs_output and self._lacks_output(is_again=job.attempts > 1):
            return f"left without its output {self.output_path}; call `complete` where it has none"
        return ""

    def leave_if_interrupted(self) -> None:
        """Raise what a signal raised in this attempt, unless all is reported done.

        So work that catches Ctrl+C and returns early is not taken for finished. What means to end
        early without an exception says so: `leave`.
        """
        came = self.interruption()
        if came and self.progress < 1:
            raise came

    def _remaining(self, total: int) -> Iterator[int]:
        state = self._running.state
        done = total if self.is_completed else state.units_done_of(total, self.progress)
        for unit in range(done, total):
            self.leave_if_paused()
            yield unit

    def _filled(
        self,
        progress: float | None,
        done: int | None,
        total: int | None,
        cursor: JsonValue | EllipsisType,
    ) -> Report:
        """Take what isn't given from the last report."""
        last = self.report
        if done is not None and total is None:
            total = last.units_total if self.units_total is None else self.units_total
        elif done is None and (total is not None or progress is None):
            done, total = last.units_done, last.units_total if total is None else total
        progress = self.progress if progress is None else progress
        return Report(
            progress, done, total, last.cursor if isinstance(cursor, EllipsisType) else cursor
        )

    def _save(
        self,
        progress: float | None,
        units_done: int | None,
        units_total: int | None,
        cursor: JsonValue | EllipsisType,
    ) -> Saved:
        if progress is units_done is units_total is None and cursor is ...:
            self.require_fraction(progress)
        with self._running.lock:
            bare = units_done is units_total is None and cursor in (..., self.cursor)
            report = self._filled(progress, units_done, units_total, cursor)
            if bare and self._may_wait(report):
                saved = self._throttled(report)
            else:
                saved = self._write(report)
                self._throttle.drop()
            self._has_reported = True
            self._meter.report(self.progress)
        return saved

    def _may_wait(self, report: Report) -> bool:
        """Tell whether a bare fraction will be recorded, sooner or later; `_write` says why not."""
        kept = self._throttle.kept
        falls = kept is not None and report.progress < kept.progress
        return not falls and self._running.accepts(lambda job, by: job.is_news(report, by))

    def _throttled(self, report: Report) -> Saved:
        if self._throttle.keeps(report):
            return Saved((), self._running.held, throttled=True)
        return self._throttle.flush()

    def _reached(self) -> tuple[float, int | None, int | None]:
        job = self._running.state
        total = job.report.units_total or self.units_total
        done = None if total is None else job.units_done_of(total, self.progress)
        return self.progress, done, total

    def _write(self, report: Report) -> Saved:
        self._sync_appended()
        return self._running.do(self._saving(report))

    def _saving(self, report: Report) -> Command[ExportJob]:
        """Return what decides a save; what the throttle keeps counts as if it were on record."""
        at, kept = self._running.clock.now(), self._throttle.kept

        def save(job: ExportJob, by: Claim) -> Events:
            events = job.save_progress(report, by, at)
            if kept:
                said = [event.progress for event in events if isinstance(event, ProgressSaved)]
                reached = said[-1] if said else job.progress
                if reached < kept.progress:
                    raise ProgressFell(self.title, before=kept.progress, after=reached)
            return events

        return save


def _nothing() -> None:
    """Return that no signal came."""
