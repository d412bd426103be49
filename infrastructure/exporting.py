"""The two ways in for programs that have no log open: a wrapped exporter, and the old context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from resumelog.application.errors import BadArgument, NotExporter
from resumelog.application.export_jobs import ExportJobs
from resumelog.application.export_options import (
    SAVE_INTERVAL_S,
    OnChangedInputs,
    require_key,
    require_on_changed_inputs,
    require_scale,
    seconds_between,
)
from resumelog.application.export_resumer import ExportResumer, resumer_context
from resumelog.application.progress_scale import Scale
from resumelog.application.resumable_exporter import Exporter, ResumableExporter
from resumelog.domain.errors import AlreadyRecorded
from resumelog.domain.export_job import ExportJob
from resumelog.infrastructure.bootstrap import ResumeLog, open_log

STATE_FILE = ".export_state"


def make_resumable(
    exporter: Exporter,
    *,
    log: ResumeLog | None = None,
    progress_scale: Scale = "absolute",
    save_interval_s: float = SAVE_INTERVAL_S,
    on_changed_inputs: OnChangedInputs = "restart",
    in_place: bool = False,
    key: Callable[[Mapping[str, Any], str], str] | str | None = None,
) -> ResumableExporter:
    """Return the exporter with a log: the same `export`, which goes on where it stopped.

    Without a `log`, each export opens that of RESUMELOG_URL, else resumelog.db in the current
    folder. `progress_scale` is what the exporter's reports are a fraction of after a resume: of the
    whole, or "relative" of what was left. It writes to a temporary path beside its output, which is
    kept over interruptions; with `in_place` to the output itself. What else it writes, such as a file
    of subtitles, stays where it wrote it, and is not looked at before a skip. A job's key is its
    output's absolute path, or `key`, or what that makes of a version and an output path. An exporter that
    catches Ctrl+C or SIGTERM itself, and returns before it reported 1.0, is interrupted all the same:
    that is recorded, and raised. Raises
    NotExporter, and BadArgument for an option that can't be meant.
    """
    _require_exporter(exporter)
    _require_log(log)
    require_scale(progress_scale)
    require_on_changed_inputs(on_changed_inputs)
    return ResumableExporter(
        exporter,
        partial(_jobs, log),
        progress_scale=progress_scale,
        save_interval_s=seconds_between(save_interval_s),
        on_changed_inputs=on_changed_inputs,
        in_place=in_place,
        key=key,
    )


def _require_exporter(given: object) -> None:
    """Raise NotExporter for what has no method `export`; a class has it only once it is called."""
    if isinstance(given, type):
        raise NotExporter(what=f"the class {given.__name__}")
    if not callable(getattr(given, "export", None)):
        raise NotExporter(what=repr(given))


@contextmanager
def resumable_export_context(
    key: str | None = None,
    *,
    state_file: str | Path | None = None,
    save_interval: float = SAVE_INTERVAL_S,
    log: ResumeLog | None = None,
) -> Iterator[ExportResumer]:
    """Begin or go on with an export, as the old system's context did, on the log.

    The job is `key`, or the absolute path of `state_file` (.export_state in the current folder
    without either). A job that has no events yet begins with what such a file says, where there is
    one; a file that was not named is not taken for a `key`. Left at 1.0, the job is
    completed, and its next context begins at 0; left before, by whatever means, it goes on there. Ctrl+C
    that the block caught is raised once more on leaving it, unless that is at 1.0.
    Raises AlreadyRunning, BadStateFile for a state file that can't be imported, and BadArgument.
    """
    save_interval = seconds_between(save_interval, "save_interval")
    file = Path(state_file or STATE_FILE).absolute()
    name = str(file) if key is None else key
    require_key(name)
    _require_log(log)
    with nullcontext(log) if log else open_log() as opened:
        if state_file or key is None:
            _import_first(opened, file, name)
        with resumer_context(opened.exports, name, save_interval) as resumer:
            yield resumer


def _require_log(given: object) -> None:
    if not (given is None or isinstance(given, ResumeLog)):
        advice = "give what `resumelog.open` returns, or None for that of RESUMELOG_URL"
        raise BadArgument(option="log", given=given, advice=advice)


def _import_first(log: ResumeLog, file: Path, key: str) -> None:
    """Begin with an old file; where the job has begun, the log knows more than a file that was left."""
    if file.exists() and not log.log.recover(ExportJob.named(key)).version:
        with suppress(AlreadyRecorded):  # by another worker, meanwhile
            log.import_export_state(file, key=key)


def _jobs(log: ResumeLog | None) -> AbstractContextManager[ExportJobs]:
    return nullcontext(log.exports) if log else _opened()


@contextmanager
def _opened() -> Iterator[ExportJobs]:
    with open_log() as log:
        yield log.exports
