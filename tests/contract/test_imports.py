"""An old progress file begins a job in every store, and a worker goes on from there."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.legacy import Sample, samples, written
from support.logs import UNITS, events_of, make_units, names_of

from resumelog import BadStateFile, ResumeLog
from resumelog.domain.errors import AlreadyRecorded, BadKey
from resumelog.domain.events import Imported
from resumelog.domain.export_events import Interrupted, Started
from resumelog.domain.export_job import ExportJob

KEY = "成片"
IMPORT = ["Imported", "Started", "ProgressSaved", "Interrupted"]
VALID = [sample for sample in samples().values() if sample.progress is not None]
BAD = [sample for sample in samples().values() if sample.progress is None]


def job_of(log: ResumeLog, key: str = KEY) -> ExportJob:
    return log.log.recover(ExportJob.named(key))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A progress file at 64 %."""
    return shutil.copyfile(samples()["p064"].path, tmp_path / ".export_state")


@pytest.mark.parametrize("sample", VALID, ids=lambda sample: sample.path.stem)
def test_an_import_is_in_the_log_with_where_it_came_from(
    log: ResumeLog, other: ResumeLog, sample: Sample
) -> None:
    assert len(log.import_export_state(sample.path, key=KEY)) == len(IMPORT)
    assert names_of(other, KEY) == IMPORT
    imported, started, _, interrupted = events_of(other, KEY)
    assert isinstance(imported, Imported)
    assert (imported.source, imported.sha256) == (str(sample.path), sample.sha256)
    assert imported.recorded["progress"] == sample.progress
    assert f"{imported.recorded_at:%F %T%z}" == "2026-11-22 00:05:09+0000"
    assert isinstance(started, Started)
    assert started.worker == log.leases.worker
    assert isinstance(interrupted, Interrupted)
    assert str(sample.path) in interrupted.cause
    assert (job_of(other).status, job_of(other).progress) == ("interrupted", sample.progress)


def test_an_import_is_listed_as_a_job_that_nobody_works_on(log: ResumeLog, file: Path) -> None:
    log.import_export_state(file, key=KEY)
    (view,) = log.queries.jobs()
    assert (view.name, view.status, view.progress) == (KEY, "interrupted", 0.64)
    assert log.leases.holder(view.id) is None


def test_the_key_is_by_default_the_path_of_the_file(log: ResumeLog, file: Path) -> None:
    log.import_export_state(file)
    assert job_of(log, str(file)).progress == 0.64


def test_the_same_file_is_imported_once(log: ResumeLog, other: ResumeLog, file: Path) -> None:
    log.import_export_state(file, key=KEY)
    assert log.import_export_state(file, key=KEY) == ()
    assert other.import_export_state(file, key=KEY) == ()
    assert names_of(log, KEY) == IMPORT


def test_the_same_file_imported_by_many_at_once_is_there_once(
    log: ResumeLog, other: ResumeLog, file: Path
) -> None:
    def import_by(one: ResumeLog) -> int:
        return len(one.import_export_state(file, key=KEY))

    with ThreadPoolExecutor(8) as pool:
        appended = [*pool.map(import_by, [log, other] * 8)]
    assert sorted(appended) == [0] * 15 + [len(IMPORT)]
    assert names_of(log, KEY) == IMPORT


def test_a_key_that_is_in_use_is_refused(log: ResumeLog, file: Path, output: Path) -> None:
    make_units(log, output, until=3, key=KEY)
    before = events_of(log, KEY)
    with pytest.raises(AlreadyRecorded, match="choose a key that is not in use"):
        log.import_export_state(file, key=KEY)
    assert events_of(log, KEY) == before


def test_another_file_of_an_imported_key_is_refused(log: ResumeLog, file: Path) -> None:
    log.import_export_state(file, key=KEY)
    file.write_bytes(written(0.9))
    with pytest.raises(AlreadyRecorded):
        log.import_export_state(file, key=KEY)
    assert job_of(log).progress == 0.64


@pytest.mark.parametrize("sample", BAD, ids=lambda sample: sample.path.stem)
def test_a_damaged_file_leaves_the_log_as_it_was(log: ResumeLog, sample: Sample) -> None:
    with pytest.raises(BadStateFile):
        log.import_export_state(sample.path, key=KEY)
    assert log.queries.jobs() == []


def test_a_key_that_can_name_nothing_is_refused(log: ResumeLog, file: Path) -> None:
    with pytest.raises(BadKey):
        log.import_export_state(file, key="")
    assert log.queries.jobs() == []


# Going on


@pytest.mark.parametrize("sample", VALID, ids=lambda sample: sample.path.stem)
def test_the_first_worker_goes_on_from_its_progress(
    log: ResumeLog, other: ResumeLog, output: Path, sample: Sample
) -> None:
    log.import_export_state(sample.path, key=KEY)
    with other.exports.resume(output, key=KEY, inputs={"片段": 3}, exporter="剪映") as export:
        assert (export.progress, export.is_completed) == (sample.progress, False)
        output.write_bytes(b"frames")
        export.save_progress(1.0)
    assert "Restarted" not in names_of(log, KEY)
    assert job_of(log).work.output_path == str(output)
    assert job_of(log).artifact is not None


@pytest.mark.parametrize(("progress", "left"), [(0.0, 10), (0.3, 7), (0.64, 4), (0.7, 3), (1.0, 0)])
def test_counted_units_go_on_behind_those_that_it_covers(
    log: ResumeLog, other: ResumeLog, file: Path, output: Path, progress: float, left: int
) -> None:
    file.write_bytes(written(progress))
    log.import_export_state(file, key=KEY)
    kept = left // 2
    first = make_units(log, output, key=KEY, until=UNITS - kept, end=KeyboardInterrupt())
    assert first + make_units(other, output, key=KEY) == [*range(UNITS - left, UNITS)]
    assert job_of(log).status == "completed"


def test_it_is_bound_to_the_work_of_its_first_worker(
    log: ResumeLog, file: Path, output: Path
) -> None:
    log.import_export_state(file, key=KEY)
    assert make_units(log, output, key=KEY, inputs="a", until=8) == [6, 7]
    assert make_units(log, output, key=KEY, inputs="b") == [*range(UNITS)]


def test_progress_that_falls_below_it_is_refused(log: ResumeLog, file: Path, output: Path) -> None:
    log.import_export_state(file, key=KEY)
    with log.exports.resume(output, key=KEY) as export:
        with pytest.raises(ValueError, match=r"progress fell from 0\.64 to 0\.5"):
            export.save_progress(0.5)
        export.save_progress(0.65)


def test_an_import_under_the_path_of_its_output_needs_no_key(
    log: ResumeLog, file: Path, output: Path
) -> None:
    log.import_export_state(file, key=str(output))
    assert make_units(log, output) == [6, 7, 8, 9]


def test_an_import_that_is_given_up_begins_at_0(log: ResumeLog, file: Path, output: Path) -> None:
    log.import_export_state(file, key=KEY)
    log.exports.restart(KEY, "重来")
    assert make_units(log, output, key=KEY) == [*range(UNITS)]
