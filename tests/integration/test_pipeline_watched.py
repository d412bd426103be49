"""What people see of a pipeline, and what they read of it: bars and facts by stage, results in order."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.logs import scenes
from support.pipelines import STAGES, Making, pipeline

from resumelog import (
    BadArgument,
    BatchFacts,
    Pipeline,
    ProgressBars,
    ResumeLog,
    Scene,
    SceneUpdate,
    Stage,
    progress_bar,
)

FOUR = scenes(1, 2, 3, 4)


@pytest.fixture(params=["stages", "streaming"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


def shown(flow: Pipeline, mode: Any, *, title: str | None = None, terminal: bool) -> list[str]:
    """Run it below bars, and return the lines that stand there in the end."""
    written = io.StringIO()
    console = Console(file=written, width=200, force_terminal=terminal, color_system=None)
    with ProgressBars(console=console, line_every_s=1e9) as bars, bars.showing(flow, title):
        assert flow.run(mode=mode)
    text = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\r", "\n", written.getvalue())
    return [line.strip() for line in text.splitlines()]


# Bars and facts


def test_elsewhere_than_on_a_terminal_each_stage_has_its_lines(log: ResumeLog, mode: Any) -> None:
    lines = shown(pipeline(log, Making(), FOUR), mode, terminal=False)
    assert [line.split(": ")[0] for line in lines] == [f"归途/{stage}" for stage in STAGES]
    assert all(": 4 of 4 · took " in line for line in lines)


def test_on_a_terminal_each_stage_has_its_bar(log: ResumeLog, mode: Any) -> None:
    making = Making(fails={("image", "3"): 1})
    lines = shown(pipeline(log, making, FOUR), mode, title="成片", terminal=True)
    ends = {line.split()[0]: line for line in lines if line.startswith("成片/")}
    assert [*ends] == [f"成片/{stage}" for stage in STAGES]
    assert " 4 of 4 · took " in ends["成片/storyboard"]
    assert " 3 of 4 · 1 failed · " in ends["成片/image"]
    assert " 3 of 4 · " in ends["成片/video"]


def test_what_is_done_already_is_shown_so(log: ResumeLog) -> None:
    flow = pipeline(log, Making(), FOUR)
    assert flow.run().is_complete
    lines = shown(flow, "stages", terminal=False)
    assert lines == [f"归途/{stage}: finished already" for stage in STAGES]
    with progress_bar(flow, disable=True):
        assert flow.run().is_complete


def test_each_stage_tells_its_facts_in_every_run_until_that_is_ended(
    log: ResumeLog, mode: Any
) -> None:
    told = list[tuple[str, BatchFacts]]()
    flow = pipeline(log, Making(fails={("audio", "2"): 1}), FOUR, image={"workers": 3})
    end = flow.on_progress(lambda stage, facts: told.append((stage, facts)))
    flow.on_progress(lambda *_: 1 // 0)  # is logged, and spoils nothing
    assert told == []
    flow.run(mode=mode)
    newest = dict(told)
    assert {stage: facts.done for stage, facts in newest.items()} == dict(
        zip(STAGES, (4, 4, 4, 3, 3), strict=True)
    )
    assert newest["audio"].failed == 1
    assert [one.progress_facts()[:5] for one in flow.progress] == [
        newest[stage][:5] for stage in STAGES
    ]
    assert flow.run(mode=mode).is_complete
    assert dict(told)["video"].done == 4
    end()
    told.clear()
    log.scenes.regenerate("归途", "video", ["1"])
    assert flow.run(mode=mode).is_complete
    assert told == []


def test_before_it_is_run_a_stage_has_all_to_do(log: ResumeLog) -> None:
    flow = pipeline(log, Making(), FOUR)
    assert {one.progress_facts()[:5] for one in flow.progress} == {(0, 0, 0, 4, 4)}


def test_a_stages_time_begins_when_its_scenes_do(log: ResumeLog) -> None:
    told = list[BatchFacts]()
    making = Making(takes_s=0.05)
    flow = pipeline(log, making, FOUR)
    flow.on_progress(lambda stage, facts: told.append(facts) if stage == "video" else None)
    report = flow.run()
    whole_s = sum(one.elapsed_s for one in report.stages.values())
    assert told[-1].elapsed_s < whole_s / 2


def test_calls_about_scenes_end_when_they_are_asked_to(log: ResumeLog) -> None:
    flow, told = pipeline(log, Making(), scenes(1)), list[tuple[str, str]]()

    def note(stage: str, update: SceneUpdate) -> None:
        told.append((stage, str(update.state)))
        if stage == "image":
            end()

    end = flow.on_scene(note)
    assert flow.run().is_complete
    assert told == [
        ("storyboard", "begun"),
        ("storyboard", "done"),
        ("enhancement", "begun"),
        ("enhancement", "done"),
        ("image", "begun"),
    ]


# Results


def test_the_results_of_a_stage_are_read_in_order(log: ResumeLog, mode: Any) -> None:
    flow = pipeline(log, Making(fails={("image", "3"): 1}), FOUR, storyboard={"workers": 4})
    assert [*flow.results("storyboard")] == []
    flow.run(mode=mode)
    assert [scene.key for scene, _ in flow.results("storyboard")] == ["1", "2", "3", "4"]
    assert [scene.key for scene, _ in flow.results("video")] == ["1", "2", "4"]
    for scene, result in flow.results("video"):
        assert result == [f"{stage} {scene.content}" for stage in STAGES]
        assert scene.attempt == 1


def test_results_are_read_while_a_run_goes_on(log: ResumeLog) -> None:
    making, seen = Making(), list[str]()
    flow = pipeline(log, making, FOUR)

    def before(stage: str, scene: Scene) -> None:
        if (stage, scene.key) == ("video", "1"):
            seen.extend(scene.key for scene, _ in flow.results("storyboard"))

    making.before = before
    assert flow.run().is_complete
    assert seen == ["1", "2", "3", "4"]


def test_results_that_the_next_run_makes_again_are_left_out(log: ResumeLog, tmp_path: Path) -> None:
    def draw(scene: Scene) -> str:
        assert scene.partial
        scene.partial.write_bytes(b"pixels")
        return scene.key

    def flow(plan: list[Any]) -> Pipeline:
        stages = [Stage("image", draw, artifact="{key}.png"), Stage("video", lambda s: s.before)]
        return log.scenes.pipeline("归途", stages, scenes=plan)

    assert flow(FOUR).run().is_complete
    (tmp_path / "2.png").unlink()
    other = scenes(1, 2) + scenes(3, mood="雨") + scenes(4)
    assert [result for _, result in flow(other).results("image")] == ["1", "4"]
    assert [result for _, result in flow(other).results("video")] == ["1", "2", "4"]
    log.scenes.regenerate("归途", "image", ["4"])
    assert [result for _, result in flow(FOUR).results("video")] == ["1", "2", "3"]


def test_results_of_a_stage_that_there_is_not_are_refused(log: ResumeLog) -> None:
    with pytest.raises(BadArgument, match="the stages are storyboard, enhancement"):
        pipeline(log, Making(), FOUR).results("audoi")
