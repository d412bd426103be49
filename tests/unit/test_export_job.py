"""What an export's commands append, and what they refuse."""

from __future__ import annotations

from support.canonical import CLIP, WORKER
from support.exports import (
    OTHER_INPUT,
    WORK,
    begin,
    begin_again,
    complete,
    fail,
    interrupt,
    pause,
    restart,
    restart_if_completed,
    save,
)
from support.scenario import given, when
from support.tables import appends, appends_nothing, refuses

from resumelog.domain.aggregate import Draft, draft
from resumelog.domain.errors import InputsChanged, LeaseLost, NotBegun, NotRunning
from resumelog.domain.export_events import (
    Completed,
    Failed,
    Interrupted,
    Paused,
    Restarted,
    Resumed,
    Started,
)
from resumelog.domain.export_job import ExportJob, ExportStatus

KEY = "成片🎬.mp4"
STARTED = draft(Started, epoch=1, key=KEY, **WORK._asdict(), worker=WORKER)
GONE = "the output is missing or was altered"
CUT_OFF = "pid 4711 on 渲染-01 ended without a word"

HALF = (begin(), save(0.5))
ENDED = (*HALF, complete())


def resumed(epoch: int) -> Draft:
    return draft(Resumed, epoch=epoch, from_progress=0.5, worker=WORKER)


def begun_again(epoch: int, reason: str, work: tuple[str, str, str] = WORK) -> tuple[Draft, Draft]:
    facts = {"epoch": epoch, "key": KEY, **WORK._replace(inputs_sha256=work[2])._asdict()}
    return draft(Restarted, reason=reason, **facts), draft(Started, worker=WORKER, **facts)


test_a_command_appends = appends(
    ExportJob,
    {
        "an idle job starts": ((), begin(), [STARTED]),
        "an interrupted one resumes": ((*HALF, interrupt()), begin(2), [resumed(2)]),
        "a failed one resumes": ((*HALF, fail()), begin(2), [resumed(2)]),
        "a paused one resumes": ((*HALF, pause()), begin(2), [resumed(2)]),
        "a running one is taken over": (HALF, begin(7), [resumed(7)]),
        "an exporter that is at 0 once more": (HALF, begin_again(), begun_again(1, "从头来")),
        "a pause is still asked for when it is": (
            (*HALF, pause()),
            begin_again(),
            [*begun_again(1, "从头来"), draft(Paused, reason="午休 🍜", actor="小王")],
        ),
        "an attempt that was cut off is made visible": (
            HALF,
            begin(2, in_flight=()),
            [draft(Interrupted, epoch=2, cause=CUT_OFF, progress=0.5), resumed(2)],
        ),
        "another input begins again": (
            HALF,
            begin(2, work=OTHER_INPUT),
            begun_again(2, "the input changed", OTHER_INPUT),
        ),
        "a cut off attempt with another input is made visible and begins again": (
            HALF,
            begin(2, work=OTHER_INPUT, in_flight=()),
            [
                draft(Interrupted, epoch=2, cause=CUT_OFF, progress=0.5),
                *begun_again(2, "the input changed", OTHER_INPUT),
            ],
        ),
        "a lost output begins again": (ENDED, begin(2, output_intact=False), begun_again(2, GONE)),
        "a running job pauses": (HALF, pause(), [draft(Paused, reason="午休 🍜", actor="小王")]),
        "a running job is interrupted": (
            HALF,
            interrupt(KeyboardInterrupt()),
            [draft(Interrupted, epoch=1, cause="KeyboardInterrupt", progress=0.5)],
        ),
        "a running job fails": (
            HALF,
            fail(ValueError("坏帧")),
            [draft(Failed, epoch=1, error="ValueError: 坏帧")],
        ),
        "a running job completes": (HALF, complete(), [draft(Completed, epoch=1, artifact=CLIP)]),
        "work that ends during a pause is recorded": (
            (*HALF, pause()),
            complete(None),
            [draft(Completed, epoch=1, artifact=None)],
        ),
        "a job that has begun restarts under a higher epoch": (
            HALF,
            restart(),
            [draft(Restarted, epoch=2, reason="重来", key=KEY, **WORK._asdict())],
        ),
        "a completed job is restarted if it is completed": (
            ENDED,
            restart_if_completed(),
            [draft(Restarted, epoch=2, reason="重来", key=KEY, **WORK._asdict())],
        ),
    },
)


