"""Five stages whose functions note what they make; each result holds that of the stage before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pydantic import JsonValue

from resumelog import Pipeline, ResumeLog, Scene, Stage

STAGES = ("storyboard", "enhancement", "image", "audio", "video")


class Making:
    """What was made, in order; scenes of a stage fail as often as `fails` says."""

    def __init__(self, fails: dict[tuple[str, str], int] | None = None, takes_s: float = 0) -> None:
        self.made = list[tuple[str, str]]()
        self.fails, self.takes_s = fails or {}, takes_s
        self.before: Callable[[str, Scene], object] = lambda *_: None
        self.version = dict[tuple[str, str], str]()

    def stage(self, name: str, **options: Any) -> Stage:
        return Stage(name, lambda scene: self.make(name, scene), **options)

    def make(self, stage: str, scene: Scene) -> JsonValue:
        at = (stage, scene.key)
        self.made.append(at)
        self.before(stage, scene)
        time.sleep(self.takes_s)
        if self.fails.get(at, 0):
            self.fails[at] -= 1
            raise RuntimeError("渲染失败")
        assert (scene.before is None) == (stage == STAGES[0])
        own = f"{stage} {scene.content}{self.version.get(at, '')}"
        return [*(scene.before if isinstance(scene.before, list) else []), own]

    def taken(self) -> list[tuple[str, str]]:
        """Return what was made since the last time, sorted."""
        made, self.made = sorted(self.made), []
        return made


def pipeline(
    log: ResumeLog, making: Making, scenes: list[JsonValue], **of_stage: dict[str, Any]
) -> Pipeline:
    stages = [making.stage(name, **of_stage.get(name, {})) for name in STAGES]
    return log.scenes.pipeline("归途", stages, scenes=scenes)


def in_stages(*keys: str, since: str = STAGES[0]) -> list[tuple[str, str]]:
    """Return these scenes in a stage and all after it, sorted."""
    later = STAGES[STAGES.index(since) :]
    return sorted((stage, key) for stage in later for key in keys)


def results(log: ResumeLog, scenes: list[JsonValue], stage: str = STAGES[-1]) -> list[JsonValue]:
    """Return the results of a stage, in order."""
    after = STAGES[STAGES.index(stage) - 1]
    with log.scenes.open("归途", stage, scenes=scenes, after=after) as batch:
        return [result for _, result in batch.results()]
