"""Exports in child processes that are killed: each unit is noted when it is made, and told once saved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import resumelog
from resumelog import ResumeLog

UNIT_S = 0.0005


def make(key: str, unit: int) -> None:
    """Do the work of a unit, and note that in one system call."""
    time.sleep(UNIT_S)
    descriptor = os.open(f"{key}.made", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, b"%d\n" % unit)
    os.close(descriptor)


def tell(unit: int) -> None:
    os.write(1, b"%d\n" % unit)


def by_session(log: ResumeLog, key: str, units: int, interval_s: float) -> None:
    """resumelog's own way: exact counts."""
    with log.exports.resume(None, key=key, save_interval_s=interval_s) as job:
        for unit in job.remaining(units):
            make(key, unit)
            job.save_progress(units_done=unit + 1)
            tell(unit)


class Fractions:
    """An exporter that goes on where it is told, by a fraction."""

    name = "逐格"

    def __init__(self, key: str, units: int) -> None:
        self.key, self.units = key, units

    def export(self, version: Mapping[str, Any], output_path: str) -> str:
        done = round(version.get("_resume_info", {"progress": 0})["progress"] * self.units)
        for unit in range(done, self.units):
            make(self.key, unit)
            version["_progress_callback"]((unit + 1) / self.units)
            tell(unit)
        Path(output_path).write_text("made")
        return output_path


def by_adapter(log: ResumeLog, key: str, units: int, interval_s: float) -> None:
    """An unchanged exporter."""
    exporter = Fractions(key, units)
    resumable = resumelog.make_resumable(exporter, log=log, save_interval_s=interval_s)
    resumable.export({"title": "归途"}, key)


def by_old_context(log: ResumeLog, key: str, units: int, interval_s: float) -> None:
    """The names of the old system."""
    with resumelog.resumable_export_context(key, save_interval=interval_s, log=log) as resumer:
        for unit in range(round(resumer.progress * units), units):
            make(key, unit)
            resumer.save_state((unit + 1) / units)
            tell(unit)


def export_by(way: str, key: str, units: str, interval_s: str) -> None:
    """Go on with an export, in one of the ways."""
    with resumelog.open("jobs.db") as log:
        WAYS[way](log, key, int(units), float(interval_s))


WAYS: dict[str, Callable[[ResumeLog, str, int, float], None]] = {
    way.__name__: way for way in (by_session, by_adapter, by_old_context)
}
