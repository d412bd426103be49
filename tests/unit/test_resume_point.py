"""Where each kind of job goes on, and which event decided that."""

from __future__ import annotations

import pytest
from support import exports, runs, scenes
from support.canonical import later
from support.scenario import given
from support.stories import KINDS, stories

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.autopilot_run import AutoPilotRun
from resumelog.domain.export_job import ExportJob
from resumelog.domain.resume_point import EXPLAINED_MAX, Fact, resume_point
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import Attempt

COUNTED = (exports.begin(), exports.save(0, 3, 4, {"帧": 72}, at=later(9)), exports.interrupt())
BATCH = (
    scenes.begin(),
    scenes.record(scenes.done("s1"), scenes.failed("s2"), at=later(9)),
    scenes.interrupt(Attempt("s3", 1), at=later(20)),
)
RUN = (*runs.WORKING, runs.complete_step(), runs.start_step("starting"))


def decided(fact: Fact) -> tuple[str, int]:
    return fact.event, fact.version


def values(facts: tuple[Fact, ...]) -> list[object]:
    return [fact.value for fact in facts]


def test_an_export_goes_on_from_its_counts_and_cursor() -> None:
    point = resume_point(given(ExportJob, *COUNTED))
    (done,), (following,) = point.done, point.next
    assert (done.what, done.value, following.what) == ("3 of 4 units", 3, "unit 3")
    assert point.start.value == {"progress": 0.75, "cursor": {"帧": 72}}
    assert point.status.value == "interrupted"


def test_each_part_of_an_exports_resume_point_names_its_event() -> None:
    point = resume_point(given(ExportJob, *COUNTED))
    assert decided(point.status) == ("Interrupted", 3)
    assert decided(point.start) == ("ProgressSaved", 2)
    assert decided(point.attempts[0]) == ("Started", 1)
    assert point.start.at == later(9)


def test_an_export_goes_on_from_a_fraction() -> None:
    point = resume_point(given(ExportJob, exports.begin(), exports.save(0.25)))
    assert (point.done[0].what, point.next[0].what) == ("25.0%", "from 25.0% on")


def test_an_export_that_never_began_is_decided_by_nothing() -> None:
    point = resume_point(given(ExportJob))
    assert (point.status.value, decided(point.status), point.status.at) == ("idle", ("", 0), None)


def test_a_failed_export_tells_its_error() -> None:
    failed = given(ExportJob, exports.begin(), exports.fail("坏帧"))
    assert resume_point(failed).status.what == "failed: 坏帧"


def test_an_export_with_every_unit_done_names_no_unit_as_next() -> None:
    whole = given(ExportJob, exports.begin(), exports.save(0, 4, 4))
    assert "unit 4" not in [fact.what for fact in resume_point(whole).next]


def test_a_batch_goes_on_with_all_that_is_not_done() -> None:
    point = resume_point(given(SceneBatch, *BATCH), scenes.PLAN)
    assert (values(point.done), values(point.next)) == (["s1"], ["s2", "s3"])
    assert point.next[0].what == "s2: failed 1 time"
    assert point.start.value == "s2"
    assert point.status.what == "open, 1 of 3 done, 1 failed"


def test_each_part_of_a_batchs_resume_point_names_its_event() -> None:
    point = resume_point(given(SceneBatch, *BATCH), scenes.PLAN)
    assert decided(point.status) == ("Interrupted", 5)
    assert decided(point.done[0]) == ("SceneCompleted", 3)
    assert [decided(fact)[1] for fact in point.next] == [4, 5]
    assert decided(point.start) == ("Opened", 1)


def test_a_batch_counts_each_scenes_attempts() -> None:
    point = resume_point(given(SceneBatch, *BATCH), scenes.PLAN)
    assert [fact.what for fact in point.attempts] == ["s1: 1", "s2: 1", "s3: 1"]


def test_a_batch_without_its_plan_lists_no_next_scene() -> None:
    assert resume_point(given(SceneBatch, *BATCH)).next == ()