test_a_command_that_has_taken_effect_appends_nothing = appends_nothing(
    ExportJob,
    {
        "begun under the same claim": (HALF, begin()),
        "completed and its output intact": (ENDED, begin(2)),
        "saved the same": (HALF, save(0.5)),
        "at 0 already": ((begin(),), begin_again()),
        "paused already": ((*HALF, pause()), pause("again")),
        "interrupted already": ((*HALF, interrupt()), interrupt()),
        "paused, so not interrupted": ((*HALF, pause()), interrupt()),
        "completed, so not interrupted": (ENDED, interrupt()),
        "failed with the same error": ((*HALF, fail()), fail()),
        "completed with the same artifact": (ENDED, complete()),
        "never begun, so nothing to restart": ((), restart()),
        "restarted already": ((*HALF, restart()), restart()),
        "not completed, so not restarted": (HALF, restart_if_completed()),
    },
)


LATER_EPOCH = (*HALF, begin(2))
test_an_impossible_command_is_refused_by_name = refuses(
    ExportJob,
    [
        ((), pause(), NotRunning, {"command": "pause", "status": "idle"}),
        (ENDED, pause(), NotRunning, {"command": "pause", "status": "completed"}),
        ((*HALF, fail()), save(0.6), NotRunning, {"command": "save progress", "status": "failed"}),
        ((*HALF, interrupt()), fail(), NotRunning, {"command": "fail", "status": "interrupted"}),
        ((*HALF, fail()), fail("2"), NotRunning, {"command": "fail", "status": "failed"}),
        (ENDED, begin_again(), NotRunning, {"command": "begin again", "status": "completed"}),
        (HALF, begin_again(epoch=2), NotBegun, {"epoch": 2, "current": 1}),
        (ENDED, complete(None), NotRunning, {"command": "complete", "status": "completed"}),
        ((), save(), NotBegun, {"epoch": 1, "current": 0}),
        (HALF, complete(epoch=2), NotBegun, {"epoch": 2, "current": 1}),
        (LATER_EPOCH, begin(1), LeaseLost, {"epoch": 1, "current": 2}),
        ((*HALF, interrupt()), begin(1), LeaseLost, {"epoch": 1, "current": 1}),
        (LATER_EPOCH, save(0.6), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, interrupt(), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, fail(), LeaseLost, {"epoch": 1, "current": 2}),
        (LATER_EPOCH, complete(), LeaseLost, {"epoch": 1, "current": 2}),
        ((*HALF, restart()), save(0.6), LeaseLost, {"epoch": 1, "current": 2}),
        (
            HALF,
            begin(2, work=OTHER_INPUT, on_changed_inputs="refuse"),
            InputsChanged,
            {"reason": "the input changed"},
        ),
    ],
)


def test_every_part_of_the_work_that_changed_is_named() -> None:
    other = WORK._replace(exporter="ffmpeg", output_path="/别处.mp4")
    restarted, _ = when(given(ExportJob, *HALF), begin(2, work=other))
    assert isinstance(restarted, Restarted)
    assert restarted.reason == "the exporter and the output path changed"


def test_a_restarted_job_takes_another_input_without_a_word() -> None:
    again = when(given(ExportJob, *HALF, restart()), begin(3, work=OTHER_INPUT))
    assert [type(event) for event in again] == [Started]


def test_each_beginning_counts_as_an_attempt_until_a_restart() -> None:
    twice = (*HALF, interrupt(), begin(2))
    assert given(ExportJob, *twice).attempts == 2
    assert given(ExportJob, *twice, restart(), begin(4)).attempts == 1


def test_an_error_is_forgotten_when_the_work_goes_on() -> None:
    assert given(ExportJob, *HALF, fail()).error == "编码器崩溃 💥"
    assert given(ExportJob, *HALF, fail(), begin(2)).error == ""


def test_a_completed_job_is_whole() -> None:
    job = given(ExportJob, *ENDED)
    assert (job.status, job.progress, job.artifact) == (ExportStatus.COMPLETED, 1.0, CLIP)


def test_a_restart_keeps_the_key_and_the_work_and_nothing_else() -> None:
    job = given(ExportJob, *ENDED, restart())
    assert (job.natural_key, job.work, job.epoch) == ((KEY,), WORK, 2)
    assert (job.progress, job.artifact, job.worker, job.attempts) == (0.0, None, None, 0)
