"""Batches of exports that tests run: each version is made in a few units, and some are made to fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from resumelog import Export, ExportsReport, ItemReport, ResumeLog
from resumelog.domain.export_job import ExportJob

UNITS = 4


class Rendering:
    """Makes the units that are left of each version, and remembers them; some versions fail at one."""

    def __init__(self, **fails: int | BaseException | Callable[[Export], object]) -> None:
        self.fails = fails
        self.made = list[tuple[str, int]]()

    def __call__(self, job: Export, version: str) -> None:
        for unit in job.remaining(UNITS):
            if unit == UNITS // 2:
                self.fail(job, version)
            job.save_progress(units_done=unit + 1)
            self.made.append((version, unit))
        assert job.output_path
        job.output_path.write_bytes(version.encode() * UNITS)

    def fail(self, job: Export, version: str) -> None:
        fails = self.fails.pop(version, None)
        if isinstance(fails, BaseException):
            raise fails
        if callable(fails):
            fails(job)

    def units(self, version: str) -> list[int]:
        return [unit for made, unit in self.made if made == version]


def items(*versions: str) -> list[tuple[str, str]]:
    return [(version, f"{version}.mp4") for version in versions]


def statuses(report: ExportsReport) -> list[str]:
    return [str(item.status) for item in report.items]


def only(reports: tuple[ItemReport, ...]) -> ItemReport:
    (report,) = reports
    return report


def job_of(log: ResumeLog, output: Path) -> ExportJob:
    return log.log.recover(ExportJob.named(str(output)))
