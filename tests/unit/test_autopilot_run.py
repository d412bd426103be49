"""Who drives a run, and how it starts, pauses, stops and is recovered."""

from __future__ import annotations

import pytest
from support.canonical import WORKER, later
from support.runs import (
    COMPLETED,
    FAILED,
    STARTED,
    WORKING,
    RunCommand,
    complete_step,
    configure,
    pause,
    poll_failed,
    recover,
    reset,
    resume,
    save,
    start,
    start_step,
    stop,
)
from support.scenario import given, when
from support.tables import appends, appends_nothing, refuses

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.autopilot_events import (
    Configured,
    Paused,
    Recovered,
    Reset,
    Resumed,
    Started,
    Stopped,
)
from resumelog.domain.autopilot_run import DEFAULT_STEPS, IDLE, AutoPilotRun, RunStatus
from resumelog.domain.errors import (
    BadKey,
    BadMode,
    BadSteps,
    LeaseLost,
    ModeNotAuto,
    NotActive,
    NotPaused,
)

KEY = "sim-模拟-1"
DRIVER = "pid 4711 on 渲染-01"


def configured(mode: str) -> Draft:
    return draft(Configured, simulation_id=KEY, mode=mode, actor="小王")


def started(epoch: int, *, forced: bool = False, steps: tuple[str, ...] = DEFAULT_STEPS) -> Draft:
    return draft(Started, epoch=epoch, forced=forced, steps=steps, worker=WORKER)


def recovered(epoch: int, from_step: str = "preparing") -> Draft:
    return draft(Recovered, epoch=epoch, from_step=from_step, worker=WORKER)


def reset_by(actor: str, epoch: int) -> Draft:
    return draft(Reset, epoch=epoch, simulation_id=KEY, mode="auto", actor=actor)


test_a_command_appends = appends(
    AutoPilotRun,
    {
        "a new run is configured": ((), configure(), [configured("auto")]),
        "a new run is configured to what is the default": (
            (),
            configure("manual"),
            [configured("manual")],
        ),
        "manual on an active run pauses it": (
            WORKING,
            configure("manual"),
            [configured("manual"), draft(Paused, reason="configured to manual", actor="小王")],
        ),
        "a configured run starts": ((configure(),), start(), [started(1)]),
        "a run of its own steps starts": (
            (configure(),),
            start(steps=("画", "完")),
            [started(1, steps=("画", "完"))],
        ),
        "a failed run starts again": (FAILED, start(2), [started(2)]),
        "a stopped run starts again": ((*WORKING, stop()), start(3), [started(3)]),
        "a paused run is resumed and taken over": (
            (*WORKING, pause()),
            start(2),
            [draft(Resumed, actor=DRIVER), recovered(2)],
        ),
        "a paused run is resumed in the name of who asked": (
            (*WORKING, pause()),
            start(2, actor="小李"),
            [draft(Resumed, actor="小李"), recovered(2)],
        ),
        "an active run is taken over": (WORKING, start(2), [recovered(2)]),
        "a forced start forgets what was done": (
            COMPLETED,
            start(2, forced=True, actor="小李"),
            [reset_by("小李", 2), started(2, forced=True)],
        ),
        "a forced start of a fresh run only starts": (
            (configure(),),
            start(forced=True),
            [started(1, forced=True)],
        ),
        "an active run is recovered after its last completed step": (
            (*WORKING, complete_step()),
            recover(),
            [recovered(2, "starting")],
        ),
        "an active run pauses": (WORKING, pause(), [draft(Paused, reason="午休 🍜", actor="小王")]),
        "a paused run resumes": ((*WORKING, pause()), resume(), [draft(Resumed, actor="小王")]),
        "an active run stops under a higher epoch": (
            WORKING,
            stop(),
            [draft(Stopped, epoch=2, actor="小王")],
        ),
        "a paused run stops": (
            (*WORKING, pause()),
            stop(),
            [draft(Stopped, epoch=2, actor="小王")],
        ),
        "a working run is reset": (WORKING, reset(), [reset_by("小王", 2)]),
        "a failed run is reset": (FAILED, reset(), [reset_by("小王", 2)]),
        "a completed run is reset": (COMPLETED, reset(), [reset_by("小王", 2)]),
    },
)


test_a_command_that_has_taken_effect_appends_nothing = appends_nothing(
    AutoPilotRun,
    {
        "configured the same": ((configure(),), configure()),
        "started under the same claim": (STARTED, start()),
        "completed, so not started": (COMPLETED, start(2)),
        "recovered already": ((*WORKING, recover()), recover()),
        "paused, so not recovered": ((*WORKING, pause()), recover()),
        "paused already": ((*WORKING, pause()), pause("again")),
        "active, so not resumed": (WORKING, resume()),
        "never started, so not recovered": ((configure(),), recover()),
        "stopped already": ((*WORKING, stop()), stop()),
        "completed, so not stopped": (COMPLETED, stop()),
        "never started, so not stopped": ((configure(),), stop()),
        "unknown, so not reset": ((), reset()),
        "reset already": ((*WORKING, reset()), reset()),
    },
)


