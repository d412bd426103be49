"""Pipelines that are killed at random moments: nothing that is recorded is made again, all ends the same."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forks import Forks, forks
from support.logs import events_of, scenes
from support.pipeline_tasks import BEGUN, SCENES
from support.pipelines import STAGES, Making, pipeline, results

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import JobNotFound
from resumelog.domain.scene_events import Interrupted, SceneCompleted

SEED = os.environ.get("RESUMELOG_TEST_SEED") or str(time.time_ns() % 10**9)
HITS = 20
ALL = len(STAGES) * SCENES
Made = list[tuple[str, str]]


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


def recorded(log: ResumeLog) -> Made:
    """Return what the log says is done."""
    done: Made = []
    for stage in STAGES:
        try:
            events = events_of(log, f"归途/{stage}")
        except JobNotFound:
            continue
        done += [(stage, one.scene) for one in events if isinstance(one, SceneCompleted)]
    return done


def pairs(lines: list[str]) -> Made:
    return [(stage, key) for stage, key in (line.split() for line in lines)]


@pytest.mark.kills
@pytest.mark.parametrize("mode", ["stages", "streaming"])
def test_a_pipeline_that_is_killed_repeats_nothing_that_is_recorded(
    children: Forks, tmp_path: Path, mode: str
) -> None:
    print(f"RESUMELOG_TEST_SEED={SEED}")  # noqa: T201 - shown with a failure
    chance, landed, number = random.Random(SEED), 0, 0
    with resumelog.open("memory:", root=tmp_path) as undisturbed:
        plan = scenes(*range(SCENES))
        assert pipeline(undisturbed, Making(), plan).run().is_complete
        expected = {stage: results(undisturbed, plan, stage) for stage in STAGES[1:]}
    while landed < HITS:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        begun, code, cut_off = folder / BEGUN, 1, 0
        with resumelog.open(folder / "jobs.db", root=folder) as log:
            while code:
                done = recorded(log)
                before = len(begun.read_text().splitlines()) if begun.exists() else 0
                fork = children.start("make_all_stages", mode, folder=folder)
                is_hit = landed < HITS
                if is_hit:
                    fork.tells_lines(min(chance.randrange(15), ALL - len(done)))
                    time.sleep(chance.uniform(0, 0.02))
                    os.kill(fork.pid, signal.SIGKILL)
                code = fork.wait()
                assert is_hit or code == 0, fork.stderr()
                landed += code != 0
                anew = pairs(begun.read_text().splitlines()[before:]) if begun.exists() else []
                assert not {*anew} & {*done}
                assert {*pairs(fork.told())} <= {*recorded(log)}
            assert sorted(recorded(log)) == sorted(
                (s, str(k)) for s in STAGES for k in range(SCENES)
            )
            assert {stage: results(log, plan, stage) for stage in STAGES[1:]} == expected
            for stage in STAGES:
                events = events_of(log, f"归途/{stage}")
                cut_off += sum(isinstance(one, Interrupted) for one in events)
        assert cut_off or landed == 0


@pytest.mark.parametrize("mode", ["stages", "streaming"])
@pytest.mark.parametrize(
    ("number", "cause"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_signal_is_recorded_in_every_stage(
    children: Forks, tmp_path: Path, mode: str, number: signal.Signals, cause: str
) -> None:
    fork = children.start("make_all_stages", mode, folder=tmp_path)
    fork.tells_lines(3)
    os.kill(fork.pid, number)
    assert fork.wait() == 1
    with resumelog.open(tmp_path / "jobs.db", root=tmp_path) as log:
        for stage in STAGES:
            (*_, last) = events_of(log, f"归途/{stage}")
            assert isinstance(last, Interrupted), fork.stderr()
            assert cause in last.cause
        done = recorded(log)
        again = children.start("make_all_stages", mode, folder=tmp_path)
        assert len(again.succeeded()) == ALL - len(done)
