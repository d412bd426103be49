"""Runs over a batch in any order: failures, edits, pauses, kills and retries leave what a model says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.logs import Store

from resumelog import Batch, Retry, Scene
from resumelog.domain.scene_batch import SceneBatch

KEYS = ("a", "b", "c", "d")
SOME = st.lists(st.sampled_from(KEYS), min_size=1, unique=True).map(sorted)
ENDS = st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3), max_size=3)
WORKERS = st.sampled_from((1, 1, 3))


class SceneRunMachine(RuleBasedStateMachine):
    """`done` holds the text each scene was made from, `attempts` how often it was tried."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store("memory:", Path(self.folder.name))
        self.log = self.store.open()
        self.texts = dict.fromkeys(KEYS, 0)
        self.plan = [*KEYS]
        self.done: dict[str, int] = {}
        self.attempts = dict.fromkeys(KEYS, 0)
        self.runs = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def opened(self) -> Batch:
        plan: list[Any] = [{"id": key, "text": self.texts[key]} for key in self.plan]
        batch = self.log.scenes.open("电影", "分镜", scenes=plan)
        for key in self.plan:
            if self.done.get(key) != self.texts[key]:
                self.done.pop(key, None)
        return batch

    def left(self) -> list[str]:
        return [key for key in self.plan if key not in self.done]

    @rule(key=st.sampled_from(KEYS))
    def edit(self, key: str) -> None:
        self.texts[key] += 1

    @rule(plan=SOME)
    def revise(self, plan: list[str]) -> None:
        self.plan = plan

    @rule(fails=ENDS, tries=st.integers(1, 2), workers=WORKERS)
    def run(self, fails: dict[str, int], tries: int, workers: int) -> None:
        """Let each of some scenes fail so many times."""
        batch, left, made = self.opened(), self.left(), list[str]()
        function = scripted(dict(fails), made)
        retry = Retry(attempts=tries, backoff_s=0, jitter_s=0)
        with batch:
            report = batch.run(function, workers=workers, retry=retry)
        expected = {key: min(tries, fails.get(key, 0) + 1) for key in left}
        assert {key: made.count(key) for key in left} == expected
        assert len(made) == sum(expected.values()), "what was done was made again"
        for key in left:
            self.attempts[key] += expected[key]
            if fails.get(key, 0) < tries:
                self.done[key] = self.texts[key]
        assert [each.key for each in report.failed] == self.left()
        assert report.is_complete == (not self.left())

    @rule(at=st.integers(0, 3), ask=st.sampled_from(("pause", "stop")))
    def run_until_asked_to_leave(self, at: int, ask: str) -> None:
        batch, left = self.opened(), self.left()

        def function(scene: Scene) -> int:
            if at < len(left) and scene.key == left[at]:
                getattr(self.log.scenes, ask)("电影", "分镜")
                run.look_at()
            return scene.index

        run = Looking(batch)
        with batch:
            batch.run(function)
        made = left[: at + 1] if at < len(left) else left
        for key in made:
            self.attempts[key] += 1
            self.done[key] = self.texts[key]

    @rule(at=st.integers(0, 3))
    def die(self, at: int) -> None:
        """Make some scenes, begin another, and be gone without a word."""
        batch, left = self.opened(), self.left()
        if batch.is_over:
            return
        for key in left[:at]:
            batch.complete(batch.scene(key), 1)
            self.attempts[key] += 1
            self.done[key] = self.texts[key]
        for key in left[at : at + 1]:
            batch.begin([batch.scene(key)])
            self.attempts[key] += 1
        self.log.leases.table.leave(self.log.leases.holder_id)
        self.log.scenes._open.discard(batch)
        self.log = self.store.open()

    @invariant()
    def what_is_done_is_what_the_model_says(self) -> None:
        state = self.log.log.recover(SceneBatch.named("电影", "分镜"))
        for key in self.plan:
            if state.version and self.done.get(key) == self.texts[key]:
                assert state.is_done(key)

    @invariant()
    def replaying_gives_the_live_state(self) -> None:
        batch = SceneBatch.named("电影", "分镜")
        live = self.log.log.recover(batch)
        replayed = SceneBatch(live.id).fold(self.log.log.history(live.id))
        assert not live.version or replayed == live

    @rule()
    def attempts_are_counted_over_all_runs(self) -> None:
        with self.opened() as batch:
            for key in self.plan:
                assert batch.scene(key).attempt == self.attempts[key] + 1


class Looking:
    """Lets a run look into the log at once, as it does every few hundredths of a second."""

    def __init__(self, batch: Batch) -> None:
        self.seconds, self.clock = 0.0, batch.monotonic
        batch.monotonic = lambda: self.clock() + self.seconds

    def look_at(self) -> None:
        self.seconds += 1


def scripted(fails: dict[str, int], made: list[str]) -> Any:
    def function(scene: Scene) -> int:
        made.append(scene.key)
        if fails.get(scene.key, 0):
            fails[scene.key] -= 1
            raise RuntimeError("渲染失败")
        return scene.index

    return function


TestSceneRun = SceneRunMachine.TestCase
TestSceneRun.settings = settings(max_examples=40, stateful_step_count=12)