test_an_impossible_command_is_refused_by_name = refuses(
    AutoPilotRun,
    [
        ((), configure("semi"), BadMode, {"mode": "semi"}),
        ((), configure(None), BadMode, {"mode": None}),
        ((), pause(), NotActive, {"command": "pause", "status": "inactive"}),
        (COMPLETED, pause(), NotActive, {"command": "pause", "status": "completed"}),
        ((), resume(), NotPaused, {"status": "inactive"}),
        ((), start(), ModeNotAuto, {"mode": "manual"}),
        ((*WORKING, recover()), start(1), LeaseLost, {"epoch": 1, "current": 2}),
        ((*WORKING, recover()), recover(1), LeaseLost, {"epoch": 1, "current": 2}),
        ((configure(),), start(steps=("完",)), BadSteps, {"steps": ("完",)}),
        ((configure(),), start(steps=("a", "a", "b")), BadSteps, {"steps": ("a", "a", "b")}),
        ((configure(),), start(steps=(IDLE, "b")), BadSteps, {"steps": (IDLE, "b")}),
    ],
)


def test_a_step_that_can_name_nothing_is_refused() -> None:
    with pytest.raises(BadKey, match="control characters"):
        when(given(AutoPilotRun, configure()), start(steps=("a\n", "b")))


def test_an_unfinished_run_is_never_taken_for_a_new_one() -> None:
    run = given(AutoPilotRun, *WORKING, complete_step(), recover())
    assert (run.next_step, run.last_completed_step, run.epoch) == ("starting", "preparing", 2)


def test_a_stop_keeps_what_is_completed() -> None:
    run = given(AutoPilotRun, *WORKING, complete_step(), stop(), start(3))
    assert (run.status, run.next_step) == (RunStatus.ACTIVE, "starting")


def test_other_steps_keep_those_that_are_completed() -> None:
    run = given(
        AutoPilotRun,
        *WORKING,
        complete_step(),
        stop(),
        start(3, steps=("preparing", "画", "完")),
    )
    assert run.next_step == "画"


def test_a_reset_keeps_the_mode_and_the_key_and_nothing_else() -> None:
    run = given(AutoPilotRun, *COMPLETED, reset())
    assert (run.natural_key, run.mode, run.epoch) == ((KEY,), "auto", 2)
    assert (run.status, run.step, run.completed) == (RunStatus.INACTIVE, IDLE, {})


def test_a_reset_forgets_the_progress_of_a_run_that_was_started_and_stopped_again() -> None:
    again = (*WORKING, save(50.0), stop(), start(3), stop())
    run = given(AutoPilotRun, *again, reset())
    assert (run.step, run.progress, run.active_s) == (IDLE, None, 0.0)


SAVED = (*WORKING, save(10, active_s=100.0, at=later(100)))


def times(*commands: RunCommand) -> tuple[float, float]:
    run = given(AutoPilotRun, *commands)
    return run.active_s, run.down_s


def test_downtime_of_an_active_run_is_counted_beside_its_time_at_work() -> None:
    assert times(*SAVED, recover(at=later(160))) == (100.0, 60.0)
    assert times(*SAVED, recover(at=later(160)), recover(3, at=later(200))) == (100.0, 100.0)


def test_downtime_is_never_negative() -> None:
    assert times(*SAVED, recover(at=later(40))) == (100.0, 0.0)


def test_what_says_nothing_of_the_time_at_work_loses_none_of_it() -> None:
    failed = poll_failed(at=later(130))
    assert times(*SAVED, failed, recover(at=later(160))) == (100.0, 60.0)


def test_a_pause_does_not_count() -> None:
    assert times(*SAVED, pause(at=later(100)), start(2, at=later(9999))) == (100.0, 0.0)


def test_what_a_cut_off_worker_did_before_a_pause_counts() -> None:
    paused = (*SAVED, pause(at=later(110)))
    assert times(*paused, start(2, at=later(9999))) == (100.0, 10.0)
    assert times(*paused, save(11, active_s=111.0, at=later(111)), start(2, at=later(9999))) == (
        111.0,
        0.0,
    )


def test_downtime_after_a_resumption_counts() -> None:
    paused = (*SAVED, pause(at=later(100)), resume(at=later(500)))
    assert times(*paused, recover(at=later(520))) == (100.0, 20.0)


def test_downtime_before_a_step_was_begun_is_not_counted_as_its_own() -> None:
    done = (*SAVED, complete_step(active_s=100.0, at=later(100)), recover(at=later(9999)))
    assert times(*done) == (0.0, 0.0)
    assert times(*STARTED, recover(at=later(9999))) == (0.0, 0.0)


def test_each_step_has_its_own_downtime() -> None:
    done = (*SAVED, recover(at=later(160)), start_step(attempt=2, epoch=2), complete_step(epoch=2))
    assert times(*done) == (0.0, 0.0)
