"""SIGKILL at every write of a run of one worker: whatever may have begun is noted, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.evidence import scenes_of, sound
from support.fault_tasks import BATCH, UNITS
from support.forks import Forks
from support.kill_points import killed_at, points
from support.logs import events_of

import resumelog
from resumelog.domain.scene_events import Interrupted
from resumelog.domain.values import Attempt
from resumelog.infrastructure.storage.leases import noted_units

pytestmark = pytest.mark.faults

TASK = "run_over_scenes"
SCENES = [*map(str, range(1, UNITS + 1))]
PARTS = 4
"""So many tests share the points, for as many processes to run them."""


def attempts(told: list[str]) -> list[Attempt]:
    return [Attempt(key, int(attempt)) for key, attempt in map(str.split, told)]


def require_noted(folder: Path, begun: list[Attempt]) -> set[str]:
    """Require that what was begun is recorded, or noted; return what was cut off of it."""
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        row, done = log.leases.table.read(BATCH.id), scenes_of(log, BATCH)
    noted = {unit.as_attempt() for unit in noted_units(row)} if row else set()
    cut_off = {each for each in begun if each.unit not in done}
    assert cut_off <= noted
    assert len({each for each in noted if each.unit not in done}) <= 1, "one worker has one scene"
    return {each.unit for each in cut_off}


def require_done(children: Forks, folder: Path, begun: list[Attempt], cut_off: set[str]) -> None:
    """Go on to the end: what was cut off is recorded so, and nothing that was done is made again."""
    told = children.start(TASK, "jobs.db", folder=folder).succeeded()
    both = [*begun, *attempts(told)]
    assert len({*both}) == len(both), "two executions are one attempt"
    assert sorted(key for key, _ in both) == sorted([*SCENES, *cut_off])
    with resumelog.open(folder / "jobs.db") as log:
        assert scenes_of(log, BATCH) == SCENES
        ends = [each for each in events_of(log, BATCH) if isinstance(each, Interrupted)]
    assert cut_off <= {key for each in ends for key in each.in_flight}


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_any_write_of_a_run_leaves_what_may_have_begun_to_the_successor(
    children: Forks, folder: Path, part: int
) -> None:
    all_points = points(children, folder / "counted", TASK)
    for call, number in all_points[part::PARTS]:
        place = folder / f"{call}-{number}"
        begun = attempts(killed_at(children, place, TASK, call, number))
        require_done(children, place, begun, require_noted(place, begun))
        shutil.rmtree(place)
