"""One export of one output, from its first unit to its finished file.

idle ──Started──▶ running ⇄ paused (Paused, Resumed)
running ──Completed──▶ completed · ──Failed──▶ failed · ──Interrupted──▶ interrupted
failed, interrupted, paused ──Resumed──▶ running
any ──Restarted──▶ idle, at 0; a completed job is left in no other way

An import is Imported, Started, ProgressSaved and Interrupted at once: at rest, and bound to no work
until a worker starts it again.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeGuard
from uuid import UUID

from pydantic import JsonValue

from resumelog.domain.aggregate import EventSourced, draft, evolves
from resumelog.domain.errors import (
    InputsChanged,
    NotRunning,
    ProgressFell,
    ProgressOutOfRange,
    UnitsOutOfRange,
    UnitsRemain,
    UnitsTotalChanged,
)
from resumelog.domain.events import DomainEvent, Events
from resumelog.domain.export_events import (
    Completed,
    Failed,
    Interrupted,
    Paused,
    ProgressSaved,
    Restarted,
    Resumed,
    Started,
)
from resumelog.domain.export_state import ExportState
from resumelog.domain.values import (
    Artifact,
    Claim,
    Worker,
    error_text,
)

if TYPE_CHECKING:
    from datetime import datetime


class ExportStatus(StrEnum):
    """Where an export stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Work(NamedTuple):
    """What a job is bound to: another exporter, output or input is another work."""

    exporter: str
    output_path: str
    inputs_sha256: str


class Report(NamedTuple):
    """How far an exporter says it is: a fraction, exact counts, and its own position in JSON."""

    progress: float
    units_done: int | None = None
    units_total: int | None = None
    cursor: JsonValue = None


UNKNOWN = Work("", "", "")
"""The work of an import: the next Started names it."""

_reported = partial(tuple.__new__, Report)
"""A Report of a tuple of its fields, without a call of Python: a replay makes one an event."""


