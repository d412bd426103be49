"""Any exporter becomes resumable: what it reports is recorded, what it finished is skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import is_dataclass
from os import PathLike, fspath, path
from pathlib import Path
from typing import Any, Protocol

from pydantic import JsonValue

from resumelog.application.errors import NoVersion
from resumelog.application.export import Export
from resumelog.application.export_jobs import ExportJobs
from resumelog.application.export_options import OnChangedInputs
from resumelog.application.jsonable import jsonable
from resumelog.application.progress_scale import Scale
from resumelog.application.reported_progress import ProgressCallback, ReportedProgress

CALLBACK, RESUME_INFO, FINAL = "_progress_callback", "_resume_info", "_final_path"


class Exporter(Protocol):
    """What is made resumable: `export` writes a file and returns its path; `name` is optional.

    It may call `version["_progress_callback"](fraction)`, and read `version["_resume_info"]`,
    present where an earlier attempt stopped: its progress, output_path, and timestamp (seconds).
    Where that attempt had written to output_path, it stands there; one that was lost since begins
    again at 0. An exporter that writes only at its end is told of its progress, and finds no file.
    `version["_final_path"]` is where the output will be moved to.
    What it returns is the path that it wrote, if that is another; what names no file is ignored.

    Three more methods are optional. `check_export(version, output_path)` raises where it can't be made,
    as where the output would take the place of its own source: that is before the job begins, so that
    nothing is written and no attempt is on record. `inputs(version)` returns what else the output depends on, in JSON:
    its own options, or the digest of a source; a change begins again as one of the version does
    (`run_all` takes that as `inputs`). `finished(output_path)` is called once the output stands in
    its place and the job is recorded as completed, and again whenever it is skipped, since a kill may
    have come in between: so it must do no harm when it is repeated. `run_all` calls nothing of what it skips.
    """

    def export(self, version: Any, output_path: str) -> Any:
        """Write `output_path`."""
        ...


class ResumableExporter:
    """An exporter with a log: the same call, and everything else of the one that it wraps."""

    def __init__(
        self,
        exporter: Exporter,
        jobs: Callable[[], AbstractContextManager[ExportJobs]],
        *,
        progress_scale: Scale = "absolute",
        save_interval_s: float,
        on_changed_inputs: OnChangedInputs = "restart",
        in_place: bool = False,
        key: Callable[[Mapping[str, Any], str], str] | str | None = None,
    ) -> None:
        """Wrap it; `resumelog.make_resumable` says what the options are."""
        self._exporter, self._jobs = exporter, jobs
        self._scale: Scale = progress_scale
        self._save_interval_s, self._on_changed_inputs = save_interval_s, on_changed_inputs
        self._in_place, self._key = in_place, key

    @property
    def name(self) -> str:
        """The exporter's own name, or its class's."""
        return str(getattr(self._exporter, "name", type(self._exporter).__name__))

    def __getattr__(self, name: str) -> Any:
        """Return what the exporter itself has under this name, if that is public."""
        if name.startswith("_"):  # a copy is asked for such names before it has an exporter
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._exporter, name)

    def export(
        self,
        version: Mapping[str, Any],
        output_path: str | PathLike[str],
        progress_callback: ProgressCallback | None = None,
        **options: Any,
    ) -> str:
        """Export, or go on where an earlier attempt stopped, or skip what is finished and intact.

        The exporter is given an absolute path. Returns `output_path` as it was given, or, where that
        does not name the file from the current folder, its absolute path. `progress_callback`, else `version["_progress_callback"]`, gets fractions of the whole; the last is
        1.0. `version` is left as it is. Raises what the exporter does, AlreadyRunning,
        BadKey, NoVersion, NotJson, InputsChanged, OutputMissing, ProgressOutOfRange, JobPaused, LeaseLost, StoreUnavailable.
        """
        output = fspath(output_path)
        given = _given(version)
        key = self._key(version, output) if callable(self._key) else self._key
        callback = progress_callback or version.get(CALLBACK)
        with self._jobs() as jobs:
            if check := self._hook("check_export"):
                check(deepcopy(given), str(jobs.absolute(output)))
            with jobs.resume(
                output,
                inputs=self._bound_to(given, options),
                key=key,
                exporter=self.name,
                on_changed_inputs=self._on_changed_inputs,
                save_interval_s=self._save_interval_s,
                needs_output=True,
            ) as job:
                return self._finished(job, given, output, options, callback)

    def export_in(self, job: Export, version: Mapping[str, Any]) -> str:
        """Export within a job that was begun already, as by `run_all(…, exporter=self.name)`."""
        given, callback = _given(version), version.get(CALLBACK)
        return self._finished(job, given, str(job.output_path), {}, callback)

    def _bound_to(self, given: dict[str, Any], options: dict[str, Any]) -> JsonValue:
        """Return what another result would come of, if it changed."""
        if inputs := self._hook("inputs"):
            return jsonable([given, options, inputs(deepcopy(given))])
        return jsonable([given, options] if options else given)

    def _hook(self, name: str) -> Callable[..., Any] | None:
        hook = getattr(self._exporter, name, None)
        return hook if callable(hook) else None

    def _finished(
        self,
        job: Export,
        version: dict[str, Any],
        output: str,
        options: dict[str, Any],
        callback: ProgressCallback | None,
    ) -> str:
        told = ReportedProgress(job, self._scale, callback)
        made = job.artifact_path
        if not job.is_completed or made is None:
            made = self._made(job, told, deepcopy(version), options)
            job.complete(made)
        if finished := self._hook("finished"):
            finished(str(made))
        told.end()
        return output if path.normpath(Path(output).absolute()) == str(made) else str(made)

    def _made(
        self,
        job: Export,
        told: ReportedProgress,
        version: dict[str, Any],
        options: dict[str, Any],
    ) -> Path:
        """Let the exporter write beside its output, and move what it wrote into place."""
        assert job.output_path
        if self._in_place:
            written = self._run(job, told, version, job.output_path, options)
            return written if written.exists() else job.output_path
        with job.beside_output(keep_partial=True) as partial:
            written = self._run(job, told, version, partial, options)
            if not written.exists() and partial.is_file():
                written = partial
            if not written.is_file():
                raise job.missing(written, written)
            final = job.output_path
            stem = partial.name.removesuffix(final.suffix)
            if written != partial and stem in written.name:  # another suffix than asked for
                final = final.with_name(written.name.replace(stem, final.stem))
            elif written != partial:
                return written
            job.place(written, final)
            return final

    def _run(
        self,
        job: Export,
        told: ReportedProgress,
        version: dict[str, Any],
        to: Path,
        options: dict[str, Any],
    ) -> Path:
        told.begins()
        if job.progress >= 1 and not to.exists():
            told.begin_again("its output is missing")
        if job.progress:
            at = job.saved_at
            version[RESUME_INFO] = {
                "progress": job.progress,
                "output_path": str(to),
                "timestamp": at.timestamp() if at else None,
            }
        version[CALLBACK], version[FINAL] = told.report, str(job.output_path)
        written = self._exporter.export(version, str(to), **options)
        told.leave_if_failed()
        return Path(written).absolute() if isinstance(written, str | PathLike) else to


def _given(version: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(version, Mapping):
        advice = (
            "its asdict()"
            if is_dataclass(version)
            else "its model_dump()"
            if hasattr(version, "model_dump")
            else "or a wrapper whose `export` takes one"
        )
        raise NoVersion(kind=type(version).__name__, advice=advice)
    return {name: each for name, each in version.items() if name not in (CALLBACK, RESUME_INFO)}
