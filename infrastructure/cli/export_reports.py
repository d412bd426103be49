"""What a command reports, saved; what can't be used is told once a kind, and counted.

ResumelogError
└── Refused
    └── BadInput
        └── BadReport            a line that was meant as a report, and is none that counts
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from resumelog.application.errors import StoreError
from resumelog.application.export import Export
from resumelog.application.progress_scale import ProgressScale, Scale
from resumelog.domain.errors import BadInput
from resumelog.domain.export_job import Report
from resumelog.infrastructure.cli.report_lines import Said

LINE_CHARS = 80


class BadReport(BadInput):
    """A line that was meant as a report, and can't be used."""

    text = "{why}"
    why: str


class Reports:
    """Takes reports in their order. A cursor counts until the next one, whatever is reported.

    One that lies below what the attempt began at shows that the command has begun at 0 again, and
    so does the job. A bad report is ignored: no long job is ended for one.
    """

    def __init__(
        self,
        export: Export,
        total: int | None,
        scale: Scale,
        say: Callable[[str], None],
    ) -> None:
        """Begin where the export stands; tell through `say` what is wrong."""
        self._export, self._total, self._say = export, total, say
        self.start = self.last = export.report
        self._is_relative = scale == "relative"
        self._scale = ProgressScale(scale, export.progress, export.title)
        self._owed: Report | None = None
        self.bad = Counter[str]()

    def take(self, said: Said) -> None:
        """Save a report. Raises LeaseLost."""
        try:
            report = self._report(said)
            if not said.has_cursor and self._begins_anew(report):
                report = report._replace(cursor=None)
            self._save(report)
        except BadInput as error:
            self._ignore(said, error)
        except StoreError as error:
            if not self._owed:
                self._say(f"{error}; it is tried again with the next report")
            self._owed = self.last = report

    def settle(self) -> None:
        """Save what could not be saved when it was reported. Raises StoreError, LeaseLost."""
        if self._owed:
            self._save(self._owed)

    def begin_again(self, why: str, progress: float = 0.0) -> None:
        """Let the job begin at 0 once more; what is reported then begins at `progress`."""
        self._export.begin_again(why)
        self.has_begun_again(why, progress)

    def has_begun_again(self, why: str, progress: float = 0.0) -> None:
        """Tell of a job that is at 0 once more, and go on from there."""
        self._say(f"begins again at 0: {why}")
        self.start = self.last = Report(0.0)
        self._scale.begins_again(progress)

    @property
    def shortfall(self) -> str:
        """Return what is missing where units were counted; empty if nothing is."""
        done, total = self.last.units_done, self.last.units_total
        missing = done is not None and total is not None and done < total
        return f"reported only {done} of {total} units" if missing else ""

    def _report(self, said: Said) -> Report:
        last = self.last
        cursor = said.cursor if said.has_cursor else last.cursor
        if said.why:
            raise BadReport(why=said.why)
        if said.done is not None:
            total = self._total_of(said)
            return Report(said.done / (total or 1), said.done, total, cursor)
        if said.progress is None:
            return last._replace(cursor=cursor)
        if last.units_total is not None:
            raise BadReport(why="units were counted before, and only counts are exact")
        return Report(self._of_whole(said.progress, said.is_length), cursor=cursor)

    def _of_whole(self, fraction: float, is_length: bool) -> float:
        """Return what a fraction means; of a length, a relative one is a part of the whole length."""
        self._export.require_fraction(fraction)
        if is_length and self._is_relative and self._scale.began_at < 1:
            fraction = min(1.0, fraction / (1 - self._scale.began_at))
        return self._scale.of_whole(fraction)

    def _total_of(self, said: Said) -> int:
        total = self._total or self.last.units_total if said.total is None else said.total
        if total is None:
            raise BadReport(why="it is not said of how many; say --total N, or print units 3/10")
        if self._total not in (None, total):
            raise BadReport(why=f"--total says {self._total}, not {total}")
        return total

    def _begins_anew(self, report: Report) -> bool:
        done, before = report.units_done, self.start.units_done
        if done is not None and before is not None:
            return report.units_total == self.start.units_total and done < before
        return 0 <= report.progress < self.start.progress

    def _save(self, report: Report) -> None:
        if self._begins_anew(report):
            why = f"it reported {position(report)} after a resume at {position(self.start)}"
            self.begin_again(why, report.progress)
        progress, done, total, cursor = report
        self._export.save_progress(progress, units_done=done, units_total=total, cursor=cursor)
        self.last, self._owed = report, None

    def _ignore(self, said: Said, error: BadInput) -> None:
        kind = type(error).__name__
        self.bad[kind] += 1
        if self.bad[kind] == 1:
            self._say(f"the report {said.line[:LINE_CHARS]!r} is ignored: {error}")


def position(report: Report) -> str:
    """Return how far it is, as people say it."""
    if report.units_total is None:
        return f"{report.progress:.1%}"
    return f"{report.units_done} of {report.units_total} units"
