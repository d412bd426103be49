"""The list of jobs in every store: always what the log says, however far its view is folded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking
from support import exports, runs, scenes
from support.canonical import NOW
from support.listed_logs import LONG, begun, damage, from_the_log, lengthen, listed, position
from support.stories import KINDS, copy_of, stories

from resumelog import ResumeLog
from resumelog.application.errors import DamagedEvent, JobNotFound
from resumelog.application.job_row import DAMAGED
from resumelog.application.jobs_projection import SAVED_FROM, JobsProjection, catch_up
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch


def newest(log: ResumeLog) -> int:
    position = log.log.recorder.max_notification_id()
    assert position
    return position


def a_job_of_each_kind(log: ResumeLog) -> None:
    log.log.decide(ExportJob.named("成片"), exports.begin())
    log.log.decide(SceneBatch.named("电影", "分镜"), scenes.begin())
    for command in (runs.configure("auto"), runs.start()):
        log.log.decide(AutoPilotRun.named("sim-1"), command)


def test_the_list_is_the_fold_of_every_story(log: ResumeLog) -> None:
    for kind in KINDS:
        log.log.events.put(stories()[kind])
        log.log.events.put(copy_of(kind))
    assert listed(log) == from_the_log(log)
    log.queries.rebuild()
    assert position(log) == newest(log)
    assert listed(log) == from_the_log(log)


def test_a_few_events_are_folded_for_the_answer_and_not_saved(log: ResumeLog) -> None:
    begun(log, "成片")
    assert listed(log) == from_the_log(log)
    assert position(log) == 0


def test_many_events_are_folded_once_and_saved(log: ResumeLog) -> None:
    lengthen(log, begun(log, "成片"))
    log.queries.jobs(limit=1)
    assert position(log) == newest(log)


def test_what_lies_beyond_the_view_is_in_the_list(log: ResumeLog) -> None:
    first, second = begun(log, "第1集"), begun(log, "第2集")
    lengthen(log, second)
    log.queries.jobs()
    saved = position(log)
    log.log.decide(first, exports.fail("编码器崩溃"))
    begun(log, "第3集")
    assert listed(log) == from_the_log(log)
    assert [view.name for view in log.queries.jobs()] == ["第3集", "第1集", "第2集"]
    assert position(log) == saved


def test_a_job_that_changed_beyond_the_view_is_listed_once_and_as_it_is_now(
    log: ResumeLog,
) -> None:
    job, other_job = begun(log, "第1集"), begun(log, "第2集")
    lengthen(log, other_job)
    log.queries.jobs()
    log.log.decide(job, exports.pause())
    found = {
        status: [view.name for view in log.queries.jobs(statuses=[status])]
        for status in ("running", "paused")
    }
    assert found == {"running": ["第2集"], "paused": ["第1集"]}
    counts = [log.queries.count(statuses=[status]) for status in found]
    assert counts == [1, 1]


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize(
    ("kinds", "statuses", "names"),
    [
        ((), (), ["sim-1", "电影/分镜", "成片"]),
        (("ExportJob",), (), ["成片"]),
        (("ExportJob", "AutoPilotRun"), (), ["sim-1", "成片"]),
        ((), ("running",), ["电影/分镜", "成片"]),
        (("SceneBatch",), ("running", "active"), ["电影/分镜"]),
        (("SceneBatch",), ("failed",), []),
    ],
)
def test_jobs_are_listed_by_kind_and_status(
    log: ResumeLog,
    kinds: tuple[str, ...],
    statuses: tuple[str, ...],
    names: list[str],
    saved: bool,
) -> None:
    a_job_of_each_kind(log)
    if saved:
        log.queries.rebuild()
    assert [view.name for view in log.queries.jobs(kinds=kinds, statuses=statuses)] == names
    assert log.queries.count(kinds=kinds, statuses=statuses) == len(names)


@pytest.mark.parametrize("ahead", range(5))
def test_a_limit_gives_the_jobs_that_changed_last(log: ResumeLog, ahead: int) -> None:
    jobs = [begun(log, f"第{number}集") for number in range(5)]
    log.queries.rebuild()
    for job in jobs[:ahead]:
        log.log.decide(job, exports.pause())
    every = [view.id for view in log.queries.jobs()]
    assert len(every) == 5
    for limit in range(7):
        assert [view.id for view in log.queries.jobs(limit=limit)] == every[:limit]


def test_two_handles_that_catch_up_at_once_give_the_same_list(
    log: ResumeLog, other: ResumeLog
) -> None:
    for number in range(3):
        lengthen(log, begun(log, f"第{number}集"))
    with ThreadPoolExecutor(8) as pool:
        lists = [*pool.map(listed, [log, other] * 20)]
    assert all(each == from_the_log(log) for each in lists)


def test_a_view_that_moved_on_takes_no_rows_folded_from_before(log: ResumeLog) -> None:
    job = begun(log, "成片")
    lengthen(log, job)
    before = log.view.read([job.id])
    catch_up(log.log, log.view)
    with pytest.raises(IntegrityError):
        log.view.save(before.values(), Tracking(log.log.name, newest(log) + 9), 0)
    assert position(log) == newest(log)
    assert listed(log) == from_the_log(log)


def test_a_rebuild_never_takes_the_view_back(log: ResumeLog) -> None:
    lengthen(log, begun(log, "成片"))
    log.queries.jobs()
    with pytest.raises(IntegrityError):
        log.view.replace([], Tracking(log.log.name, 1))
    assert listed(log) == from_the_log(log)


def test_a_projection_counts_each_event_once(log: ResumeLog) -> None:
    job = begun(log, "成片")
    log.log.decide(job, exports.save(0.5))
    projection = JobsProjection(log.view)
    for stored in [*log.log.recorder.select_notifications(1, 10)] * 2:
        projection.process_event(log.log.decode(stored), Tracking(log.log.name, stored.id))
    assert position(log) == newest(log)
    assert {row.id: row.view() for row in log.view.select((), (), None)} == from_the_log(log)


def test_a_damaged_job_is_listed_as_such_and_the_others_as_they_are(log: ResumeLog) -> None:
    intact, job = begun(log, "完好"), begun(log, "成片")
    expected = from_the_log(log)
    damage(log, job)
    lengthen(log, intact)
    view = listed(log)[job.id]
    assert (view.name, view.status, view.version) == ("成片", DAMAGED, 2)
    assert f"event 2 of stream {job.id} (resumelog.ExportJob.Unheard)" in view.error
    assert listed(log)[intact.id].version == expected[intact.id].version + LONG
    assert [view.name for view in log.queries.jobs(statuses=[DAMAGED])] == ["成片"]


def test_a_damaged_event_does_not_hold_the_view_up(log: ResumeLog) -> None:
    intact, job = begun(log, "完好"), begun(log, "成片")
    damage(log, job)
    lengthen(log, intact)
    log.queries.jobs()
    assert position(log) == newest(log)
    log.queries.rebuild()
    assert listed(log)[job.id].status == DAMAGED


def test_a_job_whose_first_event_is_unknown_is_listed_by_its_stream(log: ResumeLog) -> None:
    begun(log, "完好")
    stranger, later = uuid4(), uuid4()
    unheard = [
        StoredEvent(stranger, 1, "theirs:Event", b"{}"),
        StoredEvent(later, 1, "resumelog.AutoPilotRun.Unheard", b"{}"),
    ]
    log.log.recorder.insert_events(unheard)
    views = {each: listed(log)[each] for each in (stranger, later)}
    assert [(view.name, view.kind) for view in views.values()] == [
        (str(stranger), "unknown"),
        (str(later), "AutoPilotRun"),
    ]
    assert all("event 1 of stream" in view.error for view in views.values())
    with pytest.raises(JobNotFound):
        log.queries.find(stranger.hex)
    with pytest.raises(DamagedEvent):
        log.queries.find(later.hex)


def test_a_log_of_which_nothing_can_be_read_keeps_no_view(log: ResumeLog) -> None:
    stream = uuid4()
    log.log.recorder.insert_events(
        [StoredEvent(stream, version, "theirs:Event", b"{}") for version in range(1, LONG)]
    )
    assert [view.status for view in log.queries.jobs()] == [DAMAGED]
    assert position(log) == 0
    with pytest.raises(DamagedEvent):
        log.queries.rebuild()


@pytest.mark.parametrize("saved", [False, True])
def test_a_job_is_found_by_its_id_from_the_view_and_beyond(log: ResumeLog, saved: bool) -> None:
    job = begun(log, "成片")
    if saved:
        log.queries.rebuild()
    assert log.queries.find(job.id.hex[:6]) == log.log.recover(ExportJob.named("成片"))


def test_a_job_that_began_at_another_time_is_no_newer_for_it(log: ResumeLog) -> None:
    begun(log, "第1集", NOW)
    begun(log, "第2集", NOW.replace(year=1999))
    assert [view.name for view in log.queries.jobs()] == ["第2集", "第1集"]


def test_a_log_is_folded_in_pages(log: ResumeLog) -> None:
    job = begun(log, "成片")
    for _ in range(5):
        lengthen(log, job)
    assert 5 * LONG > 4 * SAVED_FROM
    assert listed(log) == from_the_log(log)
    assert position(log) == newest(log)
