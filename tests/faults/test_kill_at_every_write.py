"""SIGKILL at every write and every sync: a save is there whole or not at all, and work goes on."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
from support.evidence import sound
from support.fault_tasks import EXPORT, UNITS
from support.forks import Forks
from support.logs import events_of
from support.tracing import calls, database_files, only, strace

import resumelog
from resumelog.domain.export_events import ProgressSaved
from resumelog.domain.export_job import ExportJob
from resumelog.domain.scene_batch import SceneBatch
from resumelog.domain.scene_events import SceneCompleted

pytestmark = pytest.mark.faults

TASK = "every_kind_of_save"
PARTS = 4
"""So many tests share the points, for as many processes to run them."""
CHANGING = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")


def points(children: Forks, folder: Path) -> list[tuple[str, int]]:
    """Return every change that the task makes to its files: the call and its number, from 1."""
    folder.mkdir()
    fork = children.start(TASK, "jobs.db", folder=folder, traced=True)
    log = folder / "strace"
    with strace(fork, log, "-e", f"trace={','.join(CHANGING)}", *only(*files(folder))):
        assert fork.wait() == 0, fork.stderr()
    made = Counter(call.name for call in calls(log))
    return [(name, number + 1) for name in made for number in range(made[name])]


def files(folder: Path) -> tuple[Path, ...]:
    return database_files(folder / "jobs.db")


def killed_at(children: Forks, folder: Path, call: str, number: int) -> list[str]:
    """Kill the task as it makes this call; return what it had told."""
    folder.mkdir()
    fork = children.start(TASK, "jobs.db", folder=folder, traced=True)
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    with strace(fork, folder / "strace", "-e", inject, *only(*files(folder))):
        assert fork.wait() == -signal.SIGKILL, f"{call} {number} was not made"
    return fork.told()


def require_whole(folder: Path, told: list[str]) -> None:
    """Require all that was told, at most one save more, and two scenes or none."""
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        saved = units(events_of(log, ExportJob.named(EXPORT)))
        acknowledged = sum(line.startswith("unit") for line in told)
        assert saved in (acknowledged, acknowledged + 1)
        recorded = scenes_of(events_of(log, SceneBatch.named("电影", "分镜")))
        assert recorded in ([], ["s1", "s2"])
        assert recorded or "scenes" not in told


def units(events: list[object]) -> int:
    """Count the saved units, which must be there once each."""
    saved = [event.units_done for event in events if isinstance(event, ProgressSaved)]
    assert saved == [*range(1, len(saved) + 1)]
    return len(saved)


def scenes_of(events: list[object]) -> list[str]:
    return [event.scene for event in events if isinstance(event, SceneCompleted)]


def require_done(children: Forks, folder: Path) -> None:
    """Go on to the end, which must be as if nothing had happened."""
    children.start(TASK, "jobs.db", folder=folder).succeeded()
    sound(folder / "jobs.db")
    with resumelog.open(folder / "jobs.db") as log:
        export = ExportJob.named(EXPORT)
        assert units(events_of(log, export)) == UNITS
        assert log.log.recover(export).status == "completed"
        assert scenes_of(events_of(log, SceneBatch.named("电影", "分镜"))) == ["s1", "s2"]


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_any_write_or_sync_leaves_each_save_whole_or_not_there(
    children: Forks, tmp_path: Path, part: int
) -> None:
    all_points = points(children, tmp_path / "counted")
    assert Counter(name for name, _ in all_points)["fdatasync"] >= UNITS + 3, all_points
    for call, number in all_points[part::PARTS]:
        folder = tmp_path / f"{call}-{number}"
        require_whole(folder, killed_at(children, folder, call, number))
        require_done(children, folder)
