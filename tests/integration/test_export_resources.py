"""What an export borrows is given back, whatever ends it, and its end is recorded in the right order."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.batch_tasks import BORROWED
from support.forks import Forks, forks
from support.logs import UNITS, events_of, leave_by

import resumelog
from resumelog import AlreadyRunning, Export, ReleaseFailed, ResumeLog
from resumelog.application.errors import OutputMissing
from resumelog.domain.export_job import ExportJob

FULL = "/dev/full"


def job_of(log: ResumeLog, key: object) -> ExportJob:
    return log.log.recover(ExportJob.named(str(key)))


def fail() -> None:
    raise OSError("磁盘")


# The order of record and release


def test_the_output_is_closed_before_it_is_looked_at(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        job.resources.open(output, "wb").write(b"frames")
    artifact = job_of(log, output).artifact
    assert artifact is not None
    assert artifact.size == len(b"frames")
    with log.exports.resume(output) as job:
        assert job.is_completed


def complete_and_fail_to_release(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        output.write_bytes(b"frames")
        job.resources.callback(output.unlink, only_on_failure=True)
        job.resources.callback(fail)


def test_a_release_that_fails_after_success_loses_no_export(log: ResumeLog, output: Path) -> None:
    with pytest.raises(ReleaseFailed, match="OSError: 磁盘"):
        complete_and_fail_to_release(log, output)
    assert job_of(log, output).status == "completed"
    with log.exports.resume(output) as job:
        assert job.is_completed


def write_to_a_full_disk(log: ResumeLog, output: Path, released: list[str]) -> None:
    with log.exports.resume(output) as job:
        job.resources.callback(released.append, "rollback", only_on_failure=True)
        job.resources.open(FULL, "w").write("帧")


def test_a_file_that_cant_be_closed_fails_the_export(log: ResumeLog, output: Path) -> None:
    released = list[str]()
    with pytest.raises(ReleaseFailed, match="No space left"):
        write_to_a_full_disk(log, output, released)
    job = job_of(log, output)
    assert (job.status, released) == ("failed", ["rollback"])
    assert "No space left" in job.error


def raise_with(log: ResumeLog, output: Path, callback: Callable[[], object]) -> None:
    with log.exports.resume(output) as job:
        job.resources.callback(callback)
        raise ZeroDivisionError


def test_a_failure_is_on_record_before_anything_is_released(log: ResumeLog, output: Path) -> None:
    seen = list[str]()
    with pytest.raises(ZeroDivisionError):
        raise_with(log, output, lambda: seen.append(job_of(log, output).status))
    assert seen == ["failed"]


def test_nobody_else_is_at_it_while_resources_are_released(
    log: ResumeLog, other: ResumeLog, output: Path
) -> None:
    def work_too() -> None:
        with pytest.raises(AlreadyRunning), other.exports.resume(output):
            pass

    with pytest.raises(ZeroDivisionError) as raised:
        raise_with(log, output, work_too)
    assert not hasattr(raised.value, "__notes__")


# Rollbacks


def leave_units(log: ResumeLog, output: Path, job: Export) -> None:
    del log, output
    next(job.remaining(UNITS))


def be_paused(log: ResumeLog, output: Path, job: Export) -> None:
    log.exports.pause(str(output))
    job.leave_if_paused()


def be_interrupted(log: ResumeLog, output: Path, job: Export) -> None:
    del log, output, job
    raise KeyboardInterrupt


def write_nothing(log: ResumeLog, output: Path, job: Export) -> None:
    del log, output, job


@pytest.mark.parametrize("end", [leave_units, be_paused, be_interrupted, write_nothing])
def test_what_is_not_finished_is_rolled_back(
    log: ResumeLog, other: ResumeLog, output: Path, end: Callable[..., None]
) -> None:
    released = list[str]()
    try:
        with log.exports.resume(output, needs_output=True) as job:
            job.resources.callback(released.append, "rollback", only_on_failure=True)
            end(other, output, job)
    except (resumelog.JobPaused, KeyboardInterrupt, OutputMissing):
        assert end is not leave_units
    assert released == ["rollback"]


def complete_and_raise(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        output.write_bytes(b"frames")
        job.resources.callback(output.unlink, only_on_failure=True)
        job.complete()
        raise ZeroDivisionError


def test_what_was_completed_is_not_rolled_back(log: ResumeLog, output: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        complete_and_raise(log, output)
    assert job_of(log, output).status == "completed"
    assert output.read_bytes() == b"frames"


def test_a_skipped_export_has_resources_too(log: ResumeLog, output: Path) -> None:
    for _ in range(2):
        with log.exports.resume(output) as job:
            folder = job.resources.temporary_directory()
            output.write_bytes(b"frames")
        assert not folder.exists()


@pytest.mark.parametrize("end", [None, ZeroDivisionError(), SystemExit(3)])
def test_leaving_it_twice_releases_once(
    log: ResumeLog, output: Path, end: BaseException | None
) -> None:
    released = list[str]()
    session = log.exports.resume(output)
    try:
        with session as job:
            job.resources.callback(released.append, "a")
            leave_by(end)
    except (ZeroDivisionError, SystemExit):
        assert end
    session.__exit__(None, None, None)
    assert released == ["a"]


# Real processes


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[ResumeLog]:
    """The children's log, from another current folder."""
    with resumelog.open(tmp_path / "jobs.db") as log:
        yield log


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    ("end", "number", "cause"),
    [
        ("wait", signal.SIGINT, "KeyboardInterrupt"),
        ("wait", signal.SIGTERM, "Terminated: SIGTERM"),
        ("wait", signal.SIGHUP, "Terminated: SIGHUP"),
        ("exit", None, "SystemExit: 3"),
        ("close", None, "GeneratorExit"),
    ],
)
def test_a_process_that_is_ended_gives_everything_back(
    elsewhere: ResumeLog,
    children: Forks,
    tmp_path: Path,
    end: str,
    number: signal.Signals | None,
    cause: str,
) -> None:
    fork = children.start("borrow", end, folder=tmp_path)
    fork.tells("ready")
    if number:
        os.kill(fork.pid, number)
    fork.wait()
    assert fork.told() == ["ready", "rollback", "b", "a"]
    assert left_in(tmp_path) == []
    assert (tmp_path / "noted.txt").read_text(encoding="utf-8") == "一半"
    (*_, event) = events_of(elsewhere, BORROWED)
    assert getattr(event, "cause", None) == cause
    assert job_of(elsewhere, BORROWED).progress == 0.5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_during_a_slow_release_leaves_none_behind(
    elsewhere: ResumeLog, children: Forks, tmp_path: Path, number: signal.Signals
) -> None:
    fork = children.start("borrow", "fail slowly", folder=tmp_path)
    fork.tells("releasing")
    os.kill(fork.pid, number)
    fork.wait()
    assert fork.told() == ["ready", "releasing", "rollback", "b", "a"]
    assert left_in(tmp_path) == []
    assert job_of(elsewhere, BORROWED).error == "ValueError: 编码器崩溃"


def test_what_a_kill_leaves_the_next_worker_removes(
    elsewhere: ResumeLog, children: Forks, tmp_path: Path
) -> None:
    fork = children.start("borrow", "wait", folder=tmp_path)
    fork.tells("ready")
    os.kill(fork.pid, signal.SIGKILL)
    fork.wait()
    (folder,) = left_in(tmp_path)
    assert (tmp_path / folder / "1.png").exists()
    with elsewhere.exports.resume(None, key=BORROWED):
        assert left_in(tmp_path) == []