class ExportJob(EventSourced):
    """The state of one export and its rules. `progress` is a fraction from 0.0 to 1.0."""

    kind = "ExportJob"
    noun = "export"
    key_fields = ("key",)
    origins = (Restarted,)
    finished = frozenset({ExportStatus.COMPLETED})
    at_work = frozenset({ExportStatus.RUNNING, ExportStatus.PAUSED})
    at_rest = ExportStatus.INTERRUPTED

    def __init__(self, id: UUID, natural_key: tuple[str, ...] = ()) -> None:  # noqa: A002 - see EventSourced
        """Begin idle."""
        super().__init__(id, natural_key)
        self.status = ExportStatus.IDLE
        self.work = UNKNOWN
        self.report = Report(0.0)
        self.error = ""
        self.attempts = 0
        self.artifact: Artifact | None = None

    @property
    def progress(self) -> float:
        """The fraction that is done."""
        return self.report.progress

    # Commands

    def begin(
        self,
        work: Work,
        by: Claim,
        at: datetime,
        *,
        output_intact: bool = True,
        on_changed_inputs: Literal["restart", "refuse"] = "restart",
    ) -> Events:
        """Start, go on, or begin again. A completed job whose output is intact stays completed.

        Raises LeaseLost for an old epoch, and InputsChanged where a change is to be refused.
        """
        if by.epoch == self.epoch and self.status is ExportStatus.RUNNING:
            return ()
        self.require_newer(by)
        changed = self._why_another(work)
        if changed and on_changed_inputs == "refuse":
            raise InputsChanged(self.title, reason=changed)
        if not changed and self.status is ExportStatus.COMPLETED and output_intact:
            return ()
        gone = self.status is ExportStatus.COMPLETED and not output_intact
        reason = changed or ("the output is missing or was altered" if gone else "")
        started = self._draft(Started, work, epoch=by.epoch, worker=by.worker)
        if reason:
            restarted = self._draft(Restarted, work, epoch=by.epoch, reason=reason)
            return self.new(at, *self._cut_off(by), restarted, started)
        if self.status is ExportStatus.IDLE or self._is_unbound:
            return self.new(at, started)
        resumed = draft(Resumed, epoch=by.epoch, from_progress=self.progress, worker=by.worker)
        return self.new(at, *self._cut_off(by), resumed)

    def is_news(self, report: Report, by: Claim) -> bool:
        """Tell whether a report says more than the log; raise what `save_progress` does."""
        self._require_working("save progress", by)
        return self._checked(report) != self.report

    def save_progress(self, report: Report, by: Claim, at: datetime) -> Events:
        """Record how far it is; nothing where that is what the log already says.

        Raises ProgressFell, ProgressOutOfRange, UnitsOutOfRange, UnitsTotalChanged, TooLarge.
        """
        self._require_working("save progress", by)
        report = self._checked(report)
        if report == self.report:
            return ()
        saved = draft(
            ProgressSaved,
            epoch=by.epoch,
            progress=report.progress,
            units_done=report.units_done,
            units_total=report.units_total,
        )
        if report.cursor is not None:
            saved = draft(saved, cursor=report.cursor)
        return self.new(at, saved)

    def require_fraction(self, progress: object) -> None:
        """Raise ProgressOutOfRange for anything but a number from 0 to 1."""
        if not _is_number(progress) or not 0 <= progress <= 1:
            raise ProgressOutOfRange(self.title, progress=progress)

    def require_total(self, total: object) -> None:
        """Raise UnitsOutOfRange for what can't be a number of units; 0 is nothing to do.

        Raises UnitsTotalChanged where another total is on record.
        """
        if type(total) is not int or total < 0:
            done = self.report.units_done or 0
            raise UnitsOutOfRange(self.title, units_done=done, units_total=total)
        self._require_same_total(total)

    def pause(self, reason: str, actor: str, at: datetime) -> Events:
        """Ask the worker to stop at its next safe point."""
        if self.status is ExportStatus.PAUSED:
            return ()
        if self.status is not ExportStatus.RUNNING:
            raise NotRunning(self.title, command="pause", status=self.status)
        return self.new(at, draft(Paused, reason=error_text(reason), actor=actor))

    def interrupt(self, cause: object, by: Claim, at: datetime) -> Events:
        """Leave with work undone. A paused job stays paused, a finished one finished."""
        self.require_claim(by)
        if self.status is not ExportStatus.RUNNING:
            return ()
        cause = error_text(cause)
        return self.new(at, draft(Interrupted, epoch=by.epoch, cause=cause, progress=self.progress))

    def fail(self, error: object, by: Claim, at: datetime) -> Events:
        """Record that the exporter gave up; the job can be begun again from where it is."""
        self.require_claim(by)
        text = error_text(error)
        if self.status is ExportStatus.FAILED and self.error == text:
            return ()
        self._require_working("fail", by)
        return self.new(at, draft(Failed, epoch=by.epoch, error=text))

    def complete(self, artifact: Artifact | None, by: Claim, at: datetime) -> Events:
        """Finish. Raises UnitsRemain where units were counted and some are left."""
        self.require_claim(by)
        if self.status is ExportStatus.COMPLETED and self.artifact == artifact:
            return ()
        self._require_working("complete", by)
        done, total = self.report.units_done, self.report.units_total
        if done is not None and total is not None and done < total:
            raise UnitsRemain(self.title, units_done=done, units_total=total)
        return self.new(at, draft(Completed, epoch=by.epoch, artifact=artifact))

    def begin_again(self, reason: str, by: Claim, at: datetime) -> Events:
        """Forget the progress within an attempt: its exporter is at 0 once more."""
        self._require_working("begin again", by)
        if self.report == Report(0.0):
            return ()
        restarted = self._draft(Restarted, self.work, epoch=by.epoch, reason=error_text(reason))
        started = self._draft(Started, self.work, epoch=by.epoch, worker=by.worker)
        asked = self.decided_by["status"]
        drafts = [restarted, started]
        if isinstance(asked, Paused):
            drafts.append(draft(Paused, reason=asked.reason, actor=asked.actor))
        return self.new(at, *drafts)

    def restart(self, reason: str, at: datetime) -> Events:
        """Forget the progress; a worker that is still at it is refused from here on."""
        if self.status is ExportStatus.IDLE:
            return ()
        reason = error_text(reason)
        return self.new(at, self._draft(Restarted, self.work, epoch=self.epoch + 1, reason=reason))

    def restart_if_completed(self, reason: str, at: datetime) -> Events:
        """Restart where that ends no worker: of a finished job."""
        return self.restart(reason, at) if self.status in self.finished else ()

    def import_progress(self, state: ExportState, by: Worker, at: datetime) -> Events:
        """Begin at rest where an old exporter stopped; whoever begins first binds the job to its work.

        The same file again appends nothing. Raises AlreadyRecorded, ProgressOutOfRange.
        """
        self.require_fraction(state.progress)
        return self.import_from(
            state.source,
            state.sha256,
            at,
            self._draft(Started, UNKNOWN, worker=by),
            draft(ProgressSaved, progress=state.progress),
            draft(
                Interrupted,
                cause=error_text(f"imported from {state.source}"),
                progress=state.progress,
            ),
            recorded_at=state.recorded_at,
            recorded=state.recorded,
        )

    # Reads

    def units_done_of(self, total: int, progress: float | None = None) -> int:
        """Return how many of `total` units are done; of a bare fraction, all that it covers.

        Exact for every fraction that was once a count of `total`. `progress` is a newer fraction
        than the one on record.
        """
        counted = self.report.units_done
        if counted is not None or not total:
            return counted or 0
        progress = self.progress if progress is None else progress
        nearest = round(progress * total)
        return nearest - (nearest / total > progress)

    # Rules

    @property
    def _is_unbound(self) -> bool:
        """An import names no work, and every worker does."""
        return not self.work.inputs_sha256

    def _why_another(self, work: Work) -> str:
        if self.status is ExportStatus.IDLE or self._is_unbound:
            return ""
        pairs = zip(("exporter", "output path", "input"), self.work, work, strict=True)
        changed = [name for name, before, after in pairs if before != after]
        return f"the {' and the '.join(changed)} changed" if changed else ""

    def _cut_off(self, by: Claim) -> tuple[Any, ...]:
        """Make an attempt visible that ended without a word."""
        if by.in_flight is None or self.status is not ExportStatus.RUNNING:
            return ()
        cause = f"{self.worker} ended without a word"
        return (draft(Interrupted, epoch=by.epoch, cause=cause, progress=self.progress),)

    def _require_working(self, command: str, by: Claim) -> None:
        self.require_claim(by)
        if self.status not in (ExportStatus.RUNNING, ExportStatus.PAUSED):
            raise NotRunning(self.title, command=command, status=self.status)

    def _checked(self, report: Report) -> Report:
        progress, done, total, cursor = report
        if not (done is total is self.report.units_total is None):
            progress = self._fraction(done, total)
        else:
            self.require_fraction(progress)
        if progress < self.progress:
            raise ProgressFell(self.title, before=self.progress, after=progress)
        self.require_json("the cursor", cursor)
        return _reported((float(progress), done, total, cursor))

    def _fraction(self, done: int | None, total: int | None) -> float:
        """Where units are counted, the exact counts decide."""
        if type(done) is not int or type(total) is not int or not 0 <= done <= total or not total:
            raise UnitsOutOfRange(self.title, units_done=done, units_total=total)
        self._require_same_total(total)
        if done < (self.report.units_done or 0):
            raise ProgressFell(self.title, before=self.progress, after=done / total)
        return done / total

    def _require_same_total(self, total: int) -> None:
        before = self.report.units_total
        if before is not None and before != total:
            raise UnitsTotalChanged(self.title, before=before, after=total)

    def _draft(self, event: type[Started | Restarted], work: Work, **fields: Any) -> Any:
        return draft(event, key=self.natural_key[0], **work._asdict(), **fields)

    # Evolve

    @evolves
    def _started(self, event: Started) -> None:
        self.natural_key = (event.key,)
        self.work = Work(event.exporter, event.output_path, event.inputs_sha256)
        self._working(event, event.worker)

    @evolves
    def _saved(self, event: ProgressSaved) -> None:
        self.report = _reported((event.progress, event.units_done, event.units_total, event.cursor))
        self.decided_by["report"] = event

    @evolves
    def _paused(self, event: Paused) -> None:
        self._became(ExportStatus.PAUSED, event)

    @evolves
    def _resumed(self, event: Resumed) -> None:
        self._working(event, event.worker)

    @evolves
    def _interrupted(self, event: Interrupted) -> None:
        self._became(ExportStatus.INTERRUPTED, event)

    @evolves
    def _failed(self, event: Failed) -> None:
        self.error = event.error
        self._became(ExportStatus.FAILED, event)

    @evolves
    def _completed(self, event: Completed) -> None:
        self.artifact = event.artifact
        self.report = self.report._replace(progress=1.0)
        self.decided_by["report"] = event
        self._became(ExportStatus.COMPLETED, event)

    @evolves
    def _restarted(self, event: Restarted) -> None:
        self.begin_anew((event.key,))
        self.work = Work(event.exporter, event.output_path, event.inputs_sha256)
        self.epoch = event.epoch or 0
        self._became(ExportStatus.IDLE, event)

    def _working(self, event: DomainEvent, worker: Worker) -> None:
        self._worked_on_by(worker, event)
        self.attempts += 1
        self.error = ""
        self.decided_by["attempts"] = event
        self._became(ExportStatus.RUNNING, event)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
