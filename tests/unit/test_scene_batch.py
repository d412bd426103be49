"""What the commands of a scene batch append, and what they refuse."""

from __future__ import annotations

from typing import Any

from support.canonical import NOW, WORKER
from support.scenario import given, when
from support.scenes import (
    PLAN,
    begin,
    done,
    failed,
    finish,
    interrupt,
    invalidate,
    pause,
    plan_of,
    record,
    reopen,
    stop,
)
from support.tables import appends, appends_nothing, refuses

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.errors import LeaseLost, NotBegun, NotRunning
from resumelog.domain.scene_batch import BatchStatus, SceneBatch
from resumelog.domain.scene_events import (
    Completed,
    Interrupted,
    Opened,
    Paused,
    PlanRevised,
    Reopened,
    Resumed,
    SceneInvalidated,
    Stopped,
)
from resumelog.domain.values import Attempt

RUNNING = (begin(), record(done("s1"), failed("s2")))
ALL_DONE = (begin(), record(done("s1"), done("s2"), done("s3")))
ENDED = (*ALL_DONE, finish())
STOPPED = (*RUNNING, stop())
LATER_EPOCH = (*RUNNING, begin(2))

SHORTER = plan_of("s1", "s3")
CUT_OFF = "pid 4711 on 渲染-01 ended without a word"
AGAIN = "begun again with scenes to do"


def planned(event: type[Opened | PlanRevised], plan: Any = PLAN, **facts: Any) -> Draft:
    facts |= {"plan_sha256": plan.sha256, "scene_count": len(plan), "params": plan.params}
    return draft(event, plan=plan.payload, **facts)


def resumed(epoch: int) -> Draft:
    return draft(Resumed, epoch=epoch, worker=WORKER)


def reopened(epoch: int) -> Draft:
    return draft(Reopened, epoch=epoch, reason=AGAIN, actor="pid 4711 on 渲染-01")


OPENED = planned(Opened, epoch=1, project="电影🎬", stage="storyboard", after="analysis")
test_a_command_appends = appends(
    SceneBatch,
    {
        "a new batch is opened and taken up": ((), begin(after="analysis"), [OPENED, resumed(1)]),
        "an interrupted batch is taken up": ((*RUNNING, interrupt()), begin(2), [resumed(2)]),
        "a paused batch is taken up": ((*RUNNING, pause()), begin(2), [resumed(2)]),
        "a running batch is taken over": (RUNNING, begin(2), [resumed(2)]),
        "attempts that were cut off are made visible": (
            RUNNING,
            begin(2, in_flight=(Attempt("s1", 1), Attempt("s2", 2), Attempt("s3", 1))),
            [draft(Interrupted, epoch=2, in_flight=("s2", "s3"), cause=CUT_OFF), resumed(2)],
        ),
        "another plan is recorded with what it still holds": (
            (*RUNNING, interrupt()),
            begin(2, plan=SHORTER),
            [planned(PlanRevised, SHORTER, epoch=2, done=1, failed=0), resumed(2)],
        ),
        "a failed scene in flight is counted once": (
            RUNNING,
            begin(2, plan=plan_of("s1", "s2"), in_flight=(Attempt("s2", 2),)),
            [
                draft(Interrupted, epoch=2, in_flight=("s2",), cause=CUT_OFF),
                planned(PlanRevised, plan_of("s1", "s2"), epoch=2, done=1, failed=0),
                resumed(2),
            ],
        ),
        "a stopped batch is reopened": (STOPPED, begin(2), [reopened(2), resumed(2)]),
        "stale scenes of a completed batch are redone": (
            ENDED,
            begin(2, stale={"s2": "文件变了"}),
            [
                draft(SceneInvalidated, epoch=2, scene="s2", reason="文件变了"),
                reopened(2),
                resumed(2),
            ],
        ),
        "stale scenes outside the new plan stay as they were": (
            (*ALL_DONE, interrupt()),
            begin(2, plan=SHORTER, stale={"s2": "文件变了"}),
            [planned(PlanRevised, SHORTER, epoch=2, done=2, failed=0), resumed(2)],
        ),
        "a running batch pauses": (
            RUNNING,
            pause(),
            [draft(Paused, reason="午休 🍜", actor="小王")],
        ),
        "a running batch stops": (RUNNING, stop(), [draft(Stopped, actor="小王")]),
        "a paused batch stops": ((*RUNNING, pause()), stop(), [draft(Stopped, actor="小王")]),
        "a stopped batch reopens": (
            STOPPED,
            reopen(),
            [draft(Reopened, reason="再来", actor="小王")],
        ),
        "a paused batch reopens": (
            (*RUNNING, pause()),
            reopen(),
            [draft(Reopened, reason="再来", actor="小王")],
        ),
        "a paused batch that its worker has left reopens": (
            (*RUNNING, pause()),
            lambda batch: batch.reopen("再来", "小王", NOW, has_worker=False),
            [
                draft(Reopened, reason="再来", actor="小王"),
                draft(Interrupted, in_flight=(), cause="its worker had left while it was paused"),
            ],
        ),
        "a batch with nothing left finishes": (ALL_DONE, finish(), [draft(Completed, epoch=1)]),
        "a running batch is interrupted": (
            RUNNING,
            interrupt(Attempt("s3", 1)),
            [draft(Interrupted, epoch=1, in_flight=("s3",), cause="SIGTERM")],
        ),
        "scenes in flight at a pause are made visible": (
            (*RUNNING, pause()),
            interrupt(Attempt("s3", 1)),
            [draft(Interrupted, epoch=1, in_flight=("s3",), cause="SIGTERM")],
        ),
    },
)


