"""A file system that became read-only: writing says so, reading goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.cli import Cli
from support.evidence import sound
from support.forks import Forks
from support.logs import make_units
from support.mounts import SmallDisk, small_disk
from support.tracing import database_files, only, strace

import resumelog
from resumelog.application.errors import StoreUnavailable
from resumelog.infrastructure.storage.sqlite.connections import connect
from resumelog.infrastructure.storage.sqlite.files import readable

pytestmark = pytest.mark.faults

LOG = "归途 100%?.db"
"""A name that a URI has to quote."""
READS = (("jobs",), ("show", "成片"), ("log", "成片"))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk with a log of four saved units, closed."""
    with small_disk(tmp_path / "disk", "8m") as disk:
        with resumelog.open(disk.folder / LOG) as log:
            make_units(log, Path("/成片.mp4"), until=4, key="成片")
        yield disk


def require_read(disk: SmallDisk, *, units: int) -> None:
    """Require that every reading command works, and sees so many units."""
    cli = Cli(disk.folder, RESUMELOG_URL=LOG)
    for command in READS:
        ran = cli(*command, "--json")
        assert (ran.code, ran.err) == (0, "")
        if command == ("jobs",):
            assert [job["done"] for job in ran.document] == [units]


def test_a_log_that_was_closed_is_read_from_a_read_only_disk(disk: SmallDisk) -> None:
    assert [path.name for path in disk.folder.iterdir()] == [LOG]
    disk.read_only()
    require_read(disk, units=4)
    disk.read_only(on=False)
    sound(disk.folder / LOG)


def left_open(disk: SmallDisk, tmp_path: Path) -> None:
    """Leave the log as a process does that is killed: with its write-ahead log beside it."""
    path = disk.folder / LOG
    with resumelog.open(path) as log:
        make_units(log, Path("/成片.mp4"), until=7, key="成片")
        for file in disk.folder.iterdir():
            shutil.copy(file, tmp_path)
    for name in (LOG, f"{LOG}-wal", f"{LOG}-shm"):
        shutil.copy(tmp_path / name, disk.folder)


def test_a_log_whose_worker_was_killed_is_read_from_a_read_only_disk(
    disk: SmallDisk, tmp_path: Path
) -> None:
    left_open(disk, tmp_path)
    disk.read_only()
    require_read(disk, units=7)


def test_a_log_without_the_index_of_its_saves_is_told(disk: SmallDisk, tmp_path: Path) -> None:
    left_open(disk, tmp_path)
    (disk.folder / f"{LOG}-shm").unlink()
    disk.read_only()
    ran = Cli(disk.folder, RESUMELOG_URL=LOG)("jobs")
    assert ran.code != 0
    assert "its file system is read-only" in ran.err
    assert "copy the log to one that is" in ran.err


def test_opening_a_log_to_write_says_that_it_is_read_only(disk: SmallDisk) -> None:
    disk.read_only()
    with pytest.raises(StoreUnavailable) as unavailable:
        resumelog.open(disk.folder / LOG)
    assert "it is read-only; make the file and its folder writable" in str(unavailable.value)


def test_writing_to_a_log_that_was_opened_to_read_says_that_it_is_read_only(
    disk: SmallDisk,
) -> None:
    disk.read_only()
    with resumelog.open(disk.folder / LOG, must_exist=True) as log:
        with pytest.raises(StoreUnavailable) as unavailable:
            log.exports.restart("成片", "再来")
        assert "its file system is read-only" in unavailable.value.why
        assert unavailable.value.advice.startswith("make that writable")


def test_a_disk_that_can_be_written_is_never_taken_for_immutable(disk: SmallDisk) -> None:
    path = str(disk.folder / LOG)
    assert readable(path) == path
    disk.read_only()
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM stored_events").fetchone() > (0,)
    disk.read_only(on=False)
    with resumelog.open(path) as log:
        make_units(log, Path("/成片.mp4"), key="成片", until=5)
    sound(disk.folder / LOG)
    require_read(disk, units=5)


def test_a_disk_that_becomes_read_only_under_a_worker_refuses_its_saves_and_says_so(
    children: Forks, tmp_path: Path
) -> None:
    resumelog.open(tmp_path / "jobs.db").close()
    fork = children.start("save_again_when_refused", "jobs.db", folder=tmp_path, traced=True)
    inject = "inject=pwrite64:error=EROFS:when=12+"
    with strace(
        fork, tmp_path / "strace", "-e", inject, *only(*database_files(tmp_path / "jobs.db"))
    ):
        assert fork.wait() == 1
    refused = [line for line in fork.told() if line.startswith("refused")]
    assert "can't be written" in refused[0]
    assert "StoreUnavailable" in fork.stderr()
    saved = sum(line.startswith("unit") for line in fork.told())
    (version,) = sound(tmp_path / "jobs.db").values()
    assert version - saved in (1, 2)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may write, with a closed log in it that only its owner may."""
    if os.geteuid():
        pytest.skip("only root can be somebody else")
    with TemporaryDirectory() as name:
        folder = Path(name)
        with resumelog.open(folder / LOG, root=folder) as log:
            make_units(log, Path("/成片.mp4"), until=4, key="成片")
        folder.chmod(0o777)
        (folder / LOG).chmod(0o644)
        yield folder


@contextmanager
def somebody_else() -> Iterator[None]:
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_who_may_not_write_a_log_reads_it_and_leaves_nothing_beside_it(public: Path) -> None:
    with somebody_else(), resumelog.open(public / LOG, must_exist=True) as log:
        assert [view.done for view in log.queries.jobs()] == [4]
        assert log.audit.verify().faults == ()
    assert [path.name for path in public.iterdir()] == [LOG]


def test_who_may_not_write_is_told_when_somebody_does(public: Path) -> None:
    with somebody_else():
        reader = resumelog.open(public / LOG, must_exist=True)
    with resumelog.open(public / LOG, root=public) as log:
        make_units(log, Path("/成片.mp4"), until=6, key="成片")
    with pytest.raises(StoreUnavailable, match="reads it only while nobody does"):
        reader.queries.jobs()
    reader.close()
