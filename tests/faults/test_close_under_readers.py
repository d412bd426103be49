"""A log that is closed while sixteen threads read it: no crash, and they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.forks import Forks
from support.logs import make_units

import resumelog

pytestmark = pytest.mark.faults

TIMES = 60
AT_ONCE = 6


def test_closing_under_sixteen_readers_never_crashes(children: Forks, tmp_path: Path) -> None:
    with resumelog.open(tmp_path / "jobs.db") as log:
        make_units(log, tmp_path / "成片.mp4")
    for _ in range(0, TIMES, AT_ONCE):
        task = ("close_under_readers", "jobs.db")
        forks = [children.start(*task, folder=tmp_path) for _ in range(AT_ONCE)]
        assert [fork.succeeded() for fork in forks] == [["ClosedLog"]] * AT_ONCE