test_a_command_that_has_taken_effect_appends_nothing = appends_nothing(
    SceneBatch,
    {
        "begun under the same claim": (RUNNING, begin()),
        "completed and nothing left to do": (ENDED, begin(2)),
        "completed and only scenes outside the plan are stale": (
            ENDED,
            begin(2, stale={"s9": "?"}),
        ),
        "paused already": ((*RUNNING, pause()), pause("again")),
        "stopped already": (STOPPED, stop("another")),
        "completed, so not stopped": (ENDED, stop()),
        "never opened, so nothing to stop": ((), stop()),
        "open already": ((*RUNNING, interrupt()), reopen()),
        "running, so not reopened": (RUNNING, reopen()),
        "not finished with a scene left": (RUNNING, finish()),
        "finished already": (ENDED, finish()),
        "interrupted already": (
            (*RUNNING, interrupt(Attempt("s3", 1))),
            interrupt(Attempt("s3", 1)),
        ),
        "completed, so not interrupted": (ENDED, interrupt()),
    },
)


test_an_impossible_command_is_refused_by_name = refuses(
    SceneBatch,
    [
        ((), pause(), NotRunning, {"command": "pause", "status": "open"}),
        (ENDED, pause(), NotRunning, {"command": "pause", "status": "completed"}),
        (STOPPED, pause(), NotRunning, {"command": "pause", "status": "stopped"}),
        ((), record(done("s1")), NotBegun, {"epoch": 1, "current": 0}),
        (RUNNING, finish(3), NotBegun, {"epoch": 3, "current": 1}),
        (LATER_EPOCH, begin(1), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, record(done("s3")), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, invalidate("s1", epoch=1), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, finish(), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, interrupt(), LeaseLost, {"epoch": 1, "current": 2}),
    ],
)


def test_an_interrupted_batch_is_open_and_a_paused_one_stays_paused() -> None:
    in_flight = interrupt(Attempt("s3", 1))
    assert given(SceneBatch, *RUNNING, in_flight).status is BatchStatus.OPEN
    assert given(SceneBatch, *RUNNING, pause(), in_flight).status is BatchStatus.PAUSED


def test_the_natural_key_stands_in_the_first_event() -> None:
    opened, *_ = when(given(SceneBatch), begin())
    assert SceneBatch(opened.originator_id).fold((opened,)).natural_key == ("电影🎬", "storyboard")
