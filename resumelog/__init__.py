"""resumelog keeps the progress of long-running jobs as events and resumes them by replay.

`open` is the way in. Heavy modules are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resumelog.application.async_export import AsyncExport
    from resumelog.application.autopilot_runs import AutoPilot
    from resumelog.application.batch import Batch, Scene
    from resumelog.application.errors import (
        AlreadyRunning,
        BadStateFile,
        BatchStopped,
        JobNotFound,
        JobPaused,
        NotSaved,
        ReleaseFailed,
        StoreError,
    )
    from resumelog.application.export import Export
    from resumelog.application.export_jobs import ExportJobs
    from resumelog.application.export_reports import (
        ExportItem,
        ExportsReport,
        ItemReport,
        ItemStatus,
    )
    from resumelog.application.export_resumer import ExportResumer, get_export_resumer
    from resumelog.application.export_session import ExportSession
    from resumelog.application.progress_meter import ProgressFacts
    from resumelog.application.resources import Resources
    from resumelog.application.resumable_exporter import ResumableExporter
    from resumelog.application.scene_batches import SceneBatches
    from resumelog.application.steps import Host, StepContext, StopAsked
    from resumelog.application.stop_flag import StopFlag
    from resumelog.domain.errors import LeaseLost, Refused, ResumelogError
    from resumelog.domain.resume_point import ResumePoint
    from resumelog.infrastructure.bootstrap import ResumeLog
    from resumelog.infrastructure.bootstrap import open_log as open  # noqa: A004 - resumelog.open
    from resumelog.infrastructure.exporting import make_resumable, resumable_export_context
    from resumelog.infrastructure.media.segments import FfmpegExporter
    from resumelog.infrastructure.media.subtitles import SrtExporter
    from resumelog.infrastructure.media.timelines import OtioExporter
    from resumelog.infrastructure.progress_bars import ProgressBars, progress_bar
    from resumelog.infrastructure.tracking import track

__version__ = "0.1.0"

_HOMES = {
    "AlreadyRunning": "application.errors",
    "AsyncExport": "application.async_export",
    "AutoPilot": "application.autopilot_runs",
    "BadStateFile": "application.errors",
    "Batch": "application.batch",
    "BatchStopped": "application.errors",
    "Export": "application.export",
    "ExportItem": "application.export_reports",
    "ExportJobs": "application.export_jobs",
    "ExportResumer": "application.export_resumer",
    "ExportSession": "application.export_session",
    "ExportsReport": "application.export_reports",
    "FfmpegExporter": "infrastructure.media.segments",
    "Host": "application.steps",
    "ItemReport": "application.export_reports",
    "ItemStatus": "application.export_reports",
    "JobNotFound": "application.errors",
    "JobPaused": "application.errors",
    "LeaseLost": "domain.errors",
    "NotSaved": "application.errors",
    "OtioExporter": "infrastructure.media.timelines",
    "ProgressBars": "infrastructure.progress_bars",
    "ProgressFacts": "application.progress_meter",
    "Refused": "domain.errors",
    "ReleaseFailed": "application.errors",
    "Resources": "application.resources",
    "ResumableExporter": "application.resumable_exporter",
    "ResumeLog": "infrastructure.bootstrap",
    "ResumePoint": "domain.resume_point",
    "ResumelogError": "domain.errors",
    "Scene": "application.batch",
    "SceneBatches": "application.scene_batches",
    "SrtExporter": "infrastructure.media.subtitles",
    "StepContext": "application.steps",
    "StopAsked": "application.steps",
    "StopFlag": "application.stop_flag",
    "StoreError": "application.errors",
    "get_export_resumer": "application.export_resumer",
    "make_resumable": "infrastructure.exporting",
    "open": "infrastructure.bootstrap",
    "progress_bar": "infrastructure.progress_bars",
    "resumable_export_context": "infrastructure.exporting",
    "track": "infrastructure.tracking",
}

__all__ = [
    "AlreadyRunning",
    "AsyncExport",
    "AutoPilot",
    "BadStateFile",
    "Batch",
    "BatchStopped",
    "Export",
    "ExportItem",
    "ExportJobs",
    "ExportResumer",
    "ExportSession",
    "ExportsReport",
    "FfmpegExporter",
    "Host",
    "ItemReport",
    "ItemStatus",
    "JobNotFound",
    "JobPaused",
    "LeaseLost",
    "NotSaved",
    "OtioExporter",
    "ProgressBars",
    "ProgressFacts",
    "Refused",
    "ReleaseFailed",
    "Resources",
    "ResumableExporter",
    "ResumeLog",
    "ResumePoint",
    "ResumelogError",
    "Scene",
    "SceneBatches",
    "SrtExporter",
    "StepContext",
    "StopAsked",
    "StopFlag",
    "StoreError",
    "__version__",
    "get_export_resumer",
    "make_resumable",
    "open",
    "progress_bar",
    "resumable_export_context",
    "track",
]


def __dir__() -> list[str]:
    """Name what is public, used or not."""
    return __all__


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'resumelog' has no attribute {name!r}")
    module = import_module(f"resumelog.{_HOMES[name]}")
    value = getattr(module, "open_log" if name == "open" else name)
    globals()[name] = value
    return value
