"""SIGKILL at every write and every sync: a save is there whole or not at all, and work goes on."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from support.evidence import scenes_of, sound, units_of
from support.fault_tasks import BATCH, EXPORT, UNITS
from support.forks import Forks
from support.kill_points import killed_at, points
from support.logs import names_of

import resumelog

pytestmark = pytest.mark.faults

TASK = "every_kind_of_save"
PARTS = 4
"""So many tests share the points, for as many processes to run them."""


def require_whole(folder: Path, told: list[str]) -> None:
    """Require all that was told, at most one save more, and two scenes or none."""
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        saved = units_of(log, EXPORT)
        acknowledged = sum(line.startswith("unit") for line in told)
        assert saved == [*range(1, len(saved) + 1)]
        assert len(saved) - acknowledged in (0, 1)
        assert scenes_of(log, BATCH) in ([], ["s1", "s2"])
        assert scenes_of(log, BATCH) or "scenes" not in told


def require_done(children: Forks, folder: Path) -> None:
    """Go on to the end, which must be as if nothing had happened."""
    children.start(TASK, "jobs.db", folder=folder).succeeded()
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        assert units_of(log, EXPORT) == [*range(1, UNITS + 1)]
        assert scenes_of(log, BATCH) == ["s1", "s2"]
        assert names_of(log, EXPORT)[-1] == "Completed"


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_any_write_or_sync_leaves_each_save_whole_or_not_there(
    children: Forks, folder: Path, part: int
) -> None:
    all_points = points(children, folder / "counted", TASK)
    assert Counter(name for name, _ in all_points)["fdatasync"] >= UNITS + 3, all_points
    for call, number in all_points[part::PARTS]:
        place = folder / f"{call}-{number}"
        require_whole(place, killed_at(children, place, TASK, call, number))
        require_done(children, place)
        shutil.rmtree(place)
