"""Bare fractions: one an interval is written, and none of the last ones is lost."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path, PosixPath
from threading import Event, RLock, current_thread, main_thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clocks import StillClock
from support.logs import events_of

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import StoreUnavailable
from resumelog.application.export_jobs import ExportJobs
from resumelog.application.running import Saved
from resumelog.application.throttle import Throttle
from resumelog.domain.errors import ProgressFell, ProgressOutOfRange
from resumelog.domain.export_events import Failed, Interrupted, ProgressSaved
from resumelog.domain.export_job import Report
from resumelog.infrastructure.artifacts import FileArtifacts
from resumelog.infrastructure.bootstrap import open_log
from resumelog.infrastructure.signals import termination

INTERVAL_S = 5.0


def saved(log: ResumeLog, key: str = "成片") -> list[float]:
    return [e.progress for e in events_of(log, key) if isinstance(e, ProgressSaved)]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def log(clock: StillClock) -> ResumeLog:
    return open_log("memory:", clock=clock)


def session(log: ResumeLog, **options: Any) -> resumelog.ExportSession:
    return log.exports.resume(None, key="成片", **options)


def test_of_the_fractions_within_an_interval_the_first_is_written_and_the_last_at_the_end(
    log: ResumeLog, clock: StillClock
) -> None:
    with session(log) as job:
        told = []
        for fraction in (0.1, 0.2, 0.3):
            told.append(job.save_progress(fraction))
            clock.seconds += 1
        assert [one.on_disk for one in told] == [True, False, False]
        assert [one.throttled for one in told] == [False, True, True]
        assert (job.progress, job.saved_progress) == (0.3, 0.1)
        clock.seconds += INTERVAL_S
        assert job.save_progress(0.4).on_disk
        job.save_progress(0.5)
    assert saved(log) == [0.1, 0.4, 0.5]


def test_counts_cursors_and_the_end_are_never_throttled(log: ResumeLog) -> None:
    with session(log) as job:
        assert job.save_progress(0.1).on_disk
        assert job.save_progress(0.2, cursor={"帧": 7}).on_disk
        assert job.save_progress(1.0).on_disk
    with log.exports.resume(None, key="另一") as job:
        assert all(job.save_progress(units_done=n, units_total=9).on_disk for n in range(9))


def test_what_is_kept_is_not_written_before_what_has_it_in_it(log: ResumeLog) -> None:
    with session(log, save_interval_s=3600) as job:
        for unit in range(1, 9):
            job.save_progress(unit / 10)
            job.save_progress(unit / 10 + 0.05, cursor=unit)
        job.save_progress(0.9)
    assert saved(log) == [0.1, *(unit / 10 + 0.05 for unit in range(1, 9)), 0.9]


def test_a_cursor_below_what_is_kept_is_refused(log: ResumeLog) -> None:
    with session(log) as job:
        job.save_progress(0.1)
        job.save_progress(0.3)
        with pytest.raises(ProgressFell) as fell:
            job.save_progress(0.2, cursor="帧")
        with pytest.raises(ProgressFell):
            job.save_progress(units_done=1, units_total=4)
        assert (fell.value.before, fell.value.after) == (0.3, 0.2)
        assert (job.progress, job.cursor) == (0.3, None)
    assert saved(log) == [0.1, 0.3]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError(), GeneratorExit()], ids=repr)
def test_an_error_writes_what_is_kept(log: ResumeLog, error: BaseException) -> None:
    def broken_off() -> None:
        with session(log) as job:
            job.save_progress(0.1)
            job.save_progress(0.2)
            raise error

    with pytest.raises(type(error)):
        broken_off()
    last = events_of(log, "成片")[-1]
    assert saved(log) == [0.1, 0.2]
    assert not isinstance(last, Interrupted) or last.progress == 0.2


@pytest.mark.parametrize("last", [0.6, 1.0])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), StoreUnavailable(store="s", why="full", advice="")], ids=repr
)
def test_a_write_that_breaks_off_loses_neither_its_report_nor_what_was_kept(
    log: ResumeLog,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    last: float,
) -> None:
    def breaks_off(*_: Any, **__: Any) -> None:
        monkeypatch.undo()
        raise error

    def reported() -> None:
        with session(log) as job:
            job.save_progress(0.1)
            job.save_progress(0.5)
            clock.seconds += INTERVAL_S
            monkeypatch.setattr(log.log.recorder, "insert_events", breaks_off)
            try:
                job.save_progress(last)
            finally:
                assert (job.progress, job.saved_progress) == (last, 0.1)

    with pytest.raises(type(error)):
        reported()
    assert saved(log) == [0.1, last]
    assert isinstance(events_of(log, "成片")[-1], Failed | Interrupted)


def test_what_is_kept_counts_as_progress(log: ResumeLog) -> None:
    with session(log) as job:
        job.save_progress(0.1)
        job.save_progress(0.3)
        with pytest.raises(ProgressFell) as fell:
            job.save_progress(0.2)
        assert (fell.value.before, fell.value.after) == (0.3, 0.2)
        with pytest.raises(ProgressOutOfRange):
            job.save_progress(float("nan"))
        assert job.progress == 0.3


def test_what_is_kept_is_written_once_its_time_comes_though_nobody_reports_again(
    tmp_path: Path,
) -> None:
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        resumelog.open(tmp_path / "jobs.db") as other,
        session(log, save_interval_s=0.05) as job,
    ):
        job.save_progress(0.1)
        assert job.save_progress(0.2).throttled
        deadline = time.monotonic() + 60
        while saved(other) != [0.1, 0.2]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert job.saved_progress == 0.2


def until_saved(job: resumelog.ExportSession, progress: float) -> None:
    """Return once a timer has written this."""
    deadline = time.monotonic() + 60
    while job.saved_progress != progress:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_shorter_interval_counts_at_once(log: ResumeLog, clock: StillClock) -> None:
    with session(log, save_interval_s=3600) as job:
        job.save_progress(0.1)
        clock.seconds += 1
        assert job.save_progress(0.2).throttled
        job.save_interval_s = 1
        until_saved(job, 0.2)  # its time has come at once
        clock.seconds += 1
        assert job.save_progress(0.3).on_disk
        job.save_interval_s = 3600
        clock.seconds += 1
        assert job.save_progress(0.4).throttled


def test_what_waits_is_written_after_the_shorter_interval(tmp_path: Path) -> None:
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        session(log, save_interval_s=float("inf")) as job,
    ):
        assert job.save_progress(0.1).on_disk
        job.save_progress(0.2)
        job.save_interval_s = 0.05
        until_saved(job, 0.2)


def test_the_wall_clock_may_step_either_way(log: ResumeLog, clock: StillClock) -> None:
    with session(log) as job:
        job.save_progress(0.1)
        for step in (-(10**6), 10**6):
            clock.skew = step
            assert job.save_progress(job.progress + 0.1).throttled
        clock.seconds += INTERVAL_S
        assert job.save_progress(0.9).on_disk


FRACTIONS = st.sampled_from([0.0, 0.1, 0.25, 1.0])
"""Of what is left."""
REPORTS = st.lists(
    st.tuples(FRACTIONS, st.sampled_from([0.0, 1.0, INTERVAL_S]), st.booleans(), st.booleans()),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(REPORTS)
def test_at_most_one_fraction_an_interval_is_written_and_the_last_is_never_lost(
    reports: list[tuple[float, float, bool, bool]],
) -> None:
    clock, written, newest = StillClock(), list[tuple[float, float]](), 0.0
    log = open_log("memory:", clock=clock)
    attempt = session(log)
    job = attempt.__enter__()
    for number, (fraction, passes_s, has_cursor, interrupts) in enumerate(reports):
        clock.seconds += passes_s
        newest, before = newest + (1 - newest) * fraction, saved(log)
        if has_cursor:
            assert job.save_progress(newest, cursor=number).on_disk
            assert saved(log) == [*before, newest], "what is kept is in it"
        elif job.save_progress(newest).events and newest < 1:
            written.append((clock.seconds, newest))
        assert len(saved(log)) <= len(before) + 1
        assert job.progress == newest
        if interrupts:
            error = KeyboardInterrupt()
            attempt.__exit__(type(error), error, None)
            attempt = session(log)
            job = attempt.__enter__()
            assert job.progress == newest, "an interruption loses no report"
            written.clear()
        times = [at for at, _ in written]
        assert all(b - a >= INTERVAL_S for a, b in itertools.pairwise(times))
    attempt.__exit__(None, None, None)
    assert [0.0, *saved(log)][-1] == newest
    assert saved(log) == sorted(saved(log)), "progress never falls"


class SlowPath(PosixPath):
    """A timer's look at the file that is appended to takes until the block that appends was left."""

    begun, left = Event(), Event()

    def is_file(self) -> bool:
        if current_thread() is not main_thread():
            self.begun.set()
            self.left.wait(0.5)
        return super().is_file()


