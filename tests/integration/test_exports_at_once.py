"""Several exports at once, in processes and in threads, each with its own progress."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.export_tasks import WAYS
from support.forks import Forks, forks

import resumelog
from resumelog import AlreadyRunning
from resumelog.domain.export_job import ExportJob

UNITS = 100


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children


def made(key: str) -> list[int]:
    return [int(line) for line in Path(f"{key}.made").read_text().split()]


@pytest.mark.parametrize("way", WAYS)
def test_processes_never_touch_each_others_progress(
    children: Forks, tmp_path: Path, way: str
) -> None:
    keys = [str(tmp_path / f"{number}.mp4") for number in range(4)]
    started = [children.start("export_by", way, key, UNITS, 0, folder=tmp_path) for key in keys]
    assert [fork.succeeded() for fork in started] == [[str(unit) for unit in range(UNITS)]] * 4
    assert [made(key) for key in keys] == [[*range(UNITS)]] * 4


@pytest.mark.parametrize("way", WAYS)
def test_threads_never_touch_each_others_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr("support.export_tasks.tell", lambda _: None)
    keys = [str(tmp_path / f"{number}.mp4") for number in range(4)]
    with resumelog.open(tmp_path / "jobs.db") as log, ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda key: WAYS[way](log, key, UNITS, 0), keys)] == [None] * 4
        for key in keys:
            assert log.log.recover(ExportJob.named(key)).progress == 1.0
    assert [made(key) for key in keys] == [[*range(UNITS)]] * 4


@pytest.mark.parametrize("way", WAYS)
def test_of_two_processes_on_one_key_the_second_is_told_who_is_at_it(
    children: Forks, tmp_path: Path, way: str
) -> None:
    key = str(tmp_path / "成片.mp4")
    with resumelog.open(tmp_path / "jobs.db") as log, log.exports.resume(None, key=key):
        second = children.start("export_by", way, key, UNITS, 0, folder=tmp_path)
        assert second.wait() == 1
        with pytest.raises(AlreadyRunning) as busy, log.exports.resume(None, key=key):
            pass
    assert f"{AlreadyRunning.__name__}: " in second.stderr()
    assert busy.value.holder in second.stderr()
    assert not Path(f"{key}.made").exists()
