"""An exporter that appends finds what it wrote before, unless that belongs to something else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from support.logs import events_of

from resumelog import ResumeLog
from resumelog.application.errors import NoOutput, OutputMissing
from resumelog.domain.export_events import Completed, Restarted


def append(
    log: ResumeLog, output: Path, frames: bytes, error: BaseException | None, inputs: str = "a"
) -> bytes:
    """Append some bytes as an attempt, and return what was there before."""
    with (
        log.exports.resume(output, inputs=inputs) as job,
        job.output(keep_partial=True) as partial,
    ):
        before = partial.read_bytes() if partial.exists() else b""
        with partial.open("ab") as file:
            file.write(frames)
        job.save_progress(0.5, cursor=len(before + frames))
        if error:
            raise error
        job.save_progress(1.0)
    return before


def cut_off(log: ResumeLog, output: Path, frames: bytes, inputs: str = "a") -> None:
    with pytest.raises(KeyboardInterrupt):
        append(log, output, frames, KeyboardInterrupt(), inputs)


def names(output: Path) -> list[str]:
    return [path.name for path in output.parent.iterdir() if path.suffix == output.suffix]


def test_it_stays_over_an_interruption_and_is_moved_into_place_at_the_end(
    log: ResumeLog, output: Path
) -> None:
    cut_off(log, output, b"one ")
    assert not output.exists()
    assert append(log, output, b"two", None) == b"one "
    assert output.read_bytes() == b"one two"
    assert names(output) == [output.name]


def placed_and_cut_off(log: ResumeLog, output: Path, frames: bytes) -> None:
    """Let an interrupt come when the output stands in its place, and no event says so."""
    with suppress(KeyboardInterrupt), log.exports.resume(output) as job:
        with job.output(keep_partial=True) as partial:
            partial.write_bytes(frames)
            job.save_progress(0.5)
        raise KeyboardInterrupt


def test_an_interrupt_before_the_record_leaves_what_is_placed_to_go_on_with(
    log: ResumeLog, output: Path
) -> None:
    placed_and_cut_off(log, output, b"one ")
    assert output.read_bytes() == b"one "
    with log.exports.resume(output) as job, job.output(keep_partial=True) as partial:
        with partial.open("ab") as file:
            file.write(b"two")
        job.save_progress(1.0)
        assert output.read_bytes() == b"one "
    assert output.read_bytes() == b"one two"
    assert names(output) == [output.name]


def test_what_a_kill_after_the_record_left_is_removed_at_the_next_skip(
    log: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as job, job.output(keep_partial=True) as partial:
        partial.write_bytes(b"one")
    partial.write_bytes(b"as if killed before it was removed")
    with log.exports.resume(output) as job:
        assert job.is_completed
    assert names(output) == [output.name]


@pytest.mark.parametrize("pattern", ["*partial*.mp4", "*partial*"])
def test_what_is_gone_is_made_again(log: ResumeLog, output: Path, pattern: str) -> None:
    output = output.with_suffix(".mp4")
    cut_off(log, output, b"one ")
    for path in output.parent.glob(f".{pattern}"):
        path.unlink()
    with log.exports.resume(output, inputs="a") as job, job.output(keep_partial=True) as partial:
        assert (job.progress, job.cursor) == (0.0, None)
        partial.write_bytes(b"all")
    reasons = [e.reason for e in events_of(log, str(output)) if isinstance(e, Restarted)]
    assert reasons == ["what it had written is gone"]
    assert names(output) == [output.name]


def test_an_exporter_that_writes_only_at_its_end_goes_on(log: ResumeLog, output: Path) -> None:
    with (
        suppress(KeyboardInterrupt),
        log.exports.resume(output) as job,
        job.output(keep_partial=True),
    ):
        job.save_progress(0.5)
        raise KeyboardInterrupt
    with log.exports.resume(output) as job, job.output(keep_partial=True) as partial:
        assert job.progress == 0.5
        partial.write_bytes(b"all")
        job.save_progress(1.0)
    assert [*output.parent.glob(".*partial*")] == []


def test_another_input_begins_with_an_empty_one(log: ResumeLog, output: Path) -> None:
    cut_off(log, output, b"one ")
    assert append(log, output, b"two", None, inputs="b") == b""
    assert output.read_bytes() == b"two"


def test_a_restarted_job_begins_with_an_empty_one(log: ResumeLog, output: Path) -> None:
    cut_off(log, output, b"one ")
    log.exports.restart(str(output), "again")
    assert append(log, output, b"two", None) == b""


def test_each_job_has_its_own(log: ResumeLog, output: Path) -> None:
    cut_off(log, output, b"one ")
    other = output.with_name(f"2-{output.name}")
    assert append(log, other, b"two", None) == b""
    assert append(log, output, b"three", None) == b"one "


def test_a_job_without_an_output_has_none_to_write(log: ResumeLog) -> None:
    with log.exports.resume(None, key="成片") as job:
        with pytest.raises(NoOutput), job.output():
            pass
        with pytest.raises(OutputMissing):
            job.complete("nowhere.mp4")
    (*_, last) = events_of(log, "成片")
    assert isinstance(last, Completed)
    assert last.artifact is None


def test_that_of_another_output_is_removed(log: ResumeLog, output: Path) -> None:
    with (
        suppress(KeyboardInterrupt),
        log.exports.resume(output, key="成片") as job,
        job.output(keep_partial=True) as partial,
    ):
        partial.write_bytes(b"one")
        job.save_progress(0.5)
        raise KeyboardInterrupt
    assert partial.exists()
    with log.exports.resume(output.with_name("other.mp4"), key="成片") as job:
        assert job.progress == 0.0
    assert [*output.parent.glob(".*partial*")] == []


def test_a_block_that_wrote_nothing_says_so(log: ResumeLog, output: Path) -> None:
    with (
        pytest.raises(OutputMissing, match=str(output)),
        log.exports.resume(output) as job,
        job.output(),
    ):
        pass


def test_the_file_that_was_placed_is_the_one_that_is_recorded(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        with job.output() as partial:
            partial.write_bytes(b"frames")
        output.write_bytes(b"altered by somebody")
    (*_, last) = events_of(log, str(output))
    assert isinstance(last, Completed)
    assert last.artifact is not None
    assert last.artifact.size == len(b"altered by somebody")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("keep_partial", [False, True])
def test_who_goes_on_is_warned_that_its_file_is_empty_again(
    log: ResumeLog, output: Path, caplog: pytest.LogCaptureFixture, keep_partial: bool
) -> None:
    for units_done in (2, 4):
        with log.exports.resume(output) as job, job.output(keep_partial=keep_partial) as partial:
            partial.write_bytes(b"frames")
            job.save_progress(units_done=units_done, units_total=8)
        caplog.clear()
    with log.exports.resume(output) as job, job.output(keep_partial=keep_partial) as partial:
        partial.write_bytes(b"frames")
        told = f"{job.title}: goes on at 50.0%, and the path that `output()` gives is empty again: "
        assert all(line.startswith(told) for line in warned(caplog))
        assert len(warned(caplog)) == (0 if keep_partial else 1)


def test_who_joins_pieces_at_the_end_is_not_warned(
    log: ResumeLog, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for until in (2, 4):
        with log.exports.resume(output) as job:
            for unit in range(until - 2, until):
                job.save_progress(units_done=unit + 1, units_total=4)
            if until == 4:
                with job.output() as partial:
                    partial.write_bytes(b"frames")
    assert warned(caplog) == []
