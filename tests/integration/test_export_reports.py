"""What `resumelog export` makes of a command's reports, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.logs import events_of, leave_by, names_of

from resumelog import LeaseLost, ResumeLog
from resumelog.application.progress_scale import Scale
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import Report
from resumelog.infrastructure.cli.export_reports import Reports
from resumelog.infrastructure.cli.report_lines import Said, report_in


class Heard:
    """One attempt that reported some lines, and was cut off."""

    def __init__(
        self,
        log: ResumeLog,
        output: Path,
        *lines: str | Said,
        total: int | None = None,
        scale: Scale = "absolute",
    ) -> None:
        self.told: list[str] = []
        try:
            with log.exports.resume(output, save_interval_s=0) as export:
                self.reports = Reports(export, total, scale, self.told.append)
                for line in lines:
                    said = report_in(line) if isinstance(line, str) else line
                    assert said is not None
                    self.reports.take(said)
                leave_by(KeyboardInterrupt())
        except KeyboardInterrupt:
            pass


def saved(log: ResumeLog, output: Path) -> list[Report]:
    """Return every report on record."""
    events = [each for each in events_of(log, str(output)) if isinstance(each, ProgressSaved)]
    return [
        Report(each.progress, each.units_done, each.units_total, each.cursor) for each in events
    ]


# Bad ones


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        (
            ["progress 0.5", "progress nan", "progress 7.5", "progress -1"],
            {"ProgressOutOfRange": 3},
        ),
        (["progress 0.5", "progress 0.4"], {"ProgressFell": 1}),
        (["units 4/8", "units 9", "units 0/0"], {"UnitsOutOfRange": 2}),
        (["units 4/8", "units 4/9"], {"UnitsTotalChanged": 1}),
        (["units 4/8", "progress 0.9"], {"BadReport": 1}),
        (["progress 0.5", "units 3"], {"BadReport": 1}),
        (["progress 0.5", "progress 60%"], {"BadReport": 1}),
        (["progress 0.5", 'cursor "' + "x" * 70_000 + '"'], {"TooLarge": 1}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_report_is_told_and_counted_and_changes_nothing(
    log: ResumeLog, output: Path, lines: Sequence[str], bad: dict[str, int]
) -> None:
    heard = Heard(log, output, *lines)
    assert heard.reports.bad == bad
    assert len(heard.told) == len(bad)
    assert "is ignored: " in heard.told[0]
    (report,) = saved(log, output)
    assert report == heard.reports.last


def test_a_count_of_nobody_knows_how_many_says_what_to_do(log: ResumeLog, output: Path) -> None:
    (told,) = Heard(log, output, "units 3").told
    assert told.endswith("it is not said of how many; say --total N, or print units 3/10")


def test_counts_are_checked_against_the_total_that_was_said(log: ResumeLog, output: Path) -> None:
    (told,) = Heard(log, output, "units 3/10", total=20).told
    assert told.endswith("--total says 20, not 10")


# Cursors


def test_a_cursor_counts_until_the_next_one(log: ResumeLog, output: Path) -> None:
    lines = ["progress 1/9", "cursor {}", "progress 2/9", "progress 3/9 cursor [7]", "cursor null"]
    Heard(log, output, *lines)
    told = [(report.units_done, report.cursor) for report in saved(log, output)]
    assert told == [(1, None), (1, {}), (2, {}), (3, [7]), (3, None)]


def test_a_cursor_counts_in_the_next_attempt_too(log: ResumeLog, output: Path) -> None:
    Heard(log, output, "units 3 cursor 7", total=9)
    Heard(log, output, "units 4", total=9)
    assert saved(log, output)[-1][1:] == (4, 9, 7)


def test_fractions_beside_a_cursor_that_is_on_record_are_throttled(
    log: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as export:
        export.save_progress(0.1, cursor=7)
        assert not export.save_progress(0.2, cursor=7).throttled
        assert export.save_progress(0.3, cursor=7).throttled
        assert not export.save_progress(0.4, cursor=8).throttled
    assert [each.cursor for each in saved(log, output)] == [7, 7, 8], (
        "what the throttle kept is in what came after it"
    )


# A command that begins at 0 again


@pytest.mark.parametrize(
    ("before", "after", "total"),
    [
        ("progress 0.42", "progress 0.1", None),
        ("progress 0.42", "units 2", 9),
        ("units 4", "units 2", 9),
        ("units 4", "units 0", 9),
    ],
)
def test_a_report_below_where_the_attempt_began_begins_again(
    log: ResumeLog, output: Path, before: str, after: str, total: int | None
) -> None:
    Heard(log, output, f"{before} cursor 7", total=total)
    heard = Heard(log, output, after, total=total)
    (told,) = heard.told
    assert re.fullmatch(r"begins again at 0: it reported .* after a resume at .*", told)
    assert names_of(log, str(output))[-4:-2] == ["Restarted", "Started"]
    assert saved(log, output)[-1] == heard.reports.last
    assert heard.reports.last.cursor is None


def test_a_fall_that_does_not_reach_the_beginning_is_a_bad_report(
    log: ResumeLog, output: Path
) -> None:
    Heard(log, output, "units 2", total=9)
    heard = Heard(log, output, "units 6", "units 4", "units 2", total=9)
    assert heard.reports.bad == {"ProgressFell": 2}


def test_a_bad_report_does_not_begin_again(log: ResumeLog, output: Path) -> None:
    Heard(log, output, "units 4/9")
    heard = Heard(log, output, "progress 0.1", "units 1/8")
    assert heard.reports.bad == {"BadReport": 1, "UnitsTotalChanged": 1}
    assert "Restarted" not in names_of(log, str(output))


# Fractions of what was left


def length(part: float) -> Said:
    return Said("progress=continue", progress=part, is_length=True)


@pytest.mark.parametrize(
    ("reported", "meant"),
    [
        (["progress 0.25", "progress 0.5"], [0.7, 0.8]),
        ([length(0.15), length(0.3)], [0.75, 0.9]),
        (["progress 0.8", "progress 0.9"], [0.8, 0.9]),
    ],
    ids=["fractions", "parts of the whole length", "absolute ones after all"],
)
def test_relative_fractions_are_of_what_was_left(
    log: ResumeLog, output: Path, reported: list[str | Said], meant: list[float]
) -> None:
    Heard(log, output, "progress 0.6", scale="relative")
    Heard(log, output, *reported, scale="relative")
    told = [report.progress for report in saved(log, output)]
    assert told == pytest.approx([0.6, *meant])
    assert "Restarted" not in names_of(log, str(output))


# The log


def report_after_a_restart(log: ResumeLog, other: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as export:
        other.exports.restart(str(output), "重来")
        Reports(export, 9, "absolute", print).take(Said("units 3", done=3))


def test_a_report_to_a_job_that_was_restarted_ends_the_work(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    with pytest.raises(LeaseLost):
        report_after_a_restart(log, other, output)
