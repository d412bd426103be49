"""An option that can't be meant is refused before anything is read or written, and never ignored."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.exporters import LineExporter
from support.logs import names_of

from resumelog import ResumeLog, make_resumable, resumable_export_context
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
