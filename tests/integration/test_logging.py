"""What the logger "resumelog" says, a line for each thing that happens to a job."""

from __future__ import annotations

import logging
from logging import LogRecord
from pathlib import Path

import pytest
from support.hosts import PATIENCE_S, SmallHost
from support.logs import events_of, make_scenes, make_units, scenes

from resumelog import ResumeLog
from resumelog.domain.errors import ProgressFell

NAME = "电影/分镜"


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "resumelog")


def lines(caplog: pytest.LogCaptureFixture, word: str) -> list[LogRecord]:
    return [record for record in caplog.records if word in record.getMessage()]


def about(records: list[LogRecord]) -> list[tuple[object, object]]:
    return [(vars(record).get("job"), vars(record).get("version")) for record in records]


def test_every_appended_event_has_one_line(
    log: ResumeLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "成片.mp4"
    make_units(log, output, until=4)
    expected = [
        f"export {output} appended {type(event).__name__}, version {event.originator_version}"
        for event in events_of(log, str(output))
    ]
    assert [record.getMessage() for record in lines(caplog, "appended")] == expected


def test_every_line_carries_the_job_and_the_events_version(
    log: ResumeLog, caplog: pytest.LogCaptureFixture
) -> None:
    make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2)))
    expected = [(f"batch {NAME}", event.originator_version) for event in events_of(log, NAME)]
    assert about(lines(caplog, "appended")) == expected


def test_a_refusal_has_one_line(
    log: ResumeLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "成片.mp4"
    with log.exports.resume(output) as export:
        export.save_progress(0.5)
        with pytest.raises(ProgressFell) as refused:
            export.save_progress(0.25)
    (record,) = lines(caplog, "refused")
    assert record.levelname == "INFO"  # the error itself is raised
    assert record.getMessage().endswith(str(refused.value))
    assert about([record]) == [(f"export {output}", 2)]


def test_a_recovery_has_one_line(
    log: ResumeLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "成片.mp4"
    make_units(log, output, until=4)
    assert lines(caplog, "recovered") == []
    make_units(log, output, until=4)
    assert about(lines(caplog, "recovered")) == [(f"export {output}", 6)]


def test_every_line_of_an_autopilot_says_so(
    log: ResumeLog, caplog: pytest.LogCaptureFixture
) -> None:
    pilot = log.autopilot(SmallHost())
    pilot.configure("sim-1", "auto")
    pilot.start("sim-1")
    pilot.wait("sim-1", PATIENCE_S)
    assert len(caplog.records) >= len(events_of(log, "sim-1")) > 0
    assert all("auto_pilot sim-1" in record.getMessage() for record in caplog.records)


def test_a_log_that_nobody_configured_writes_no_line(
    log: ResumeLog, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_units(log, tmp_path / "成片.mp4")
    assert capfd.readouterr() == ("", "")


def test_nothing_is_said_under_another_name(
    log: ResumeLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_units(log, tmp_path / "成片.mp4")
    assert {record.name for record in caplog.records} == {"resumelog"}
