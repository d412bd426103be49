"""An option that can't be meant is refused before anything is read or written, and never ignored."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.exporters import LineExporter, Stopped
from support.logs import names_of

from resumelog import ResumeLog, make_resumable, resumable_export_context, track
from resumelog.application.errors import BadArgument
from resumelog.domain.export_job import ExportJob

Begin = Callable[..., object]


def resume(log: ResumeLog, output: Path, **options: Any) -> None:
    with log.exports.resume(output, **options):
        pass


def run_all(log: ResumeLog, output: Path, **options: Any) -> None:
    log.exports.run_all([("a", output)], lambda job, _: job.complete(), **options)


def wrapped(log: ResumeLog, output: Path, **options: Any) -> None:
    del output
    make_resumable(LineExporter(), log=log, **options)


def context(log: ResumeLog, output: Path, *, save_interval_s: Any) -> None:
    with resumable_export_context(str(output), log=log, save_interval=save_interval_s):
        pass


def exported(log: ResumeLog, output: Path) -> None:
    make_resumable(LineExporter(), log=log).export({"title": "归途"}, output)


every_interval = pytest.mark.parametrize("seconds", [-1, -math.inf, math.nan, "5", None, True])


@every_interval
@pytest.mark.parametrize("begin", [resume, run_all, wrapped, context])
def test_an_interval_that_is_none_is_refused(
    log: ResumeLog, output: Path, begin: Begin, seconds: object
) -> None:
    with pytest.raises(BadArgument, match=r"save_interval.*is no choice; give seconds, 0"):
        begin(log, output, save_interval_s=seconds)
    assert log.queries.jobs() == []


@pytest.mark.parametrize("begin", [resume, run_all, wrapped])
def test_what_to_do_with_changed_inputs_is_one_of_two(
    log: ResumeLog, output: Path, begin: Begin
) -> None:
    with pytest.raises(
        BadArgument, match="on_changed_inputs='Refuse' is no choice; choose restart"
    ):
        begin(log, output, on_changed_inputs="Refuse")
    assert log.queries.jobs() == []


def test_progress_stays_where_what_to_do_is_misspelt(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output, inputs=1) as job:
        job.save_progress(0.5)
        job.leave("午休")
    with pytest.raises(BadArgument):
        resume(log, output, inputs=2, on_changed_inputs="Refuse")
    assert log.log.recover(ExportJob.named(str(output))).progress == 0.5


def test_a_scale_is_one_of_two(log: ResumeLog, output: Path) -> None:
    with pytest.raises(BadArgument, match="progress_scale='Relative' is no choice"):
        wrapped(log, output, progress_scale="Relative")


@every_interval
def test_an_interval_that_is_set_later_is_looked_at_too(
    log: ResumeLog, output: Path, seconds: Any
) -> None:
    with log.exports.resume(output) as job:
        with pytest.raises(BadArgument):
            job.save_interval_s = seconds
        assert job.save_interval_s == 5.0


def test_an_infinite_interval_writes_the_first_and_the_last(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output, save_interval_s=math.inf) as job:
        for fraction in (0.1, 0.2, 0.3):
            job.save_progress(fraction)
        job.leave("午休")
    assert names_of(log, str(output)) == ["Started", *["ProgressSaved"] * 2, "Interrupted"]
    assert log.log.recover(ExportJob.named(str(output))).progress == 0.3


def test_an_old_file_is_not_imported_by_a_context_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadArgument), resumable_export_context(save_interval=-1):
        pass
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("given", ["", 5, b"a.mp4"])
def test_what_names_no_output_is_refused(log: ResumeLog, given: Any) -> None:
    with pytest.raises(BadArgument, match="output_path"):
        log.exports.resume(given)


@pytest.mark.parametrize("made", [Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("begin", [resume, exported])
def test_an_output_that_is_no_file_is_refused_before_the_work(
    log: ResumeLog, output: Path, begin: Begin, made: Callable[[Path], None]
) -> None:
    made(output)
    with pytest.raises(BadArgument, match="stands there; name a file"):
        begin(log, output)
    assert log.queries.jobs() == []


def test_an_output_that_is_a_link_is_written_through_it_over_an_interruption(
    log: ResumeLog, output: Path, tmp_path: Path
) -> None:
    target = tmp_path / "大盘" / "片.txt"
    target.parent.mkdir()
    target.write_bytes(b"old")
    target.chmod(0o600)
    output.symlink_to(target)
    exporter = LineExporter()
    exporter.stop_after = 4
    with pytest.raises(Stopped):
        make_resumable(exporter, log=log, save_interval_s=0).export({"title": "归途"}, output)
    assert target.read_bytes() == b"old"
    exporter.stop_after = None
    for _ in range(2):
        made = make_resumable(exporter, log=log).export({"title": "归途"}, output)
        assert made == str(output)
    assert (exporter.made, output.is_symlink()) == ([*range(10)], True)
    assert (len(target.read_text().splitlines()), target.stat().st_mode & 0o777) == (10, 0o600)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def tracked(log: ResumeLog) -> object:
    del log
    return track(None, 3)  # type: ignore[call-overload] # as somebody may


def listened_to(log: ResumeLog) -> object:
    with log.exports.resume(None, key="成片") as job:
        return job.on_progress(3)  # type: ignore[arg-type] # as somebody may


def cleaned_up(log: ResumeLog) -> None:
    with log.exports.resume(None, key="成片") as job:
        job.resources.callback(3)  # type: ignore[arg-type] # as somebody may


def in_a_context(log: Any) -> None:
    del log
    with resumable_export_context("成片", log="jobs.db"):  # type: ignore[arg-type] # as somebody may
        pass


def made_resumable(log: Any) -> None:
    del log
    make_resumable(LineExporter(), log="jobs.db")  # type: ignore[arg-type] # as somebody may


def begun_with_a_number(log: ResumeLog) -> None:
    log.exports.resume(None, key="成片", on_progress=3)  # type: ignore[arg-type] # as somebody may


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (tracked, "job"),
        (listened_to, "on_progress"),
        (begun_with_a_number, "on_progress"),
        (cleaned_up, "callback"),
        (in_a_context, "log"),
        (made_resumable, "log"),
    ],
)
def test_what_is_no_job_log_or_function_is_refused_at_once(
    log: ResumeLog, call: Callable[[ResumeLog], object], option: str
) -> None:
    with pytest.raises(BadArgument, match=f"{option}="):
        call(log)
