"""How a batch of exports is bounded, told, stopped, and what it refuses."""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.batches import Rendering, items, job_of, statuses

from resumelog import (
    Export,
    ExportItem,
    ExportsReport,
    ItemReport,
    ItemStatus,
    ResumeLog,
    ResumelogError,
    StopFlag,
)
from resumelog.application.errors import BadBatch, DuplicateExport
from resumelog.domain.errors import BadKey, NotJson

# How many at a time


class Crowd:
    """Counts how many are at work at once, and waits until so many are."""

    def __init__(self, size: int) -> None:
        self.most = self.now = 0
        self.barrier, self.lock = threading.Barrier(size), threading.Lock()
        self.threads = set[str]()

    def __call__(self, job: Export, version: object) -> None:
        del version
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.threads.add(threading.current_thread().name)
        self.barrier.wait(20)
        with self.lock:
            self.now -= 1
        assert job.output_path
        job.output_path.write_bytes(b"frames")


def test_so_many_are_at_work_at_once_and_no_more(log: ResumeLog) -> None:
    crowd = Crowd(3)
    assert log.exports.run_all(items(*"abcdef"), crowd, workers=3).is_complete
    assert crowd.most == 3


def test_the_callers_own_threads_do_it(log: ResumeLog) -> None:
    crowd = Crowd(2)
    with ThreadPoolExecutor(2, thread_name_prefix="渲染") as executor:
        report = log.exports.run_all(items(*"abcd"), crowd, workers=4, executor=executor)
        assert executor.submit(int).result() == 0, "it can be used further"
    assert report.is_complete
    assert all(name.startswith("渲染") for name in crowd.threads)


# Being told


def test_each_is_told_as_it_ends_in_the_thread_that_asked(log: ResumeLog) -> None:
    told = list[tuple[str, str, threading.Thread]]()
    report = log.exports.run_all(
        items("a", "b", "c"),
        Rendering(b=ValueError()),
        on_item=lambda item: told.append((item.key, str(item.status), threading.current_thread())),
    )
    assert sorted((key, status) for key, status, _ in told) == [
        (item.key, str(item.status)) for item in report.items
    ]
    assert {thread for *_, thread in told} == {threading.current_thread()}


def test_an_error_of_whom_it_is_told_ends_the_batch_and_goes_on(log: ResumeLog) -> None:
    def fail(report: ItemReport) -> None:
        raise ZeroDivisionError(report.key)

    with pytest.raises(ZeroDivisionError) as raised:
        log.exports.run_all(items("a", "b", "c"), Rendering(), workers=1, on_item=fail)
    assert any("exports: 1 done, 2 not begun" in note for note in raised.value.__notes__)


# Stopping


def test_a_stop_lets_each_save_its_unit_and_leave(log: ResumeLog, tmp_path: Path) -> None:
    stop, rendering = StopFlag(), Rendering()

    def cancel(job: Export) -> None:
        del job
        stop.set("小王 cancelled it")

    rendering.fails["b"] = cancel
    report = log.exports.run_all(items("a", "b", "c"), rendering, workers=1, stop=stop)
    assert statuses(report) == ["done", "interrupted", "not begun"]
    assert report.cause == "小王 cancelled it"
    assert rendering.units("b") == [0, 1]
    job = job_of(log, tmp_path / "b.mp4")
    assert (job.status, job.report.units_done) == ("interrupted", 3), "the unit in work is saved"
    assert (
        getattr([*log.queries.history(job)][-1], "cause", "") == "BatchStopped: 小王 cancelled it"
    )
    assert log.exports.run_all(items("a", "b", "c"), rendering).is_complete
    assert rendering.units("b") == [0, 1, 3]


def test_an_exporter_that_only_reports_fractions_is_stopped_too(
    log: ResumeLog, tmp_path: Path
) -> None:
    stop = StopFlag()

    def report(job: Export, version: object) -> None:
        del version
        for percent in range(1, 101):
            if percent == 50:
                stop.set()
            job.save_progress(percent / 100)

    ended = log.exports.run_all(items("a"), report, stop=stop)
    assert statuses(ended) == ["interrupted"]
    assert job_of(log, tmp_path / "a.mp4").progress == 0.5, "the last report is saved"


def test_a_stop_at_the_last_unit_lets_it_finish(log: ResumeLog) -> None:
    stop = StopFlag()

    def render(job: Export, version: object) -> None:
        del version
        stop.set()
        job.save_progress(units_done=4, units_total=4)
        assert job.output_path
        job.output_path.write_bytes(b"frames")

    assert log.exports.run_all(items("a"), render, stop=stop).is_complete


# Bad input


BAD: dict[str, tuple[Any, dict[str, Any], type[ResumelogError], str]] = {
    "a key twice": (
        [ExportItem(1, "a.mp4", key="\u00e9"), ExportItem(2, "b.mp4", key="e\u0301")],
        {},
        DuplicateExport,
        "exports 0 and 1 both have the key",
    ),
    "an output twice": (
        [(1, "a.mp4"), (2, "b.mp4"), ExportItem(3, "x/../a.mp4", key="c")],
        {},
        DuplicateExport,
        "exports 0 and 2 both have the output",
    ),
    "a bad key": ([(1, "a.mp4"), ExportItem(1, "b.mp4", key="\n")], {}, BadKey, "control"),
    "no JSON": ([(1, "a.mp4"), (object(), "b.mp4")], {}, NotJson, "the version"),
    "no item": ([(1, "a.mp4"), "b.mp4"], {}, BadBatch, "'b.mp4' is neither"),
    "no output": ([(1, 2)], {}, BadBatch, "is neither"),
    "no workers": (items("a"), {"workers": 0}, BadBatch, "0 workers"),
    "no failures": (items("a"), {"stop_after_failures": 0}, BadBatch, "stop_after_failures is 0"),
}


@pytest.mark.parametrize(("given", "options", "error", "text"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_before_anything_is_begun(
    log: ResumeLog, given: Any, options: Any, error: type[ResumelogError], text: str
) -> None:
    rendering = Rendering()
    with pytest.raises(error, match=text):
        log.exports.run_all(given, rendering, **options)
    assert (rendering.made, log.queries.jobs()) == ([], [])


def test_what_is_no_function_is_refused(log: ResumeLog) -> None:
    with pytest.raises(BadBatch, match="is no function"):
        log.exports.run_all(items("a"), "render")  # type: ignore[arg-type] # that is the point


def test_processes_are_refused(log: ResumeLog) -> None:
    with ProcessPoolExecutor(1) as executor, pytest.raises(BadBatch, match="give threads"):
        log.exports.run_all(items("a"), Rendering(), executor=executor)


def test_two_ways_to_one_file_are_refused(log: ResumeLog, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(DuplicateExport):
        log.exports.run_all([(1, "a.mp4"), (2, "link/a.mp4")], Rendering())


def test_every_status_is_counted_once() -> None:
    reports = tuple(
        ItemReport(ExportItem(1, str(status)), str(status), Path(str(status)), status)
        for status in ItemStatus
    )
    report = ExportsReport(reports)
    assert str(report) == ", ".join(f"1 {status}" for status in ItemStatus)
    assert {str(item.status) for item in report.to_retry} == {
        "failed",
        "interrupted",
        "busy",
        "not begun",
    }
