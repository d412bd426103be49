"""An export that is left without having been finished is not recorded as if it were."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from support.logs import names_of

import resumelog
from resumelog import ProgressOutOfRange, ResumeLog, UnitsOutOfRange, UnitsTotalChanged
from resumelog.domain.export_events import Interrupted
from resumelog.domain.export_job import ExportJob


def cause(log: ResumeLog, key: str | Path) -> str:
    """Return why the last attempt was interrupted."""
    *_, last = log.log.history(ExportJob.named(str(key)).id)
    assert isinstance(last, Interrupted)
    return last.cause


def test_an_output_that_is_gone_when_the_block_ends_completes_nothing(
    log: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as job:
        with job.output() as partial:
            partial.write_text("归途")
        output.unlink()
    assert "was in its place and is gone" in cause(log, output)
    with log.exports.resume(output) as job:
        assert not job.is_completed
        with job.output() as partial:
            partial.write_text("归途")
    assert names_of(log, str(output))[-1] == "Completed"


def test_reports_that_were_all_refused_complete_nothing(log: ResumeLog) -> None:
    with log.exports.resume(None, key="reel") as job, pytest.raises(ProgressOutOfRange):
        job.save_progress(7)
    assert "its reports were refused: export reel: progress 7" in cause(log, "reel")


def test_a_refused_report_before_a_good_one_is_no_matter(log: ResumeLog) -> None:
    with log.exports.resume(None, key="reel") as job:
        with pytest.raises(ProgressOutOfRange):
            job.save_progress(7)
        job.save_progress(1.0)
    assert names_of(log, "reel")[-1] == "Completed"


@pytest.mark.parametrize("total", [6, 3, 1])
def test_another_total_is_refused_before_a_unit_is_made(log: ResumeLog, total: int) -> None:
    with log.exports.resume(None, key="reel") as job:
        job.save_progress(units_done=2, units_total=4)
    with log.exports.resume(None, key="reel") as job, pytest.raises(UnitsTotalChanged):
        job.remaining(total)


def test_a_fraction_beside_counted_units_says_what_to_report(log: ResumeLog) -> None:
    with log.exports.resume(None, key="reel") as job:
        job.save_progress(units_done=2, units_total=4)
        with pytest.raises(UnitsOutOfRange, match="a fraction alone says nothing"):
            job.save_progress(0.9)


def test_who_goes_on_with_an_empty_output_is_told(
    log: ResumeLog, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with log.exports.resume(output) as job:
        job.save_progress(units_done=2, units_total=4)
    with (
        caplog.at_level(logging.WARNING, "resumelog"),
        log.exports.resume(output) as job,
        job.output() as partial,
    ):
        partial.write_text("归途")
        job.save_progress(units_done=4, units_total=4)
    (record,) = caplog.records
    assert f"export {output}: goes on at 50%" in record.getMessage()
    assert "keep_partial=True" in record.getMessage()


def test_the_resumer_of_an_outer_context_is_back_once_the_inner_one_is_left(
    log: ResumeLog,
) -> None:
    with resumelog.resumable_export_context("outer", log=log) as outer:
        with resumelog.resumable_export_context("inner", log=log) as inner:
            assert resumelog.get_export_resumer() is inner
        assert resumelog.get_export_resumer() is outer
    assert resumelog.get_export_resumer() is outer
    with resumelog.resumable_export_context("next", log=log) as following:
        pass
    assert resumelog.get_export_resumer() is following
