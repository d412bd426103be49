"""A batch that begins with what old files held, and binds it when somebody goes on."""

from __future__ import annotations

from typing import Any

from support.canonical import DIGEST, NOW, WORKER
from support.scenario import given, when
from support.scenes import (
    PLAN,
    SCRIPT,
    adopted,
    begin,
    done,
    finish,
    import_progress,
    invalidate,
    old_scenes,
    plan_of,
    record,
)
from support.tables import appends, appends_nothing, refuses

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.errors import AlreadyRecorded, UnknownScene
from resumelog.domain.events import Imported
from resumelog.domain.plan import Plan
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import (
    Opened,
    PlanRevised,
    Resumed,
    SceneCompleted,
    SceneInvalidated,
)
from resumelog.domain.values import Payload

IMPORTED = (import_progress("s1", "s2"),)
BOUND = (*IMPORTED, begin(after="analysis", adopted=adopted("s1", "s2")))
INK = plan_of("s1", "s2", "s3", style="工笔")
EDITED = Plan([{"id": "s1", "text": "另一场"}, PLAN["s2"], PLAN["s3"]], params=PLAN.params)
WITH_FILES = Plan([*PLAN.values()], params=PLAN.params, makes_files=True)
STALE = {"s1": "its input or its command changed"}


def completed(scene: str, fingerprint: str, epoch: int | None = None) -> Draft:
    facts: dict[str, Any] = {"result": Payload.of(SCRIPT), "attempt": 1}
    return draft(SceneCompleted, epoch=epoch, scene=scene, fingerprint=fingerprint, **facts)


def revised(plan: Plan, epoch: int, done: int, after: str | None = "analysis") -> Draft:
    facts = {"plan_sha256": plan.sha256, "scene_count": len(plan), "params": plan.params}
    counts = {"done": done, "failed": 0}
    return draft(PlanRevised, epoch=epoch, plan=plan.payload, after=after, **facts, **counts)


def resumed(epoch: int) -> Draft:
    return draft(Resumed, epoch=epoch, worker=WORKER)


OLD = old_scenes("s1", "s2")

test_a_command_appends = appends(
    SceneBatch,
    {
        "an import begins a stream that is open, and marks what it knows no input of": (
            (),
            import_progress("s1", "s2"),
            [
                draft(
                    Imported,
                    stream_kind="SceneBatch",
                    natural_key=("电影🎬", "storyboard"),
                    source="/旧/storyboard_progress.json",
                    sha256=DIGEST,
                    recorded_at=NOW,
                    recorded={"total_scenes": 2},
                ),
                draft(
                    Opened,
                    project="电影🎬",
                    stage="storyboard",
                    plan_sha256=OLD.plan.sha256,
                    scene_count=3,
                    params={},
                    plan=OLD.plan.payload,
                    after="analysis",
                ),
                completed("s1", PLAN.imported_fingerprint("s1")),
                completed("s2", PLAN.imported_fingerprint("s2")),
            ],
        ),
        "the first worker binds what was imported, under counts that hold": (
            IMPORTED,
            begin(after="analysis", adopted=adopted("s1", "s2")),
            [
                completed("s1", PLAN.fingerprint("s1"), epoch=1),
                completed("s2", PLAN.fingerprint("s2"), epoch=1),
                revised(PLAN, 1, done=2),
                resumed(1),
            ],
        ),
        "one with the very plan of the import counts anew as well": (
            IMPORTED,
            begin(plan=OLD.plan, after="analysis", adopted=adopted("s1", plan=OLD.plan)),
            [
                completed("s1", OLD.plan.fingerprint("s1"), epoch=1),
                revised(OLD.plan, 1, done=2),
                resumed(1),
            ],
        ),
        "a scene that was edited since is not bound, and made again": (
            IMPORTED,
            begin(plan=EDITED, adopted=adopted("s1", "s2", plan=EDITED), stale=STALE),
            [
                completed("s2", EDITED.fingerprint("s2"), epoch=1),
                revised(EDITED, 1, done=2, after=None),
                draft(SceneInvalidated, epoch=1, scene="s1", reason=STALE["s1"]),
                resumed(1),
            ],
        ),
        "a scene of which a file is wanted is not bound": (
            IMPORTED,
            begin(plan=WITH_FILES, adopted=adopted("s1", "s2")),
            [revised(WITH_FILES, 1, done=2, after=None), resumed(1)],
        ),
        "what is bound is not bound to another input": (
            BOUND,
            begin(2, plan=INK, after="analysis", adopted=adopted("s1", plan=INK)),
            [revised(INK, 2, done=2), resumed(2)],
        ),
        "what was made here is not bound": (
            (begin(), record(done("s1"))),
            begin(2, adopted=adopted("s1")),
            [resumed(2)],
        ),
        "what was imported and invalidated is not bound": (
            (*IMPORTED, invalidate("s1")),
            begin(after="analysis", adopted=adopted("s1")),
            [revised(PLAN, 1, done=1), resumed(1)],
        ),
    },
)

test_a_command_that_has_taken_effect_appends_nothing = appends_nothing(
    SceneBatch,
    {
        "the same file again": (IMPORTED, import_progress("s1", "s2")),
        "the same file after somebody went on": (BOUND, import_progress("s1", "s2")),
        "binding again": (BOUND, begin(after="analysis", adopted=adopted("s1", "s2"))),
    },
)

test_an_impossible_command_is_refused = refuses(
    SceneBatch,
    [
        ((begin(),), import_progress("s1"), AlreadyRecorded, {"version": 2}),
        (IMPORTED, import_progress("s1", sha256="0" * 64), AlreadyRecorded, {"version": 4}),
        ((), import_progress("s9"), UnknownScene, {"scene": "s9"}),
    ],
)


def test_only_what_is_missing_remains() -> None:
    for past in (IMPORTED, BOUND):
        batch = given(SceneBatch, *past)
        assert ([*batch.remaining(PLAN)], batch.done) == (["s3"], 2)


def test_what_was_bound_is_completed_without_being_made_again() -> None:
    batch = given(SceneBatch, *BOUND, record(done("s3")), finish())
    assert (batch.status, batch.done, batch.attempts("s1")) == ("completed", 3, 1)


def test_a_batch_that_is_completed_is_taken_up_for_what_an_import_left_unbound() -> None:
    shorter = plan_of("s1")
    past = (*IMPORTED, begin(plan=shorter, adopted=adopted("s1", plan=shorter)), finish(1, shorter))
    batch = given(SceneBatch, *past)
    assert batch.status == "completed"
    both = plan_of("s1", "s2")
    events = when(batch, begin(2, plan=both, adopted=adopted("s2", plan=both)))
    names = [type(event).__name__ for event in events]
    assert names == ["SceneCompleted", "PlanRevised", "Reopened", "Resumed"]
