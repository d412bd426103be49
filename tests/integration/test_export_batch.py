"""Many exports at a time: each by itself, all in one report, and only what is left is done again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.batches import UNITS, Rendering, items, job_of, only, statuses
from support.logs import names_of

from resumelog import (
    AlreadyRunning,
    BadBatch,
    Export,
    ExportItem,
    ExportsReport,
    JobPaused,
    ReleaseFailed,
    ResumeLog,
    make_resumable,
)
from resumelog.application.errors import OutputMissing
from resumelog.domain.errors import InputsChanged
from resumelog.infrastructure.processes import this_worker

# All of them


def test_all_are_done_and_reported_in_their_order(log: ResumeLog, tmp_path: Path) -> None:
    report = log.exports.run_all(items("a", "b", "c"), Rendering())
    assert report.is_complete
    assert str(report) == "3 done"
    assert [(item.key, item.output, item.error) for item in report.done] == [
        (str(tmp_path / f"{name}.mp4"), tmp_path / f"{name}.mp4", "") for name in "abc"
    ]
    assert all(item.duration_s > 0 for item in report.items)
    assert (tmp_path / "c.mp4").read_bytes() == b"cccc"


def test_none_are_none(log: ResumeLog) -> None:
    assert log.exports.run_all([], Rendering()) == ExportsReport(())


def test_what_is_finished_and_intact_is_skipped_and_says_so(
    log: ResumeLog, other: ResumeLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.exports.run_all(items("a", "b", "c"), Rendering())
    (tmp_path / "b.mp4").write_bytes(b"altered")
    rendering = Rendering()
    with caplog.at_level(logging.INFO, "resumelog"):
        report = other.exports.run_all(items("a", "b", "c"), rendering)
    assert statuses(report) == ["skipped", "done", "skipped"]
    assert {version for version, _ in rendering.made} == {"b"}
    assert sum("is finished and intact: skipped" in line for line in caplog.messages) == 2


def test_a_job_has_the_key_and_the_input_that_its_item_names(log: ResumeLog) -> None:
    item = ExportItem("a", "a.mp4", key="归途/第一版", inputs={"cut": 1})
    assert only(log.exports.run_all([item], Rendering()).done).key == "归途/第一版"
    rendering = Rendering()
    again = item._replace(inputs={"cut": 2})
    assert log.exports.run_all([again], rendering, exporter="").done
    assert rendering.units("a") == [*range(UNITS)], "another input begins again"


def test_another_version_can_be_refused(log: ResumeLog) -> None:
    log.exports.run_all([("a", "reel.mp4"), ("b", "b.mp4")], Rendering())
    report = log.exports.run_all(
        [("c", "reel.mp4"), ("b", "b.mp4")], Rendering(), on_changed_inputs="refuse"
    )
    assert statuses(report) == ["failed", "skipped"]
    assert isinstance(only(report.failed).exception, InputsChanged)


# Some of them


def test_an_export_may_alter_its_version_and_is_retried_where_it_stopped(log: ResumeLog) -> None:
    made = list[int]()

    def alters(job: Export, version: dict[str, Any]) -> None:
        version["scenes"].append("credits")
        for unit in job.remaining(UNITS):
            if unit == 2 and made == [0, 1]:
                made.append(-1)
                raise ValueError("编码器崩溃")
            made.append(unit)
            job.save_progress(units_done=unit + 1)
        assert job.output_path
        job.output_path.write_text(str(version))

    version: dict[str, Any] = {"scenes": ["dawn"]}
    report = log.exports.run_all([(version, "a.mp4")], alters)
    assert log.exports.retry_failed(report, alters).is_complete
    assert (made, version) == ([0, 1, -1, 2, 3], {"scenes": ["dawn"]})
    assert log.exports.run_all([(version, "a.mp4")], alters).skipped


def test_a_version_that_is_no_data_is_handed_as_it_is(log: ResumeLog) -> None:
    version = iter("ab")  # its `inputs` say what the job is bound to
    handed = list[object]()

    def exports(job: Export, version: object) -> None:
        handed.append(version)
        assert job.output_path
        job.output_path.write_text("a")

    item = ExportItem(version, "a.mp4", inputs="ab")
    assert log.exports.run_all([item], exports).is_complete
    assert handed[0] is version


def test_a_failure_leaves_the_rest_going_and_is_retried_alone(log: ResumeLog) -> None:
    rendering = Rendering(b=ValueError("编码器崩溃"))
    report = log.exports.run_all(items("a", "b", "c"), rendering, workers=1)
    assert statuses(report) == ["done", "failed", "done"]
    assert only(report.failed).error == "ValueError: 编码器崩溃"
    rendering.made.clear()
    retried = log.exports.retry_failed(report, rendering)
    assert rendering.made == [("b", 2), ("b", 3)]
    assert statuses(retried) == ["done", "done", "done"]
    assert (retried.items[0], retried.cause) == (report.items[0], "")


@pytest.mark.parametrize(
    ("ends", "status", "error"),
    [
        (SystemExit(3), "interrupted", "SystemExit: 3"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (lambda job: job.output_path.mkdir(), "failed", "IsADirectoryError"),
        (lambda job: job.resources.callback(int, "帧"), "done", "invalid literal for int()"),
    ],
)
def test_each_end_is_told_and_the_rest_goes_on(
    log: ResumeLog, ends: Any, status: str, error: str
) -> None:
    report = log.exports.run_all(items("a", "b", "c"), Rendering(b=ends))
    assert statuses(report) == ["done", status, "done"]
    assert error in report.items[1].error


def test_a_release_that_fails_after_success_is_told_and_nothing_is_made_again(
    log: ResumeLog,
) -> None:
    ends = Rendering(a=lambda job: job.resources.callback(int, "帧"))
    report = log.exports.run_all(items("a"), ends)
    assert isinstance(only(report.done).exception, ReleaseFailed)
    assert statuses(log.exports.run_all(items("a"), Rendering())) == ["skipped"]


def test_an_export_without_an_output_has_failed(log: ResumeLog, tmp_path: Path) -> None:
    report = log.exports.run_all(items("a"), lambda job, _: [*job.remaining(0)])
    assert isinstance(only(report.failed).exception, OutputMissing)
    assert names_of(log, job_of(log, tmp_path / "a.mp4"))[-1] == "Failed"


def test_a_file_that_an_older_attempt_left_a_moment_ago_is_no_result(
    log: ResumeLog, tmp_path: Path
) -> None:
    def leaves_a_part(job: Export, _: object) -> None:
        assert job.output_path
        job.output_path.write_bytes(b"a part")
        raise ValueError("编码器")

    report = log.exports.run_all(items("a"), leaves_a_part)
    report = log.exports.retry_failed(report, lambda *_: None)
    assert isinstance(only(report.failed).exception, OutputMissing)
    assert log.exports.retry_failed(report, Rendering()).is_complete
    assert (tmp_path / "a.mp4").read_bytes() == b"aaaa"


@pytest.mark.parametrize("what", ["a folder", "nothing"])
def test_a_folder_where_a_file_belongs_is_named_as_one(log: ResumeLog, what: str) -> None:
    def makes(job: Export, _: object) -> None:
        assert job.output_path
        if what == "a folder":
            job.output_path.mkdir()

    error = only(log.exports.run_all(items("a"), makes).failed).error
    assert ("is a folder" in error) is (what == "a folder")


def test_an_export_that_leaves_units_is_not_done(log: ResumeLog, tmp_path: Path) -> None:
    report = log.exports.run_all(
        items("a"), lambda job, _: job.save_progress(units_done=1, units_total=4)
    )
    assert (statuses(report), report.items[0].error) == (["interrupted"], "left at 25%")
    assert names_of(log, job_of(log, tmp_path / "a.mp4"))[-1] == "Interrupted"


def test_no_more_are_begun_after_enough_failures(log: ResumeLog) -> None:
    fails = Rendering(**{name: ValueError(name) for name in "ac"})
    report = log.exports.run_all(items(*"abcde"), fails, workers=1, stop_after_failures=2)
    assert statuses(report) == ["failed", "done", "failed", "not begun", "not begun"]
    assert report.cause == "stopped after 2 failures"
    assert log.queries.count() == 3
    rendering = Rendering()
    assert log.exports.retry_failed(report, rendering, workers=2).is_complete
    assert {version for version, _ in rendering.made} == {*"acde"}


def test_one_that_is_at_work_elsewhere_is_left_there(
    log: ResumeLog, other: ResumeLog, tmp_path: Path
) -> None:
    with other.exports.resume("b.mp4", inputs="b") as job:
        report = log.exports.run_all(items("a", "b"), Rendering())
        assert statuses(report) == ["done", "busy"]
        assert isinstance(report.items[1].exception, AlreadyRunning)
        assert str(this_worker()) in report.items[1].error
        assert "Failed" not in names_of(log, job_of(log, tmp_path / "b.mp4"))
        Rendering()(job, "b")
    assert statuses(log.exports.retry_failed(report, Rendering())) == ["done", "skipped"]


def test_one_that_is_paused_waits_and_is_no_failure(log: ResumeLog, other: ResumeLog) -> None:
    paused = Rendering(b=lambda job: other.exports.pause(str(job.output_path), "午休", "小王"))
    report = log.exports.run_all(items("a", "b", "c"), paused)
    assert statuses(report) == ["done", "paused", "done"]
    assert isinstance(report.items[1].exception, JobPaused)
    assert log.exports.retry_failed(report, Rendering()) == report
    rendering = Rendering()
    assert log.exports.run_all(items("a", "b", "c"), rendering).is_complete
    assert rendering.made == [("b", 3)]


# Exporters


class Lines:
    """An exporter as there are, which knows nothing of jobs; it fails once at a line, if it is told to."""

    name = "字幕"

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at

    def export(self, version: Mapping[str, Any], output_path: str) -> str:
        done = round(version.get("_resume_info", {"progress": 0})["progress"] * 4)
        with Path(output_path).open("a") as file:
            for number, line in enumerate(version["lines"][done:], done + 1):
                if line == self.fails_at:
                    self.fails_at = ""
                    raise ValueError(line)
                file.write(f"{number} {line}\n")
                file.flush()
                version["_progress_callback"](number / 4)
        return output_path


def test_an_unchanged_exporter_exports_many_versions(log: ResumeLog, tmp_path: Path) -> None:
    exporter = make_resumable(Lines(fails_at="c2"), log=log, save_interval_s=0)
    versions = [({"lines": [f"{name}{at}" for at in range(4)]}, f"{name}.srt") for name in "abcd"]
    report = log.exports.run_all(versions, exporter.export_in, exporter=exporter.name, workers=2)
    assert statuses(report) == ["done", "done", "failed", "done"]
    report = log.exports.retry_failed(report, exporter.export_in)
    assert report.is_complete
    assert (tmp_path / "c.srt").read_text().splitlines() == ["1 c0", "2 c1", "3 c2", "4 c3"]
    version, output = versions[0]
    told = list[float]()
    exporter.export(version, tmp_path / output, progress_callback=told.append)
    assert told == [1.0], "the same job as by itself: skipped"


class Cuts(Lines):
    """One with a cut that is no part of the version, and that refuses some."""

    def __init__(self, cut: int = 1) -> None:
        super().__init__()
        self.cut, self.made = cut, list[str]()

    def inputs(self, version: Mapping[str, Any]) -> Mapping[str, Any]:
        del version
        return {"cut": self.cut}

    def check_export(self, version: Mapping[str, Any], output_path: str) -> None:
        del output_path
        if not version["lines"]:
            raise ValueError("no lines")

    def export(self, version: Mapping[str, Any], output_path: str) -> str:
        self.made.append(version["lines"][0])
        return super().export(version, output_path)


VERSIONS = [({"lines": [f"{name}{at}" for at in range(4)]}, f"{name}.srt") for name in "ab"]


@pytest.mark.parametrize("given", ["itself", "its method"])
@pytest.mark.parametrize("key", [None, lambda version, _: version["lines"][0]])
def test_an_exporter_and_a_batch_of_it_have_the_same_jobs(
    log: ResumeLog, tmp_path: Path, given: str, key: Any
) -> None:
    cuts = Cuts()
    exporter = make_resumable(cuts, log=log, key=key)
    export: Any = exporter if given == "itself" else exporter.export_in
    told = list[float]()
    versions = [({**version, "_progress_callback": told.append}, to) for version, to in VERSIONS]
    exporter.export(VERSIONS[0][0], tmp_path / "a.srt")
    report = log.exports.run_all(versions, export)
    assert (statuses(report), told) == (["skipped", "done"], [0.25, 0.5, 0.75, 1.0])
    assert report.items[0].item.version is versions[0][0]
    exporter.export(VERSIONS[1][0], tmp_path / "b.srt")
    assert cuts.made == ["a0", "b0"]
    cuts.cut = 2
    assert statuses(log.exports.run_all(VERSIONS, export)) == ["done", "done"], "a stale output"
    assert statuses(log.exports.run_all(VERSIONS, export)) == ["skipped", "skipped"]


def test_an_exporters_own_refusals_hold_in_a_batch(log: ResumeLog, tmp_path: Path) -> None:
    cuts = Cuts()
    exporter = make_resumable(cuts, log=log, on_changed_inputs="refuse")
    versions: list[Any] = [*VERSIONS, ({"lines": []}, "c.srt")]
    report = log.exports.run_all(versions, exporter)
    assert statuses(report) == ["done", "done", "failed"]
    assert report.items[2].error == "ValueError: no lines"
    assert log.queries.count() == 2, "nothing is recorded of what can't be exported"
    cuts.cut = 2
    report = log.exports.run_all(versions[:2], exporter)
    assert all(isinstance(item.exception, InputsChanged) for item in report.items)
    assert log.exports.retry_failed(report, exporter, on_changed_inputs="restart").failed
    assert (tmp_path / "a.srt").exists()


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (None, {}),
        (7, {}),
        ([ExportItem({}, None)], {}),  # type: ignore[arg-type] # as somebody may
        ([("a", 3)], {}),
        (["ab"], {}),
        ([("a", "a.mp4")], {"workers": "2"}),
        ([("a", "a.mp4")], {"workers": None}),
        ([("a", "a.mp4")], {"stop_after_failures": "2"}),
    ],
)
def test_what_is_no_batch_is_refused_before_anything_is_begun(
    log: ResumeLog, given: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(BadBatch):
        log.exports.run_all(given, Rendering(), **options)
    with pytest.raises(BadBatch, match="no report"):
        log.exports.retry_failed(given, Rendering())
    assert log.queries.count() == 0