class SlowFiles(FileArtifacts):
    """Temporary paths that a timer is slow to look at."""

    def partial(self, final: Path, mark: str = "") -> Path:
        return SlowPath(super().partial(final, mark))


def appending(log: ResumeLog, files: FileArtifacts) -> ExportJobs:
    return ExportJobs(log.log, log.leases, log.clock, files, termination())


def test_a_block_is_left_once_the_timer_that_saves_has_let_go_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = list[object]()
    monkeypatch.setattr(threading, "excepthook", failed.append)
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        appending(log, SlowFiles(tmp_path)).resume("成片.mp4", save_interval_s=0.5) as job,
    ):
        job.save_progress(0.1)
        with job.beside_output(keep_partial=True) as partial:
            partial.write_bytes(b"frames")
            assert job.save_progress(0.2).throttled
            assert SlowPath.begun.wait(60)
        SlowPath.left.set()
        time.sleep(0.1)  # for the timer to fail
        assert (failed, job.saved_progress) == ([], 0.2)


class Broken(FileArtifacts):
    """A disk that can't sync while the main thread isn't looking."""

    def sync(self, path: Path) -> None:
        if current_thread() is not main_thread():
            raise OSError(5, "Input/output error", str(path))
        super().sync(path)


def test_a_disk_that_fails_under_the_timer_is_told_and_the_report_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        appending(log, Broken(tmp_path)).resume("成片.mp4", save_interval_s=0.5) as job,
        job.output(keep_partial=True) as partial,
    ):
        job.save_progress(0.1)
        partial.write_bytes(b"frames")
        job.save_progress(0.2)
        deadline = time.monotonic() + 60
        while not any("Input/output error" in line for line in caplog.messages):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert job.saved_progress == 0.1
        job.save_progress(1.0)


