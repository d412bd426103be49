"""What jobs there are, and which one a name means, in every store."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from support.logs import make_scenes, make_units, scenes

from resumelog import ResumeLog
from resumelog.application.errors import AmbiguousJob, JobNotFound
from resumelog.domain.aggregate import stream_id
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.export_job import ExportJob

NOBODY = "nobody knows this"


def export(log: ResumeLog, key: str) -> ExportJob:
    with log.exports.resume("out.mp4", key=key):
        pass
    return ExportJob.named(key)


def configure(log: ResumeLog, simulation_id: str) -> AutoPilotRun:
    run = AutoPilotRun.named(simulation_id)
    log.log.decide(run, lambda run: run.configure("auto", "小王", log.clock.now()))
    return run


def test_an_empty_log_has_no_jobs(log: ResumeLog) -> None:
    assert log.queries.jobs() == []


def test_every_kind_of_job_is_listed_with_the_last_changed_first(log: ResumeLog) -> None:
    export(log, "成片")
    make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1)))
    configure(log, "sim-1")
    export(log, "预告")
    names = [(view.kind, view.name) for view in log.queries.jobs()]
    assert names == [
        ("ExportJob", "预告"),
        ("AutoPilotRun", "sim-1"),
        ("SceneBatch", "电影/分镜"),
        ("ExportJob", "成片"),
    ]


def test_an_export_is_listed_with_its_units(log: ResumeLog, tmp_path: Path) -> None:
    make_units(log, tmp_path / "成片.mp4", until=4)
    (view,) = log.queries.jobs()
    assert (view.status, view.progress, view.done, view.total) == ("interrupted", 0.4, 4, 10)
    assert view.attempts == 1


def test_a_batch_is_listed_with_its_scenes(log: ResumeLog) -> None:
    make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3, 4)), fails=["2"])
    (view,) = log.queries.jobs()
    assert (view.status, view.progress) == ("open", 0.75)
    assert (view.done, view.failed, view.total) == (3, 1, 4)


def test_a_run_is_listed_with_its_steps(log: ResumeLog) -> None:
    configure(log, "sim-1")
    (view,) = log.queries.jobs()
    assert (view.status, view.progress, view.done, view.total) == ("inactive", 0.0, 0, 4)


@pytest.mark.parametrize("name", ["成片/第1集", "a-key", "电影/a/b/分镜", "sim-模拟"])
def test_a_job_is_found_by_its_name(log: ResumeLog, name: str) -> None:
    export(log, "成片/第1集")
    export(log, "a-key")
    make_scenes(log.scenes.open("电影/a", "b/分镜", scenes=scenes(1)))
    configure(log, "sim-模拟")
    assert "/".join(log.queries.find(name).natural_key) == name


def test_an_export_is_found_by_its_output_relative_to_the_folder(
    log: ResumeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_units(log, tmp_path / "片" / ".." / "成片.mp4", until=1)
    monkeypatch.chdir(tmp_path)
    assert log.queries.find("片/../成片.mp4").version > 0


@pytest.mark.parametrize("chars", [4, 8, 32])
@pytest.mark.parametrize("write", [str.lower, str.upper])
def test_a_job_is_found_by_the_beginning_of_its_id(
    log: ResumeLog, chars: int, write: type[str]
) -> None:
    job = export(log, "成片")
    assert log.queries.find(write(job.id.hex[:chars])).id == job.id


def test_a_job_is_found_by_its_id_with_hyphens(log: ResumeLog) -> None:
    job = export(log, "成片")
    assert log.queries.find(str(job.id)).id == job.id


def test_three_hex_digits_name_no_job(log: ResumeLog) -> None:
    job = export(log, "成片")
    with pytest.raises(JobNotFound):
        log.queries.find(job.id.hex[:3])


@pytest.mark.parametrize("name", [NOBODY, "no/body", "", "0000000", "x" * 600, "\n"])
def test_a_name_that_means_no_job_is_an_error_that_names_it(log: ResumeLog, name: str) -> None:
    export(log, "成片")
    with pytest.raises(JobNotFound) as missing:
        log.queries.find(name)
    assert missing.value.name == name


def test_a_name_of_two_kinds_is_ambiguous(log: ResumeLog) -> None:
    export(log, "同名")
    configure(log, "同名")
    with pytest.raises(AmbiguousJob) as ambiguous:
        log.queries.find("同名")
    assert "export 同名" in ambiguous.value.candidates
    assert "auto_pilot 同名" in ambiguous.value.candidates


def test_a_beginning_that_two_ids_share_is_ambiguous(log: ResumeLog) -> None:
    seen: dict[str, str] = {}
    for key in map(str, count()):
        start = stream_id("ExportJob", [key]).hex[:4]
        if start in seen and not start.isdecimal():
            break
        seen[start] = key
    for name in (key, seen[start]):
        export(log, name)
    with pytest.raises(AmbiguousJob):
        log.queries.find(start)


def test_the_jobs_are_listed_a_page_at_a_time(log: ResumeLog) -> None:
    for number in range(5):
        configure(log, f"sim-{number}")
    pages, below = [], None
    while True:
        page = log.queries.page(2, below=below)
        pages.append([view.name for view in page.jobs])
        if page.next is None:
            break
        below = page.next
    assert pages == [["sim-4", "sim-3"], ["sim-2", "sim-1"], ["sim-0"]]


def test_pages_beyond_the_view_hold_each_job_once(log: ResumeLog) -> None:
    for number in range(3):
        configure(log, f"sim-{number}")
    log.queries.rebuild()
    first = log.queries.page(1)
    log.autopilot().configure("sim-0", "manual")
    second = log.queries.page(5, below=first.next)
    assert [view.name for view in (*first.jobs, *second.jobs)] == ["sim-2", "sim-1"]


def test_a_page_holds_only_what_was_asked_for(log: ResumeLog) -> None:
    export(log, "成片")
    configure(log, "sim-1")
    export(log, "预告")
    page = log.queries.page(1, kinds=["ExportJob"], statuses=["completed"])
    assert [view.name for view in page.jobs] == ["预告"]
    (left,) = log.queries.page(1, kinds=["ExportJob"], below=page.next).jobs
    assert left.name == "成片"


def test_a_job_is_found_by_its_whole_id_alone(log: ResumeLog) -> None:
    run = configure(log, "sim-1")
    view, state = log.queries.job(run.id)
    assert (view.name, view.version, state.version) == ("sim-1", 1, 1)
    with pytest.raises(JobNotFound, match="no job"):
        log.queries.job(stream_id("AutoPilotRun", [NOBODY]))


def test_a_history_is_read_from_a_version_on(log: ResumeLog) -> None:
    run = configure(log, "sim-1")
    log.autopilot().configure("sim-1", "manual")
    versions = [event.originator_version for event in log.queries.history(run, after=1)]
    assert versions == [2]


def test_the_position_is_that_of_the_newest_event(log: ResumeLog) -> None:
    assert log.queries.position() == 0
    configure(log, "sim-1")
    assert log.queries.position() > 0
