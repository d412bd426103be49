"""Work that the old system began is finished by the ways that a program has: nothing lost or repeated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.exporters import Kind, LineExporter, Stopped
from support.legacy import samples, written
from support.logs import names_of

import resumelog
from resumelog import BadStateFile, ExportResumer, ResumeLog, resumable_export_context
from resumelog.application.progress_scale import Scale
from resumelog.domain.export_job import ExportJob

VERSION = {"title": "归途"}
EVERY_UNIT = [*range(10)]
IMPORT = ["Imported", "Started", "ProgressSaved", "Interrupted"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the old system left in the current folder, at 60 %."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".export_state"
    path.write_bytes(written(0.6))
    return path


# make_resumable


def half_done(output: Path, units: int = 6) -> bytes:
    """Write what the old system had written so far."""
    output.write_text("".join(f"{unit} 归途\n" for unit in range(units)))
    return output.read_bytes()


def lines(output: Path) -> list[int]:
    return [int(line.split()[0]) for line in output.read_text().splitlines()]


@pytest.mark.parametrize("in_place", [False, True], ids=["beside", "in place"])
@pytest.mark.parametrize("stop_after", [None, 0, 1, 3])
@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_an_exporter_goes_on_in_what_the_old_system_wrote(
    log: ResumeLog, file: Path, output: Path, scale: Scale, stop_after: int | None, in_place: bool
) -> None:
    before = half_done(output)
    log.import_export_state(file, key=str(output))
    exporter = LineExporter(scale)
    resumable = resumelog.make_resumable(
        exporter, log=log, progress_scale=scale, in_place=in_place, save_interval_s=0
    )
    exporter.stop_after = stop_after
    if stop_after is not None:
        with pytest.raises(Stopped):
            resumable.export(VERSION, str(output))
        assert in_place or output.read_bytes() == before
        exporter.stop_after = None
    resumable.export(VERSION, str(output))
    assert exporter.made == [6, 7, 8, 9]
    assert lines(output) == EVERY_UNIT
    assert "Restarted" not in names_of(log, str(output))
    assert [path.name for path in output.parent.iterdir() if path.suffix == ".mp4"] == [output.name]


@pytest.mark.parametrize("kind", ["from the start", "silent"])
def test_an_exporter_that_begins_anew_makes_all(
    log: ResumeLog, file: Path, output: Path, kind: Kind
) -> None:
    half_done(output)
    log.import_export_state(file, key=str(output))
    resumelog.make_resumable(LineExporter(kind), log=log).export(VERSION, str(output))
    assert lines(output) == EVERY_UNIT


def test_what_was_at_1_is_completed_with_the_file_that_is_there(
    log: ResumeLog, file: Path, output: Path
) -> None:
    file.write_bytes(written(1.0))
    before, exporter = half_done(output, 10), LineExporter()
    log.import_export_state(file, key=str(output))
    resumelog.make_resumable(exporter, log=log).export(VERSION, str(output))
    assert (exporter.made, output.read_bytes()) == ([], before)


def test_what_was_at_1_without_a_file_is_made_anew(
    log: ResumeLog, file: Path, output: Path
) -> None:
    file.write_bytes(written(1.0))
    log.import_export_state(file, key=str(output))
    resumelog.make_resumable(LineExporter(), log=log).export(VERSION, str(output))
    assert lines(output) == EVERY_UNIT


def test_what_is_appended_to_begins_as_a_copy_that_is_whole(
    log: ResumeLog, file: Path, output: Path
) -> None:
    before = half_done(output)
    log.import_export_state(file, key=str(output))
    with log.exports.resume(output) as job, job.output(keep_partial=True) as partial:
        assert partial.read_bytes() == before
        assert not partial.samefile(output)


# The old context


def progress_at(**options: object) -> float:
    with context(**options) as resumer:
        return resumer.progress


@contextmanager
def context(**options: object) -> Iterator[ExportResumer]:
    """Enter the old context, and leave it by Ctrl+C."""
    with suppress(KeyboardInterrupt), resumable_export_context(**options) as resumer:  # type: ignore[arg-type]  # as each test names them
        yield resumer
        raise KeyboardInterrupt


def test_the_old_context_imports_the_file_in_the_current_folder(file: Path) -> None:
    assert progress_at() == 0.6
    with resumelog.open() as log:
        assert names_of(log, str(file))[: len(IMPORT)] == IMPORT


@pytest.mark.parametrize("key", [None, "reel"])
def test_the_old_context_imports_the_file_that_it_is_given(file: Path, key: str | None) -> None:
    other = shutil.copyfile(samples()["p025"].path, file.with_name("other"))
    assert progress_at(key=key, state_file=other) == 0.25
    assert progress_at(key=key, state_file="other") == 0.25


def test_the_file_of_the_folder_is_not_taken_for_a_key(file: Path) -> None:
    assert file.exists()
    assert progress_at(key="reel") == 0.0


def test_a_file_is_taken_once(file: Path) -> None:
    with context() as resumer:
        resumer.save_state(0.9)
    assert progress_at() == 0.9
    file.write_bytes(written(0.1))
    assert progress_at() == 0.9
    with context() as resumer:
        resumer.clear_state()
    assert progress_at() == 0.0


def test_a_file_is_not_taken_again_after_the_end(file: Path) -> None:
    with resumable_export_context() as resumer:
        resumer.save_state(1.0)
    assert progress_at() == 0.0
    assert file.exists()


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_both_ends_are_imported(file: Path, progress: float) -> None:
    file.write_bytes(written(progress))
    assert progress_at() == progress


def test_a_file_that_is_damaged_is_told_before_anything_begins(log: ResumeLog, file: Path) -> None:
    file.write_bytes(written()[:70])
    with pytest.raises(BadStateFile, match="move it away and begin at 0"), context(log=log):
        pass
    assert log.queries.jobs() == []
    file.unlink()
    assert progress_at(log=log) == 0.0
    file.write_bytes(b"")  # the log knows more by now
    assert progress_at(log=log) == 0.0


def test_an_import_belongs_to_nobody_until_it_is_begun(log: ResumeLog, file: Path) -> None:
    log.import_export_state(file)
    job = log.log.recover(ExportJob.named(str(file)))
    assert (job.status, log.leases.holder(job.id)) == ("interrupted", None)
