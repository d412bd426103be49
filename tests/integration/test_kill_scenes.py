"""Batches that are killed at random moments: all scenes end, none that is recorded is made again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forks import Forks, forks
from support.logs import make_scenes, names_of, scenes
from support.scene_tasks import WAYS, is_cursed

import resumelog
from resumelog import Batch, ResumeLog
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.values import canonical_json

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
KILLS = 17
"""For each way and size: 204 in all."""
A_WHILE_S = {12: 0.08, 100: 0.2, 1000: 0.5}
"""About as long as a child takes to begin and to make a good part of so many scenes."""


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ResumeLog]:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        yield log


class Killed:
    """One batch after the other, each by as many children as it takes."""

    def __init__(self, log: ResumeLog, children: Forks, folder: Path, way: str, count: int) -> None:
        self.log, self.children, self.folder = log, children, folder
        self.way, self.count = way, count
        self.chance = random.Random(f"{SEED}{way}{count}")
        self.number = 0

    @property
    def project(self) -> str:
        return f"电影{self.number}"

    def state(self) -> SceneBatch:
        return self.log.log.recover(SceneBatch.named(self.project, "分镜"))

    def diary(self) -> list[tuple[str, str]]:
        path = self.folder / f"{self.project}.diary"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(key, attempt) for key, attempt in map(str.split, lines)]

    def run(self, kill_within_s: float | None) -> int:
        """Let a child go on with the batch; require that nothing that was recorded is made again."""
        state, before = self.state(), len(self.diary())
        recorded = {key for key in state.scenes if state.is_done(key)}
        told = (self.way, self.project, self.count)
        fork = self.children.start("make_scenes_by", *told, folder=self.folder)
        if kill_within_s is not None:
            time.sleep(self.chance.uniform(0.002, kill_within_s))
            os.kill(fork.pid, signal.SIGKILL)
        code = fork.wait()
        assert code == (-signal.SIGKILL if kill_within_s and code else 0), fork.stderr()
        again = recorded & {key for key, _ in self.diary()[before:]}
        assert not again, f"what was recorded was made again: {again}"
        return code

    def results(self) -> dict[str, bytes]:
        plan = scenes(*range(self.count), diary=self.project)
        batch: Batch
        with self.log.scenes.open(self.project, "分镜", scenes=plan) as batch:
            return {scene.key: canonical_json(result) for scene, result in batch.results()}


def undisturbed(count: int) -> dict[str, bytes]:
    """What a run without a kill makes: it depends on nothing but the scene."""
    from support.scene_functions import luck

    def made(key: int) -> bytes:
        script = {"script": f"《{key}》🎬", "shots": [key, None]}
        return canonical_json([script, "长" * luck(str(key), 2000) * 8])

    return {str(key): made(key) for key in range(count) if not is_cursed(str(key))}


@pytest.mark.kills
@pytest.mark.parametrize("count", A_WHILE_S)
@pytest.mark.parametrize("way", WAYS)
def test_kills_lose_no_scene_and_repeat_none_that_was_recorded(
    log: ResumeLog, children: Forks, tmp_path: Path, way: str, count: int
) -> None:
    run, landed = Killed(log, children, tmp_path, way, count), 0
    while landed < KILLS:
        landed += run.run(kill_within_s=A_WHILE_S[count]) != 0
        if landed == KILLS or run.state().done >= count * 0.9:
            require_that_it_ends(run)
            run.number += 1


def require_that_it_ends(run: Killed) -> None:
    """Go on undisturbed; require that every scene is done, or recorded as failed."""
    for _ in range(4):
        run.run(kill_within_s=None)
    state, expected = run.state(), undisturbed(run.count)
    assert run.results() == expected
    failed = {str(key) for key in range(run.count)} - {*expected}
    assert {key for key, record in state.scenes.items() if record.state == "failed"} == failed
    assert len({*run.diary()}) == len(run.diary()), "two executions are one attempt"


def test_a_failure_in_the_middle_and_a_kill_leave_exactly_what_is_not_done(
    log: ResumeLog, children: Forks, tmp_path: Path
) -> None:
    fork = children.start("make_twelve", folder=tmp_path)
    while not (tmp_path / "at-ten").exists():
        time.sleep(0.005)
    os.kill(fork.pid, signal.SIGKILL)
    assert fork.wait() == -signal.SIGKILL
    made = (tmp_path / "twelve.diary").read_text().split()
    assert made == [*map(str, range(1, 11))]
    batch = log.scenes.open("十二", "分镜", scenes=scenes(*range(1, 13)))
    assert batch.cut_off == ("10",)
    assert [batch.scene(key).attempt for key in ("3", "10", "11")] == [2, 2, 1]
    assert make_scenes(batch) == ["3", "10", "11", "12"]
    assert names_of(log, "十二/分镜")[-1] == "Completed"
