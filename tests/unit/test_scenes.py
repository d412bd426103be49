"""How a batch records scene after scene."""

from __future__ import annotations

import math

import pytest
from support.canonical import CLIP, NOW
from support.scenario import given, refusal, when
from support.scenes import (
    PLAN,
    SCRIPT,
    BatchCommand,
    begin,
    done,
    failed,
    finish,
    interrupt,
    invalidate,
    pause,
    plan_of,
    record,
    stop,
)

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.errors import BadInput, SceneAlreadyCompleted, UnknownScene
from resumelog.domain.scene_batch import BatchStatus, SceneBatch
from resumelog.domain.scene_events import (
    Interrupted,
    Reopened,
    SceneCompleted,
    SceneFailed,
    SceneInvalidated,
)
from resumelog.domain.values import ERROR_BYTES_MAX, Attempt, Payload

ALL_DONE = (begin(), record(done("s1"), done("s2"), done("s3")))


def completed(scene: str, attempt: int) -> Draft:
    facts = {"scene": scene, "fingerprint": PLAN.fingerprint(scene), "attempt": attempt}
    return draft(SceneCompleted, epoch=1, result=Payload.of(SCRIPT), elapsed_s=1.5, **facts)


def test_outcomes_are_recorded_together_in_their_order() -> None:
    batch = given(SceneBatch, begin())
    fingerprint = PLAN.fingerprint("s3")
    broken = draft(
        SceneFailed, epoch=1, scene="s3", fingerprint=fingerprint, error="坏了", attempt=1
    )
    outcomes = record(failed("s3", error="坏了"), done("s1"))
    assert when(batch, outcomes) == batch.new(NOW, broken, completed("s1", 1))


def test_a_file_is_recorded_with_its_scene() -> None:
    (event,) = when(given(SceneBatch, begin()), record(done("s1", artifact=CLIP)))
    assert isinstance(event, SceneCompleted)
    assert event.artifact == CLIP


def test_an_attempt_that_is_recorded_adds_nothing() -> None:
    batch = given(SceneBatch, begin(), record(done("s1"), failed("s2")))
    assert when(batch, record(done("s1"), failed("s2"))) == ()


def test_an_attempt_that_is_handed_over_twice_is_recorded_once() -> None:
    batch = given(SceneBatch, begin())
    assert when(batch, record(done("s1"), done("s1"))) == batch.new(NOW, completed("s1", 1))


def test_a_scene_that_failed_is_tried_again() -> None:
    batch = given(SceneBatch, begin(), record(failed("s1")))
    assert when(batch, record(done("s1", 2))) == batch.new(NOW, completed("s1", 2))


@pytest.mark.parametrize("command", [pause(), stop()], ids=["a pause", "a stop"])
def test_what_was_in_work_is_still_recorded_after(command: BatchCommand) -> None:
    batch = given(SceneBatch, begin(), command)
    assert when(batch, record(done("s1"))) == batch.new(NOW, completed("s1", 1))


def test_another_attempt_at_a_scene_that_is_done_is_refused() -> None:
    batch = given(SceneBatch, begin(), record(done("s1")))
    expected = (SceneAlreadyCompleted, {"scene": "s1", "version": 3})
    assert refusal(batch, record(done("s1", 2))) == expected


def test_one_refused_outcome_refuses_all() -> None:
    batch, wider = given(SceneBatch, begin()), plan_of("s1", "s9")
    unknown = record(done("s1"), done("s9", plan=wider))
    assert refusal(batch, unknown) == (UnknownScene, {"scene": "s9"})


def test_a_scene_that_failed_in_the_middle_is_the_next_to_do() -> None:
    batch = given(SceneBatch, begin(), record(done("s1"), failed("s2"), done("s3")))
    assert [*batch.remaining(PLAN)] == ["s2"]
    assert [*batch.failures(PLAN)] == ["s2"]
    assert (batch.done, batch.failed, batch.scene_count) == (2, 1, 3)