def test_a_scene_that_left_the_plan_is_not_listed_as_done() -> None:
    shorter = scenes.plan_of("s2", "s3")
    point = resume_point(given(SceneBatch, *BATCH, scenes.begin(2, plan=shorter)), shorter)
    assert values(point.done) == []
    assert point.status.what == "running, 0 of 2 done, 1 failed"


def test_a_run_goes_on_after_its_last_completed_step() -> None:
    saved = runs.save(40, resume_data={"round": 12})
    point = resume_point(given(AutoPilotRun, *RUN, saved, runs.pause()))
    assert (values(point.done), values(point.next)) == (["preparing"], ["starting"])
    assert point.start.value == {"percent": 40.0, "resume_data": {"round": 12}}
    assert point.start.what == "40 % of starting"
    assert point.attempts[0].what == "starting: 1"


def test_each_part_of_a_runs_resume_point_names_its_event() -> None:
    point = resume_point(given(AutoPilotRun, *RUN, runs.save(40), runs.pause()))
    assert decided(point.status) == ("Paused", 7)
    assert decided(point.done[0]) == ("StepCompleted", 4)
    assert decided(point.next[0]) == ("StepStarted", 5)
    assert decided(point.start) == ("ProgressSaved", 6)


def test_a_run_promises_no_progress_that_its_next_attempt_drops() -> None:
    started_again = (*runs.WORKING, runs.save(40), runs.stop(), runs.start(3))
    promised = resume_point(given(AutoPilotRun, *started_again)).start.value
    at_work = given(AutoPilotRun, *started_again, runs.start_step(epoch=3))
    assert resume_point(at_work).start.value == promised


@pytest.mark.parametrize("kind", KINDS)
def test_a_finished_job_has_nothing_next(kind: type[EventSourced]) -> None:
    state = kind(stories()[kind][0].originator_id).fold(stories()[kind])
    assert state.status == "completed"
    assert resume_point(state).next == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_resume_point_names_its_job_and_its_version(kind: type[EventSourced]) -> None:
    state = kind(stories()[kind][0].originator_id).fold(stories()[kind])
    point = resume_point(state)
    assert (point.job, point.kind, point.version) == (state.title, kind.kind, state.version)


def test_an_explanation_has_a_line_for_each_part_with_its_event() -> None:
    text = resume_point(given(SceneBatch, *BATCH), scenes.PLAN).explain()
    assert text.splitlines() == [
        "batch 电影🎬/storyboard, version 5",
        "status    open, 1 of 3 done, 1 failed  (Interrupted, version 5, 2025-03-01 08:30:20+0000)",
        "done      s1  (SceneCompleted, version 3, 2025-03-01 08:30:09+0000)",
        "next      s2: failed 1 time  (SceneFailed, version 4, 2025-03-01 08:30:09+0000)",
        "next      s3  (Interrupted, version 5, 2025-03-01 08:30:20+0000)",
        "from      scene s2  (Opened, version 1, 2025-03-01 08:30:00+0000)",
        "attempts  s1: 1  (SceneCompleted, version 3, 2025-03-01 08:30:09+0000)",
        "attempts  s2: 1  (SceneFailed, version 4, 2025-03-01 08:30:09+0000)",
        "attempts  s3: 1  (Interrupted, version 5, 2025-03-01 08:30:20+0000)",
    ]


def test_an_explanation_counts_what_it_does_not_list() -> None:
    plan = scenes.plan_of(*(f"s{n}" for n in range(EXPLAINED_MAX + 2)))
    text = resume_point(given(SceneBatch, scenes.begin(plan=plan)), plan).explain()
    assert text.count("next ") == EXPLAINED_MAX + 1
    assert "next      … and 2 more" in text


def test_an_explanation_says_where_there_is_nothing() -> None:
    assert "done      nothing" in resume_point(given(AutoPilotRun)).explain()
