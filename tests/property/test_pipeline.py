"""Whatever is edited, fails or is made again on purpose: exactly what depends on it is made anew."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from pydantic import JsonValue
from support.pipelines import STAGES, Making, in_stages, pipeline

import resumelog
from resumelog import ResumeLog
from resumelog.domain.scene_batch import SceneBatch

IDS = ("1", "2", "3", "4")
KEYS = st.sampled_from(IDS)
SOME = st.lists(KEYS, min_size=1, max_size=3, unique=True)
MODES = st.sampled_from(("stages", "streaming"))


class PipelineMachine(RuleBasedStateMachine):
    """`valid` is what a model says is done and still stands."""

    log: ResumeLog

    @initialize()
    def begin(self) -> None:
        self.log = resumelog.open("memory:")
        self.making = Making()
        self.texts = dict.fromkeys(IDS, 0)
        self.params = dict.fromkeys(STAGES, 0)
        self.valid = set[tuple[str, str]]()

    @rule(key=KEYS)
    def edit(self, key: str) -> None:
        self.texts[key] += 1
        self.forget(STAGES[0], [key])

    @rule(stage=st.sampled_from(STAGES))
    def other_params(self, stage: str) -> None:
        self.params[stage] += 1
        self.forget(stage, IDS)

    @rule(stage=st.sampled_from(STAGES), keys=SOME)
    def regenerate(self, stage: str, keys: list[str]) -> None:
        if self.log.log.recover(SceneBatch.named("归途", stage)).version:
            self.log.scenes.regenerate("归途", stage, keys)
            self.forget(stage, keys)

    @rule(stage=st.sampled_from(STAGES), key=KEYS)
    def fail_once(self, stage: str, key: str) -> None:
        self.making.fails[stage, key] = 1

    @rule(mode=MODES)
    def run(self, mode: Any) -> None:
        expected = list[tuple[str, str]]()
        for key in IDS:
            for stage in STAGES:
                if (stage, key) in self.valid:
                    continue
                expected.append((stage, key))
                if self.making.fails.get((stage, key)):
                    break
                self.valid.add((stage, key))
        scenes: list[JsonValue] = [{"id": key, "text": self.texts[key]} for key in IDS]
        of_stage: dict[str, Any] = {name: {"params": {"n": self.params[name]}} for name in STAGES}
        report = pipeline(self.log, self.making, scenes, **of_stage).run(mode=mode)
        assert self.making.taken() == sorted(expected)
        assert report.is_complete == (len(self.valid) == len(IDS) * len(STAGES))
        done = [one.done for one in report.stages.values()]
        assert done == [sum(at[0] == stage for at in self.valid) for stage in STAGES]

    def forget(self, stage: str, keys: Any) -> None:
        self.valid -= {*in_stages(*keys, since=stage)}

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()


TestPipeline = PipelineMachine.TestCase
