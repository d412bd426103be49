"""resumelog keeps the progress of long-running jobs as events and resumes them by replay.

`open` is the way in. Heavy modules are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resumelog.application.async_batch import AsyncBatch
    from resumelog.application.async_export import AsyncExport
    from resumelog.application.autopilot_runs import AutoPilot
    from resumelog.application.batch import Batch
    from resumelog.application.batch_progress import BatchFacts
    from resumelog.application.clean_report import CleanReport
    from resumelog.application.errors import (
        AlreadyRunning,
        AttemptOver,
        BadArgument,
        BadBatch,
        BadPilotFile,
        BadStateFile,
        BatchOver,
        BatchStopped,
        ClosedLog,
        DamagedEvent,
        DuplicateExport,
        ForeignFile,
        JobNotFound,
        JobPaused,
        NewerSchema,
        NoDriver,
        NoHost,
        NoLog,
        NoOldForm,
        NoOutput,
        NoResumer,
        NoSceneContent,
        NoSuchSimulation,
        NotExporter,
        NotOurDatabase,
        NotSaved,
        NotScenes,
        NoVersion,
        OutputMissing,
        PayloadGone,
        PayloadRemoved,
        ReleaseFailed,
        ResourcesReleased,
        ResultGone,
        SceneFileMissing,
        SessionEntered,
        StoreError,
        StoreUnavailable,
        Terminated,
        UnknownStore,
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
    from resumelog.application.pilot_options import PilotOptions
    from resumelog.application.pipeline import Pipeline, PipelineReport
    from resumelog.application.poll import Poll
    from resumelog.application.progress_meter import ProgressFacts
    from resumelog.application.resources import Resources
    from resumelog.application.resumable_exporter import ResumableExporter
    from resumelog.application.retry import Retry
    from resumelog.application.run_view import RunView
    from resumelog.application.scene import Counts, FailedScene, Report, Scene
    from resumelog.application.scene_batches import SceneBatches
    from resumelog.application.scene_updates import SceneState, SceneUpdate
    from resumelog.application.simulation import Simulation, SimulationState, SimulationTimes
    from resumelog.application.stage import Stage
    from resumelog.application.step_context import StepContext
    from resumelog.application.steps import GaveUp, Host, Limited, StopAsked
    from resumelog.application.stop_flag import StopFlag
    from resumelog.domain.errors import (
        AlreadyRecorded,
        BadKey,
        BadMode,
        DuplicateScene,
        InputsChanged,
        LeaseLost,
        ModeNotAuto,
        ModeNotManual,
        NotActive,
        NotJson,
        NotPaused,
        NotRunning,
        PercentOutOfRange,
        ProgressFell,
        ProgressOutOfRange,
        Refused,
        ResumelogError,
        SceneAlreadyCompleted,
        TooLarge,
        TooManyScenes,
        UnitsOutOfRange,
        UnitsRemain,
        UnitsTotalChanged,
        UnknownScene,
    )
    from resumelog.domain.resume_point import ResumePoint
    from resumelog.infrastructure.bootstrap import ResumeLog
    from resumelog.infrastructure.bootstrap import open_log as open  # noqa: A004 - resumelog.open
    from resumelog.infrastructure.exporting import make_resumable, resumable_export_context
    from resumelog.infrastructure.http import blueprint, create_app, router
    from resumelog.infrastructure.http.errors import ServerExtraMissing
    from resumelog.infrastructure.media.errors import (
        BadOption,
        BadVersion,
        FfmpegFailed,
        MissingSource,
        NoExtra,
        NoFfmpeg,
        NotInFormat,
        SourceIsOutput,
    )
    from resumelog.infrastructure.media.segments import FfmpegExporter
    from resumelog.infrastructure.media.subtitles import SrtExporter
    from resumelog.infrastructure.media.timelines import OtioExporter
    from resumelog.infrastructure.pilot_file import read_pilot
    from resumelog.infrastructure.progress_bars import ProgressBars, progress_bar
    from resumelog.infrastructure.tracking import track

__version__ = "0.1.0"

_NAMES_IN = {
    "application.async_batch": "AsyncBatch",
    "application.async_export": "AsyncExport",
    "application.autopilot_runs": "AutoPilot",
    "application.batch": "Batch",
    "application.batch_progress": "BatchFacts",
    "application.clean_report": "CleanReport",
    "application.errors": (
        "AlreadyRunning AttemptOver BadArgument BadBatch BadPilotFile BadStateFile BatchOver BatchStopped "
        "ClosedLog DamagedEvent DuplicateExport ForeignFile JobNotFound JobPaused NewerSchema "
        "NoDriver NoHost NoLog NoOldForm NoOutput NoResumer NoSceneContent NoSuchSimulation "
        "NoVersion NotExporter NotOurDatabase NotSaved NotScenes OutputMissing PayloadGone "
        "PayloadRemoved ReleaseFailed ResourcesReleased ResultGone SceneFileMissing "
        "SessionEntered StoreError StoreUnavailable Terminated UnknownStore"
    ),
    "application.export": "Export",
    "application.export_jobs": "ExportJobs",
    "application.export_reports": "ExportItem ExportsReport ItemReport ItemStatus",
    "application.export_resumer": "ExportResumer get_export_resumer",
    "application.export_session": "ExportSession",
    "application.pilot_options": "PilotOptions",
    "application.pipeline": "Pipeline PipelineReport",
    "application.poll": "Poll",
    "application.progress_meter": "ProgressFacts",
    "application.resources": "Resources",
    "application.resumable_exporter": "ResumableExporter",
    "application.retry": "Retry",
    "application.run_view": "RunView",
    "application.scene": "Counts FailedScene Report Scene",
    "application.scene_batches": "SceneBatches",
    "application.scene_updates": "SceneState SceneUpdate",
    "application.simulation": "Simulation SimulationState SimulationTimes",
    "application.stage": "Stage",
    "application.step_context": "StepContext",
    "application.steps": "GaveUp Host Limited StopAsked",
    "application.stop_flag": "StopFlag",
    "domain.errors": (
        "AlreadyRecorded BadKey BadMode DuplicateScene InputsChanged LeaseLost ModeNotAuto ModeNotManual "
        "NotActive NotJson NotPaused NotRunning PercentOutOfRange ProgressFell ProgressOutOfRange Refused "
        "ResumelogError SceneAlreadyCompleted TooLarge TooManyScenes UnitsOutOfRange "
        "UnitsRemain UnitsTotalChanged UnknownScene"
    ),
    "domain.resume_point": "ResumePoint",
    "infrastructure.bootstrap": "ResumeLog open",
    "infrastructure.exporting": "make_resumable resumable_export_context",
    "infrastructure.http": "blueprint create_app router",
    "infrastructure.http.errors": "ServerExtraMissing",
    "infrastructure.media.errors": (
        "BadOption BadVersion FfmpegFailed MissingSource NoExtra NoFfmpeg NotInFormat "
        "SourceIsOutput"
    ),
    "infrastructure.media.segments": "FfmpegExporter",
    "infrastructure.media.subtitles": "SrtExporter",
    "infrastructure.media.timelines": "OtioExporter",
    "infrastructure.pilot_file": "read_pilot",
    "infrastructure.progress_bars": "ProgressBars progress_bar",
    "infrastructure.tracking": "track",
}
_HOMES = {name: home for home, names in _NAMES_IN.items() for name in names.split()}

__all__ = [
    "AlreadyRecorded",
    "AlreadyRunning",
    "AsyncBatch",
    "AsyncExport",
    "AttemptOver",
    "AutoPilot",
    "BadArgument",
    "BadBatch",
    "BadKey",
    "BadMode",
    "BadOption",
    "BadPilotFile",
    "BadStateFile",
    "BadVersion",
    "Batch",
    "BatchFacts",
    "BatchOver",
    "BatchStopped",
    "CleanReport",
    "ClosedLog",
    "Counts",
    "DamagedEvent",
    "DuplicateExport",
    "DuplicateScene",
    "Export",
    "ExportItem",
    "ExportJobs",
    "ExportResumer",
    "ExportSession",
    "ExportsReport",
    "FailedScene",
    "FfmpegExporter",
    "FfmpegFailed",
    "ForeignFile",
    "GaveUp",
    "Host",
    "InputsChanged",
    "ItemReport",
    "ItemStatus",
    "JobNotFound",
    "JobPaused",
    "LeaseLost",
    "Limited",
    "MissingSource",
    "ModeNotAuto",
    "ModeNotManual",
    "NewerSchema",
    "NoDriver",
    "NoExtra",
    "NoFfmpeg",
    "NoHost",
    "NoLog",
    "NoOldForm",
    "NoOutput",
    "NoResumer",
    "NoSceneContent",
    "NoSuchSimulation",
    "NoVersion",
    "NotActive",
    "NotExporter",
    "NotInFormat",
    "NotJson",
    "NotOurDatabase",
    "NotPaused",
    "NotRunning",
    "NotSaved",
    "NotScenes",
    "OtioExporter",
    "OutputMissing",
    "PayloadGone",
    "PayloadRemoved",
    "PercentOutOfRange",
    "PilotOptions",
    "Pipeline",
    "PipelineReport",
    "Poll",
    "ProgressBars",
    "ProgressFacts",
    "ProgressFell",
    "ProgressOutOfRange",
    "Refused",
    "ReleaseFailed",
    "Report",
    "Resources",
    "ResourcesReleased",
    "ResultGone",
    "ResumableExporter",
    "ResumeLog",
    "ResumePoint",
    "ResumelogError",
    "Retry",
    "RunView",
    "Scene",
    "SceneAlreadyCompleted",
    "SceneBatches",
    "SceneFileMissing",
    "SceneState",
    "SceneUpdate",
    "ServerExtraMissing",
    "SessionEntered",
    "Simulation",
    "SimulationState",
    "SimulationTimes",
    "SourceIsOutput",
    "SrtExporter",
    "Stage",
    "StepContext",
    "StopAsked",
    "StopFlag",
    "StoreError",
    "StoreUnavailable",
    "Terminated",
    "TooLarge",
    "TooManyScenes",
    "UnitsOutOfRange",
    "UnitsRemain",
    "UnitsTotalChanged",
    "UnknownScene",
    "UnknownStore",
    "__version__",
    "blueprint",
    "create_app",
    "get_export_resumer",
    "make_resumable",
    "open",
    "progress_bar",
    "read_pilot",
    "resumable_export_context",
    "router",
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
