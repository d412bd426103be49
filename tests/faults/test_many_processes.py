"""Eight processes on one file, each on a stream of its own and all on one that they share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.evidence import sound, units_of
from support.forks import Forks

import resumelog
from resumelog.domain.export_job import ExportJob

pytestmark = pytest.mark.faults

PROCESSES = 8
SAVES = int(os.environ.get("RESUMELOG_TEST_SAVES", "500"))


def test_all_saves_of_eight_processes_are_there_once(children: Forks, tmp_path: Path) -> None:
    keys = [str(number) for number in range(PROCESSES)]
    forks = [children.start("contend", "jobs.db", key, SAVES, folder=tmp_path) for key in keys]
    assert [fork.succeeded() for fork in forks] == [["saved"]] * PROCESSES
    assert len(sound(tmp_path / "jobs.db")) == PROCESSES + 1
    with resumelog.open(tmp_path / "jobs.db") as log:
        for key in keys:
            assert units_of(log, ExportJob.named(key)) == [*range(1, SAVES - SAVES // 5 + 1)]
        assert units_of(log, ExportJob.named("共")) == [*range(1, PROCESSES * (SAVES // 5) + 1)]
