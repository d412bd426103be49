"""A scene batch under any sequence of commands."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from support import scenes
from support.canonical import CLIP
from support.machine import NEWER, OFFSETS, Replaying
from support.stories import LONG_RESULT

from resumelog.domain.plan import IMPORTED, Plan
from resumelog.domain.scene_batch import Outcome, SceneBatch
from resumelog.domain.scene_events import Reopened, SceneCompleted
from resumelog.domain.values import Attempt

IDS = ("s1", "s2", "s3", "s4")
PLANS = st.lists(st.sampled_from(IDS), min_size=1, unique=True).map(
    lambda ids: scenes.plan_of(*sorted(ids))
)
SOME = st.lists(st.sampled_from(IDS), max_size=3, unique=True).map(tuple)
ENDINGS = st.lists(
    st.tuples(st.sampled_from(IDS), st.integers(0, 2), st.sampled_from(("done", "long", "failed"))),
    min_size=1,
    max_size=4,
)


class SceneBatchMachine(Replaying[SceneBatch]):
    kind = SceneBatch
    leaves = (Reopened,)
    plan: Plan

    @initialize(plan=PLANS, old=st.one_of(st.none(), SOME))
    def plan_it(self, plan: Plan, old: tuple[str, ...] | None) -> None:
        self.plan = plan
        if old is not None and not self.live.version:
            kept = [key for key in old if key in plan]
            self.do(scenes.import_progress(*kept, plan=plan, result=LONG_RESULT))
            assert self.live.done == len(kept)
        self.do(scenes.begin(self.live.epoch + 1, plan=plan))

    @rule(
        ahead=NEWER,
        plan=st.one_of(st.none(), PLANS),
        in_flight=st.one_of(st.none(), SOME),
        stale=SOME,
        old=SOME,
    )
    def begin(
        self,
        ahead: int,
        plan: Plan | None,
        in_flight: tuple[str, ...] | None,
        stale: tuple[str, ...],
        old: tuple[str, ...],
    ) -> None:
        epoch, reasons = self.live.epoch + ahead, dict.fromkeys(stale, "文件变了")
        wanted = plan or self.plan
        tried = None if in_flight is None else self.attempts_at(in_flight)
        kept = [key for key in old if key in wanted]
        bound = scenes.adopted(*kept, plan=wanted, result=LONG_RESULT)
        options: dict[str, Any] = {"in_flight": tried, "stale": reasons, "at": self.now}
        self.do(scenes.begin(epoch, plan=wanted, adopted=bound, **options))
        if self.live.plan_sha256 == wanted.sha256:
            self.plan = wanted

    @rule(offset=OFFSETS, endings=ENDINGS)
    def record(self, offset: int, endings: list[tuple[str, int, str]]) -> None:
        outcomes = [self.outcome(*ending) for ending in endings if ending[0] in self.plan]
        epoch = self.live.epoch + offset
        self.do(scenes.record(*outcomes, plan=self.plan, epoch=epoch, at=self.now))

    def outcome(self, scene: str, ahead: int, ending: str) -> Outcome:
        attempt = self.live.attempts(scene) + ahead
        if ending == "failed":
            return scenes.failed(scene, attempt, plan=self.plan)
        result = LONG_RESULT if ending == "long" else scenes.SCRIPT
        return scenes.done(scene, attempt, result=result, artifact=CLIP, plan=self.plan)

    @rule(redone=SOME, offset=st.one_of(st.none(), OFFSETS))
    def invalidate(self, redone: tuple[str, ...], offset: int | None) -> None:
        epoch = None if offset is None else self.live.epoch + offset
        self.do(scenes.invalidate(*redone, plan=self.plan, epoch=epoch, at=self.now))

    @rule()
    def pause(self) -> None:
        self.do(scenes.pause(at=self.now))

    @rule()
    def stop(self) -> None:
        self.do(scenes.stop(at=self.now))

    @rule()
    def reopen(self) -> None:
        self.do(scenes.reopen(at=self.now))

    @rule(offset=OFFSETS)
    def finish(self, offset: int) -> None:
        self.do(scenes.finish(self.live.epoch + offset, self.plan, self.now))

    @rule(offset=OFFSETS, in_flight=SOME)
    def interrupt(self, offset: int, in_flight: tuple[str, ...]) -> None:
        tried = self.attempts_at(in_flight)
        self.do(scenes.interrupt(*tried, epoch=self.live.epoch + offset, at=self.now))

    def attempts_at(self, in_flight: tuple[str, ...]) -> tuple[Attempt, ...]:
        planned = (key for key in in_flight if key in self.plan)
        return tuple(Attempt(key, self.live.attempts(key) + 1) for key in planned)

    @rule()
    def do_what_is_left(self) -> None:
        left = [self.outcome(scene, 1, "done") for scene in self.live.remaining(self.plan)]
        self.do(scenes.record(*left, plan=self.plan, epoch=self.live.epoch, at=self.now))

    @invariant()
    def the_counts_are_those_of_the_plan(self) -> None:
        if self.live.plan_sha256:
            assert self.live.scene_count == len(self.plan)
            assert self.live.done == sum(map(self.live.is_done, self.plan))
            assert self.live.failed == len([*self.live.failures(self.plan)])

    @invariant()
    def a_completed_batch_has_nothing_left_to_do(self) -> None:
        assert self.live.status != "completed" or not [*self.live.remaining(self.plan)]

    @invariant()
    def a_scene_is_completed_once_for_each_attempt(self) -> None:
        done = [one for one in self.log if isinstance(one, SceneCompleted)]
        made = [(one.scene, one.attempt, one.fingerprint.startswith(IMPORTED)) for one in done]
        assert len(made) == len({*made})

    @invariant()
    def what_was_imported_is_bound_with_the_result_that_it_had(self) -> None:
        imported: dict[str, SceneCompleted] = {}
        for event in self.log:
            if isinstance(event, SceneCompleted):
                before = imported.pop(event.scene, None)
                if before and before.attempt == event.attempt:
                    assert event.result == before.result
                if event.fingerprint.startswith(IMPORTED):
                    imported[event.scene] = event


TestSceneBatch = SceneBatchMachine.TestCase
