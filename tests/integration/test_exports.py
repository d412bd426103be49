"""Exports: gone on with at the exact unit, whatever ended them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.logs import UNITS, events_of, make_units, names_of

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import OutputMissing
from resumelog.domain.errors import (
    InputsChanged,
    NotRunning,
    ProgressOutOfRange,
    UnitsOutOfRange,
    UnitsRemain,
    UnitsTotalChanged,
)
from resumelog.domain.export_events import Failed, Interrupted, Restarted
from resumelog.domain.export_job import ExportJob, Report

ENDS: dict[str, BaseException | None] = {
    "the end of the block": None,
    "an exception": ValueError("编码器崩溃 💥"),
    "Ctrl-C": KeyboardInterrupt(),
    "an exit": SystemExit(1),
}
every_end = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())


def job_of(log: ResumeLog, output: Path) -> ExportJob:
    return log.log.recover(ExportJob.named(str(output)))


# Resuming


@every_end
@pytest.mark.parametrize("until", [0, 1, 4, 9])
def test_work_goes_on_at_the_exact_unit(
    log: ResumeLog, other: ResumeLog, output: Path, end: BaseException | None, until: int
) -> None:
    assert make_units(log, output, until=until, end=end) == [*range(until)]
    assert make_units(other, output) == [*range(until, UNITS)]


@every_end
def test_the_counts_are_exact(log: ResumeLog, output: Path, end: BaseException | None) -> None:
    make_units(log, output, until=3, end=end)
    report = job_of(log, output).report
    assert (report.units_done, report.units_total, report.progress) == (3, 10, 0.3)


@pytest.mark.parametrize(
    ("end", "event"),
    [
        (None, ("Interrupted", "left with 4 of 10 units done")),
        (KeyboardInterrupt(), ("Interrupted", "KeyboardInterrupt")),
        (SystemExit(1), ("Interrupted", "SystemExit: 1")),
        (ValueError("编码器崩溃"), ("Failed", "ValueError: 编码器崩溃")),
    ],
)
def test_the_log_says_why_it_ended(
    log: ResumeLog, output: Path, end: BaseException | None, event: tuple[str, str]
) -> None:
    make_units(log, output, until=4, end=end)
    last = events_of(log, str(output))[-1]
    assert isinstance(last, Interrupted | Failed)
    why = last.cause if isinstance(last, Interrupted) else last.error
    assert (type(last).__name__, why) == event


def test_every_unit_is_recorded_once_over_all_attempts(log: ResumeLog, output: Path) -> None:
    for until in (2, 5, 9, UNITS):
        make_units(log, output, until=until)
    assert names_of(log, str(output)).count("ProgressSaved") == UNITS
    assert job_of(log, output).attempts == 4


def test_the_cursor_comes_back(log: ResumeLog, other: ResumeLog, output: Path) -> None:
    make_units(log, output, until=4)
    with other.exports.resume(output) as export:
        assert (export.units_done, export.cursor) == (4, {"帧": 3})


def test_the_resume_point_names_the_deciding_event(log: ResumeLog, output: Path) -> None:
    make_units(log, output, until=4)
    point = log.queries.resume_point(job_of(log, output))
    assert [(fact.value, fact.event, fact.version) for fact in point.next] == [
        (4, "ProgressSaved", 5)
    ]


def die_at(log: ResumeLog, output: Path, fraction: float) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(fraction)
        raise KeyboardInterrupt


@pytest.mark.parametrize("fraction", [0.1, 1 / 3, 0.9999])
def test_a_fraction_without_units_comes_back(
    log: ResumeLog, other: ResumeLog, output: Path, fraction: float
) -> None:
    with pytest.raises(KeyboardInterrupt):
        die_at(log, output, fraction)
    with other.exports.resume(output) as export:
        assert export.progress == fraction


@pytest.mark.parametrize(
    "report",
    [
        {"progress": 0.3},
        {"progress": 0.9999},
        {"cursor": {"帧": 7}},
        {"progress": 0.3, "cursor": 7},
    ],
    ids=str,
)
def test_what_is_left_below_1_without_a_word_is_gone_on_with(
    log: ResumeLog, other: ResumeLog, output: Path, report: dict[str, Any]
) -> None:
    for each in (log, other):
        with each.exports.resume(output) as export:
            assert not export.is_completed
            export.save_progress(**report)
            output.write_bytes(b"a part")
    assert names_of(log, str(output))[-1] == "Interrupted"
    with other.exports.resume(output) as export:
        assert export.progress == report.get("progress", 0.0)
        export.complete()
    with log.exports.resume(output) as export:
        assert export.is_completed


def test_a_part_that_a_block_was_left_with_by_break_is_not_the_whole(
    log: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as export, export.output() as partial:
        for tenth in range(1, 11):
            partial.write_bytes(b"f" * tenth)
            export.save_progress(tenth / 10)
            if tenth == 3:
                break
    assert names_of(log, str(output))[-1] == "Interrupted"


def test_an_attempt_that_only_places_the_output_is_done(log: ResumeLog, output: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        die_at(log, output, 0.5)
    with log.exports.resume(output) as export, export.output() as partial:
        partial.write_bytes(b"frames")
    assert names_of(log, str(output))[-1] == "Completed"


def test_a_cursor_and_the_output_in_its_place_are_done(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export, export.output() as partial:
        export.save_progress(cursor={"帧": 7})
        partial.write_bytes(b"frames")
    assert names_of(log, str(output))[-1] == "Completed"


@pytest.mark.parametrize("total", [-3, "8", 2.5, None, True])
def test_what_is_no_number_of_units_is_refused_at_once(
    log: ResumeLog, output: Path, total: Any
) -> None:
    with log.exports.resume(output) as export:
        with pytest.raises(UnitsOutOfRange):
            export.remaining(total)
        assert (export.units_total, [*export.remaining(0)]) == (None, [])


@pytest.mark.parametrize("total", [0, 3, 9, 11, 12])
def test_another_total_than_the_one_on_record_is_refused_at_once(
    log: ResumeLog, output: Path, total: int
) -> None:
    make_units(log, output, until=4)
    with log.exports.resume(output) as export:
        with pytest.raises(UnitsTotalChanged, match=f"changed from 10 to {total}; restart"):
            export.remaining(total)
        assert [*export.remaining(UNITS)] == [*range(4, UNITS)]
        with pytest.raises(UnitsTotalChanged):
            next(resumelog.track(export, [*range(total)], disable=True))


def placed_and_removed(log: ResumeLog, output: Path, *, completes: bool) -> None:
    with log.exports.resume(output) as export:
        with export.output() as partial:
            partial.write_bytes(b"frames")
        export.save_progress(1.0)
        output.unlink()
        if completes:
            export.complete()


@pytest.mark.parametrize("completes", [False, True])
def test_an_output_that_was_put_in_place_and_is_gone_at_the_end_is_not_done(
    log: ResumeLog, output: Path, completes: bool
) -> None:
    with pytest.raises(OutputMissing, match="it was put there, and was moved or removed since"):
        placed_and_removed(log, output, completes=completes)
    assert names_of(log, str(output))[-1] == "Failed"


@pytest.mark.parametrize(
    "report", [{"progress": 7.5}, {"units_done": 9, "units_total": 8}, {"cursor": "x" * 70_000}, {}]
)
def test_work_whose_reports_were_all_refused_is_not_done(
    log: ResumeLog, output: Path, report: dict[str, Any]
) -> None:
    with log.exports.resume(output) as export:
        with suppress(ValueError):
            export.save_progress(**report)
        output.write_bytes(b"frames")
    last = events_of(log, str(output))[-1]
    assert isinstance(last, Interrupted)
    assert last.cause.startswith("left with every report refused: ")
    assert str(output) not in last.cause
    with log.exports.resume(output) as export:
        with suppress(ValueError):
            export.save_progress(**report)
        export.save_progress(1.0)
    assert names_of(log, str(output))[-1] == "Completed"


def test_a_fraction_alone_is_refused_where_units_were_counted(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(units_done=1, units_total=4)
        with pytest.raises(
            UnitsOutOfRange, match="a fraction alone is refused; report `units_done="
        ):
            export.save_progress(0.9)


def test_an_output_that_was_to_be_made_and_is_not_there_is_not_done(
    log: ResumeLog, output: Path
) -> None:
    for end in (ValueError("编码器"), KeyboardInterrupt()):
        with (
            suppress(type(end)),
            log.exports.resume(output) as export,
            export.output(),
        ):
            raise end
        with log.exports.resume(output):
            """Does nothing."""
        assert names_of(log, str(output))[-1] == "Interrupted"
    with log.exports.resume(output) as export, suppress(ValueError), export.output():
        raise ValueError("that the block keeps to itself")
    with log.exports.resume(output) as export, export.output() as partial:
        partial.write_bytes(b"frames")
    assert names_of(log, str(output))[-1] == "Completed"


# What it is bound to


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"inputs": {"片段": ["a", "c"]}}, "the input changed"),
        ({"exporter": "ffmpeg-8"}, "the exporter changed"),
        ({"inputs": None, "exporter": "x"}, "the exporter and the input changed"),
    ],
)
@pytest.mark.parametrize("until", [4, UNITS], ids=["half done", "completed"])
def test_another_input_begins_again_at_0_and_says_why(
    log: ResumeLog, output: Path, until: int, change: dict[str, Any], reason: str
) -> None:
    work: dict[str, Any] = {"inputs": {"片段": ["a", "b"]}, "exporter": "ffmpeg-7"}
    make_units(log, output, until=until, **work)
    assert make_units(log, output, **{**work, **change}) == [*range(UNITS)]
    reasons = [
        event.reason for event in events_of(log, str(output)) if isinstance(event, Restarted)
    ]
    assert reasons == [reason]


def test_another_output_of_the_same_key_begins_again(log: ResumeLog, tmp_path: Path) -> None:
    make_units(log, tmp_path / "a.mp4", until=4, key="成片")
    assert make_units(log, tmp_path / "b.mp4", key="成片") == [*range(UNITS)]


def test_another_input_can_be_refused(log: ResumeLog, output: Path) -> None:
    make_units(log, output, until=4, inputs="a")
    version = job_of(log, output).version
    with pytest.raises(InputsChanged):
        make_units(log, output, inputs="b", on_changed_inputs="refuse")
    assert job_of(log, output).version == version
    assert make_units(log, output, inputs="a", until=5) == [4]


# Completed


def test_what_is_completed_and_intact_is_skipped(log: ResumeLog, output: Path) -> None:
    make_units(log, output)
    version = job_of(log, output).version
    with log.exports.resume(output) as export:
        assert export.is_completed
        assert [*export.remaining(UNITS)] == []
    assert job_of(log, output).version == version


def test_a_skipped_export_is_free_for_another_worker(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    make_units(log, output)
    with log.exports.resume(output), other.exports.resume(output) as export:
        assert export.is_completed


@pytest.mark.parametrize("content", [None, b"", b"frames", b"FRAMES" * UNITS])
def test_a_missing_or_altered_output_is_made_again(
    log: ResumeLog, output: Path, content: bytes | None
) -> None:
    make_units(log, output)
    output.unlink()
    if content is not None:
        output.write_bytes(content)
    assert make_units(log, output) == [*range(UNITS)]
    assert "Restarted" in names_of(log, str(output))


def test_the_output_is_moved_into_place_at_the_end(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export:
        with export.output() as partial:
            partial.write_bytes(b"frames")
            assert not output.exists()
        assert output.read_bytes() == b"frames"
    assert job_of(log, output).artifact is not None


def half_a_file(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export, export.output() as partial:
        partial.write_bytes(b"half")
        raise ZeroDivisionError


def test_an_error_leaves_no_output_and_no_partial_file(log: ResumeLog, output: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        half_a_file(log, output)
    assert [path.name for path in output.parent.iterdir() if path.suffix == ".mp4"] == []


def test_what_is_completed_has_no_output_to_write(log: ResumeLog, output: Path) -> None:
    make_units(log, output)
    with log.exports.resume(output) as export, pytest.raises(NotRunning), export.output():
        pass


def a_folder(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export, export.output() as partial:
        partial.mkdir()
        (partial / "1.png").write_bytes(b"frame")
        raise ZeroDivisionError


def test_a_folder_that_an_exporter_left_is_removed_and_its_own_error_raised(
    log: ResumeLog, output: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        a_folder(log, output)
    assert [path.name for path in output.parent.iterdir() if path.suffix == ".mp4"] == []


def test_completing_with_units_left_is_refused(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(units_done=9, units_total=UNITS)
        with pytest.raises(UnitsRemain):
            export.complete()
    assert job_of(log, output).status == "interrupted"


def test_what_a_save_does_not_give_is_as_it_was_reported_last(log: ResumeLog) -> None:
    with log.exports.resume(None, key="成片") as job:
        job.save_progress(cursor={"帧": 6})
        assert job.report == Report(0.0, cursor={"帧": 6})
        job.save_progress(0.5, cursor={"帧": 7})
        job.save_progress(0.6)
        job.flush()
        assert job.report == Report(0.6, cursor={"帧": 7})
        job.save_progress(0.7)
        assert job.save_progress(cursor={"帧": 8}).on_disk
        assert job.report == Report(0.7, cursor={"帧": 8})
        with pytest.raises(ProgressOutOfRange):
            job.save_progress()
        with pytest.raises(UnitsOutOfRange, match=r"units_total=.*remaining"):
            job.save_progress(units_done=3)
        job.save_progress(units_done=3, units_total=4)
        assert job.report == Report(0.75, 3, 4, {"帧": 8})
        job.save_progress(cursor={"帧": 9})
        assert job.report == Report(0.75, 3, 4, {"帧": 9})
        with pytest.raises(UnitsOutOfRange):
            job.save_progress(0.9)
        job.save_progress(units_done=4)
        assert job.report == Report(1.0, 4, 4, {"帧": 9})


def test_a_cursor_outlives_the_fractions_after_it_and_a_new_attempt(log: ResumeLog) -> None:
    for fraction in (0.2, 0.3):
        with suppress(KeyboardInterrupt), log.exports.resume(None, key="成片") as job:
            assert job.cursor == (None if fraction == 0.2 else 7)
            job.save_progress(fraction, cursor=7)
            job.save_progress(fraction + 0.05)
            raise KeyboardInterrupt
