"""Stages as one workflow: in order or scene by scene, and exactly what depends on a change is redone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.logs import Store, events_of, scenes
from support.pipelines import STAGES, Making, in_stages, pipeline, results

from resumelog import (
    AlreadyRunning,
    BadArgument,
    Pipeline,
    ResumeLog,
    Retry,
    Scene,
    SceneUpdate,
    Stage,
    StopFlag,
    UnknownScene,
)
from resumelog.domain.scene_events import Interrupted, SceneInvalidated

FOUR = scenes(1, 2, 3, 4)
KEYS = ("1", "2", "3", "4")


@pytest.fixture(params=["memory:", "jobs.db"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResumeLog]:
    url = request.param if request.param == "memory:" else str(tmp_path / request.param)
    store = Store(url, tmp_path)
    yield store.open()
    store.close()


@pytest.fixture(params=["stages", "streaming"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


def reasons(log: ResumeLog, stage: str) -> list[tuple[str, str]]:
    events = events_of(log, f"归途/{stage}")
    return [(one.scene, one.reason) for one in events if isinstance(one, SceneInvalidated)]


def test_every_scene_goes_through_every_stage_once(log: ResumeLog, mode: Any) -> None:
    making = Making()
    report = pipeline(log, making, FOUR).run(mode=mode)
    assert report.is_complete
    assert making.taken() == in_stages(*KEYS)
    assert {one.status for one in report.stages.values()} == {"completed"}
    assert [*report.stages] == [*STAGES]
    assert str(report).startswith("storyboard: 4 of 4 scenes done (4 now)")
    assert pipeline(log, making, FOUR).run(mode=mode).is_complete
    assert making.taken() == []


def test_stages_follow_each_other(log: ResumeLog) -> None:
    making = Making()
    pipeline(log, making, FOUR).run()
    assert making.made == [(stage, key) for stage in STAGES for key in KEYS]


def test_streaming_stages_overlap(log: ResumeLog) -> None:
    """The last scene of the first stage waits until the first one is through the last stage."""
    making, through = Making(), threading.Event()

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.key) == (STAGES[-1], "1"):
            through.set()
        if (stage, scene.key) == (STAGES[0], "4"):
            assert through.wait(10)

    making.before = before
    assert pipeline(log, making, FOUR).run(mode="streaming").is_complete


def test_a_scene_that_fails_is_missing_later_and_the_others_go_on(
    log: ResumeLog, mode: Any
) -> None:
    making = Making(fails={("image", "3"): 1})
    report = pipeline(log, making, FOUR).run(mode=mode)
    assert {name: one.done for name, one in report.stages.items()} == dict(
        zip(STAGES, (4, 4, 3, 3, 3), strict=True)
    )
    assert [scene.key for scene in report.stages["image"].failed] == ["3"]
    assert report.stages["audio"].cause == "1 scene waits for image"
    assert report.stages["video"].cause == "1 scene waits for audio"
    (*_, last) = events_of(log, "归途/audio")
    assert isinstance(last, Interrupted)
    assert last.cause == "left with 1 scene to do, 0 of them failed; 1 scene waits for image"
    assert making.taken() == sorted({*in_stages(*KEYS)} - {("audio", "3"), ("video", "3")})
    assert pipeline(log, making, FOUR).run(mode=mode).is_complete
    assert making.taken() == in_stages("3", since="image")


def test_a_retry_in_one_stage_holds_up_no_other_scene(log: ResumeLog) -> None:
    making = Making(fails={("image", "1"): 1})
    retrying = {"retry": Retry(2, backoff_s=0.05, jitter_s=0)}
    assert pipeline(log, making, FOUR, image=retrying).run(mode="streaming").is_complete
    assert making.made.index(("video", "2")) < making.made.index(("video", "1"))


def test_regenerate_redoes_a_scene_in_its_stage_and_all_later_ones(
    log: ResumeLog, mode: Any
) -> None:
    making = Making()
    pipeline(log, making, FOUR).run(mode=mode)
    making.taken()
    new = log.scenes.regenerate("归途", "storyboard", ["2"], reason="太暗", actor="小王")
    assert [*new] == [*STAGES]
    assert reasons(log, "storyboard") == [("2", "asked for by 小王: 太暗")]
    why = "it is made again in storyboard, asked for by 小王: 太暗"
    assert all(reasons(log, stage) == [("2", why)] for stage in STAGES[1:])
    assert pipeline(log, making, FOUR).run(mode=mode).is_complete
    assert making.taken() == in_stages("2")


def test_regenerate_in_the_middle_leaves_the_earlier_stages(log: ResumeLog) -> None:
    making = Making()
    pipeline(log, making, FOUR).run()
    making.taken()
    assert [*log.scenes.regenerate("归途", "audio", ["1", "4"])] == ["audio", "video"]
    pipeline(log, making, FOUR).run()
    assert making.taken() == in_stages("1", "4", since="audio")


def test_regenerate_marks_only_what_is_done(log: ResumeLog) -> None:
    making = Making(fails={("image", "3"): 1})
    pipeline(log, making, FOUR).run()
    new = log.scenes.regenerate("归途", "storyboard", ["3"])
    assert [len(events) for events in new.values()] == [2, 2, 0, 0, 0]
    assert not any(log.scenes.regenerate("归途", "storyboard", ["3"]).values())
    with pytest.raises(UnknownScene):
        log.scenes.regenerate("归途", "storyboard", ["9"])


def test_an_edited_scene_is_redone_in_all_stages(log: ResumeLog, mode: Any) -> None:
    making = Making()
    pipeline(log, making, FOUR).run(mode=mode)
    making.taken()
    edited = scenes(1) + scenes(2, mood="雨") + scenes(3, 4)
    assert pipeline(log, making, edited).run(mode=mode).is_complete
    assert making.taken() == in_stages("2")


def test_other_params_of_a_stage_redo_it_and_the_later_ones(log: ResumeLog, mode: Any) -> None:
    making = Making()
    pipeline(log, making, FOUR).run(mode=mode)
    making.taken()
    oil = {"params": {"style": "油画"}}
    assert pipeline(log, making, FOUR, enhancement=oil).run(mode=mode).is_complete
    assert making.taken() == in_stages(*KEYS, since="enhancement")
    assert reasons(log, "enhancement")[0] == ("1", "its input or its command changed")
    assert reasons(log, "image")[0] == ("1", "it is to be made again in enhancement")


def test_a_pause_of_one_stage_ends_it_and_the_later_ones_make_what_is_there(
    log: ResumeLog, mode: Any
) -> None:
    making = Making()

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.key) == ("image", "2"):
            log.scenes.pause("归途", "image", "午休", "小王")
            threading.Event().wait(0.1)

    making.before = before
    report = pipeline(log, making, FOUR).run(mode=mode)
    assert report.stages["image"].cause == "the batch was paused by 小王: 午休"
    assert [one.done for one in report.stages.values()] == [4, 4, 2, 2, 2]
    assert report.stages["audio"].cause == "2 scenes wait for image"
    making.before = lambda *_: None
    making.taken()
    assert pipeline(log, making, FOUR).run(mode=mode).is_complete
    assert making.taken() == in_stages("3", "4", since="image")


def test_a_stop_flag_ends_all_stages_after_the_scenes_in_flight(log: ResumeLog, mode: Any) -> None:
    making, flag = Making(), StopFlag()
    making.before = lambda _, scene: flag.set("够了") if scene.key == "2" else None
    report = pipeline(log, making, FOUR).run(mode=mode, stop=flag)
    assert not report.is_complete
    assert {one.cause for one in report.stages.values()} == {"够了"}
    assert ("storyboard", "2") in making.made
    assert ("storyboard", "4") not in making.made


def test_an_interrupt_leaves_every_stage_with_its_cause(log: ResumeLog, mode: Any) -> None:
    making = Making()
    flow = pipeline(log, making, FOUR)
    hits = 0

    def interrupt(stage: str, update: object) -> None:
        nonlocal hits
        del stage, update
        hits += 1
        if hits == 5:
            raise KeyboardInterrupt

    flow.on_scene(interrupt)
    with pytest.raises(KeyboardInterrupt):
        flow.run(mode=mode)
    for stage in STAGES:
        (*_, last) = events_of(log, f"归途/{stage}")
        assert isinstance(last, Interrupted)
        assert last.cause.startswith("KeyboardInterrupt")
        assert last.in_flight == (), "what was in flight has ended"
    done = sum(log.queries.find(f"归途/{stage}").done for stage in STAGES)  # type: ignore[attr-defined] # these are batches
    assert done == len(making.taken())
    assert pipeline(log, making, FOUR).run(mode=mode).is_complete
    assert len(making.taken()) == 4 * len(STAGES) - done


def test_a_scene_redone_while_later_stages_are_open_marks_them_at_once(log: ResumeLog) -> None:
    making = Making()
    making.version["storyboard", "1"] = ""

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.key) == ("video", "1") and not making.version["storyboard", "1"]:
            making.version["storyboard", "1"] = "!"
            state = log.log.recover(log.queries.find("归途/storyboard"))
            at = log.clock.now()
            log.log.decide(state, lambda s: s.invalidate({"1": "太暗"}, {"1"}, at))  # type: ignore[attr-defined] # a batch
            assert again.wait(10)
        if (stage, scene.key) == ("storyboard", "1") and making.version["storyboard", "1"]:
            again.set()

    again = threading.Event()
    making.before = before
    one = scenes(1)
    assert pipeline(log, making, one).run(mode="streaming").is_complete
    assert making.taken() == sorted(in_stages("1") * 2)
    (result,) = results(log, one)
    assert isinstance(result, list)
    assert str(result[0]).endswith("!")
    assert reasons(log, "image") == [("1", "it is to be made again in enhancement")]


def test_a_scene_in_flight_whose_input_was_redone_meanwhile_is_made_again(log: ResumeLog) -> None:
    making, redone = Making(), threading.Event()
    flow = pipeline(log, making, scenes(1))

    def before(stage: str, scene: Scene) -> None:
        assert scene.key == "1"
        if stage == "video" and not redone.is_set():
            making.version["audio", "1"] = "!"
            log.scenes.regenerate("归途", "audio", ["1"])
            assert redone.wait(10)

    def noted(stage: str, update: SceneUpdate) -> None:
        if (stage, update.state) == ("audio", "done") and update.scene.attempt == 2:
            redone.set()

    making.before = before
    flow.on_scene(noted)
    assert flow.run(mode="streaming").is_complete
    assert making.taken() == sorted([*in_stages("1"), *in_stages("1", since="audio")])
    assert reasons(log, "video") == [("1", "its input or its command changed")]


def test_a_scene_that_fails_on_an_input_that_was_redone_meanwhile_is_made_again(
    log: ResumeLog,
) -> None:
    making, redone = Making(), threading.Event()
    flow = pipeline(log, making, scenes(1), video={"stop_after_failures": 1})

    def before(stage: str, scene: Scene) -> None:
        if stage == "video" and scene.attempt == 1:
            making.version["audio", "1"] = "!"
            log.scenes.regenerate("归途", "audio", ["1"])
            assert redone.wait(10)
            raise ValueError("旧的声音")

    def noted(stage: str, update: SceneUpdate) -> None:
        if (stage, update.state) == ("audio", "done") and update.scene.attempt == 2:
            redone.set()

    making.before = before
    flow.on_scene(noted)
    report = flow.run(mode="streaming")
    assert report.is_complete, report
    assert making.taken() == sorted([*in_stages("1"), *in_stages("1", since="audio")])


def test_regenerate_beside_a_pipeline_that_is_at_work_is_done_by_it(log: ResumeLog) -> None:
    making = Making()
    asked = list[object]()

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.key) == ("video", "3") and not asked:
            asked.append(log.scenes.regenerate("归途", "storyboard", ["2"]))

    making.before = before
    flow = pipeline(log, making, FOUR, video={"workers": 1})
    assert flow.run(mode="streaming").is_complete
    assert making.taken() == sorted(in_stages(*KEYS) + in_stages("2"))


def test_a_run_by_itself_leaves_what_is_not_done_before_it(log: ResumeLog) -> None:
    making = Making(fails={("storyboard", "2"): 1})
    with log.scenes.open("归途", "storyboard", scenes=FOUR) as batch:
        batch.run(lambda scene: making.make("storyboard", scene))
    with log.scenes.open("归途", "image", scenes=FOUR, after="storyboard") as batch:
        report = batch.run(lambda scene: making.make("image", scene), workers=2)
        assert (report.done, report.remaining, report.cause) == (
            3,
            1,
            "1 scene waits for storyboard",
        )
        assert [*batch.remaining()] == []


def test_one_pipeline_at_a_time(log: ResumeLog) -> None:
    making = Making()

    def before(*_: object) -> None:
        with pytest.raises(AlreadyRunning):
            pipeline(log, Making(), FOUR).run()

    making.before = before
    assert pipeline(log, making, scenes(1)).run().is_complete


def test_files_are_handed_on(log: ResumeLog, tmp_path: Path) -> None:
    def draw(scene: Scene) -> None:
        assert scene.partial
        scene.partial.write_bytes(b"pixels" + scene.key.encode())

    def film(scene: Scene) -> str:
        assert scene.before_file
        return scene.before_file.read_bytes().decode()

    stages = [Stage("image", draw, artifact="{key}.png"), Stage("video", film)]
    flow = log.scenes.pipeline("归途", stages, scenes=FOUR)
    assert flow.run(mode="streaming").is_complete
    (tmp_path / "2.png").unlink()
    report = flow.run()
    assert [one.durations.keys() for one in report.stages.values()] == [{"2"}, {"2"}]


@pytest.mark.parametrize(
    "make",
    [
        list,
        lambda: [Stage("a", str), Stage("a", str)],
        lambda: [Stage("a", str, after="b"), Stage("b", str)],
        lambda: [Stage("a", str, workers=0)],
    ],
    ids=["none", "twice", "after a later one", "no workers"],
)
def test_stages_that_can_not_be_meant_are_refused(log: ResumeLog, make: Any) -> None:
    with pytest.raises(BadArgument):
        log.scenes.pipeline("归途", make(), scenes=FOUR)
    assert log.queries.jobs() == []


def test_a_mode_that_there_is_not_is_refused(log: ResumeLog) -> None:
    flow: Pipeline = pipeline(log, Making(), FOUR)
    with pytest.raises(BadArgument):
        flow.run(mode="parallel")  # type: ignore[arg-type] # that is what is refused


def test_a_stop_flag_that_is_none_is_refused(log: ResumeLog) -> None:
    with pytest.raises(BadArgument, match="give a StopFlag"):
        pipeline(log, Making(), FOUR).run(stop="午饭")  # type: ignore[arg-type] # as above
    assert log.queries.jobs() == []