def test_a_save_while_a_job_appends_makes_the_file_durable_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[str]()

    class Tells(FileArtifacts):
        def sync(self, path: Path) -> None:
            told.append(path.read_text())
            super().sync(path)

    with (
        resumelog.open(tmp_path / "jobs.db") as log,
        appending(log, Tells(tmp_path)).resume("成片.mp4") as job,
        job.output(keep_partial=True) as partial,
    ):
        recorder, insert = log.log.recorder, log.log.recorder.insert_events

        def inserted(*events: Any, **more: Any) -> Any:
            told.append("saved")
            return insert(*events, **more)

        monkeypatch.setattr(recorder, "insert_events", inserted)
        for unit in range(2):
            with partial.open("a") as file:
                file.write(str(unit))
            job.save_progress(units_done=unit + 1, units_total=2)
    assert told[:4] == ["0", "saved", "01", "saved"]


def test_a_timer_that_was_cancelled_while_it_waited_for_the_lock_writes_nothing() -> None:
    written, lock = list[Report](), RLock()

    def write(report: Report) -> Saved:
        written.append(report)
        return Saved((), 0)

    throttle = Throttle(0.05, time.monotonic, write, lock)
    with lock:
        throttle.keeps(Report(0.1))
        throttle.flush()
        throttle.keeps(Report(0.2))
        late = throttle._timer
        assert late
        time.sleep(0.2)  # it is at the lock by now
        throttle.drop()
        throttle.interval_s = 3600.0
        assert throttle.keeps(Report(0.3))
    late.join(60)
    assert (written, throttle.kept) == ([Report(0.1)], Report(0.3))
    throttle.drop()