def test_a_failed_scene_that_is_made_after_all_no_longer_counts_as_failed() -> None:
    batch = given(SceneBatch, begin(), record(failed("s1")), record(done("s1", 2)))
    assert (batch.done, batch.failed) == (1, 0)


def test_the_error_of_a_scene_is_cut_with_a_mark() -> None:
    (event,) = when(given(SceneBatch, begin()), record(failed("s1", error="错" * 9000)))
    assert isinstance(event, SceneFailed)
    assert len(event.error.encode()) <= ERROR_BYTES_MAX
    assert event.error.endswith("… [cut, 27000 bytes in all]")


@pytest.mark.parametrize("elapsed_s", [math.nan, math.inf, -1.0])
def test_a_time_that_is_none_is_refused(elapsed_s: float) -> None:
    outcome = done("s1")._replace(elapsed_s=elapsed_s)
    assert issubclass(refusal(given(SceneBatch, begin()), record(outcome))[0], BadInput)


def test_a_scene_that_is_done_is_invalidated_for_a_reason() -> None:
    batch = given(SceneBatch, begin(), record(done("s1"), failed("s2")))
    gone = draft(SceneInvalidated, epoch=1, scene="s1", reason="文件不见了")
    assert when(batch, invalidate("s1", "s2", epoch=1)) == batch.new(NOW, gone)


def test_a_scene_outside_the_plan_is_not_invalidated() -> None:
    refused = refusal(given(SceneBatch, *ALL_DONE), invalidate("s1", "s9"))
    assert refused == (UnknownScene, {"scene": "s9"})


def test_invalidating_a_scene_reopens_a_completed_batch() -> None:
    batch = given(SceneBatch, *ALL_DONE, finish())
    reopened = draft(Reopened, reason="scenes were invalidated", actor="resumelog")
    gone = draft(SceneInvalidated, scene="s2", reason="文件不见了")
    assert when(batch, invalidate("s2")) == batch.new(NOW, reopened, gone)


def test_an_invalidated_scene_keeps_its_attempts_and_is_left_to_do() -> None:
    batch = given(SceneBatch, *ALL_DONE, invalidate("s2"))
    assert (batch.done, batch.attempts("s2"), [*batch.remaining(PLAN)]) == (2, 1, ["s2"])


def test_an_attempt_that_was_cut_off_counts() -> None:
    batch = given(SceneBatch, begin(), interrupt(Attempt("s1", 1)), begin(2))
    assert (batch.attempts("s1"), batch.attempts("s2")) == (1, 0)
    assert when(batch, record(done("s1", 2), epoch=2))


def test_a_new_plan_keeps_done_what_it_still_holds() -> None:
    shorter = plan_of("s1", "s4")
    batch = given(SceneBatch, *ALL_DONE, finish(), begin(2, plan=shorter))
    assert (batch.status, batch.done, batch.scene_count) == (BatchStatus.RUNNING, 1, 2)
    assert [*batch.remaining(shorter)] == ["s4"]


def test_a_scene_that_is_done_stays_done_when_another_attempt_at_it_is_cut_off() -> None:
    batch = given(SceneBatch, begin(), record(done("s1")))
    interrupted = batch.new(NOW, draft(Interrupted, epoch=1, in_flight=(), cause="SIGTERM"))
    assert when(batch, interrupt(Attempt("s1", 2))) == interrupted
    revised = plan_of("s1", "s2")
    taken_over = given(
        SceneBatch,
        begin(),
        record(done("s1")),
        begin(2, plan=revised, in_flight=(Attempt("s1", 2), Attempt("s2", 1))),
    )
    assert (taken_over.done, [*taken_over.remaining(revised)]) == (1, ["s2"])


def test_a_log_in_which_a_done_scene_was_cut_off_keeps_it_done() -> None:
    batch = given(SceneBatch, begin(), record(done("s1")))
    batch.fold(batch.new(NOW, draft(Interrupted, in_flight=("s1", "s2"), cause="SIGKILL")))
    assert (batch.done, batch.is_done("s1"), batch.attempts("s2")) == (1, True, 1)
