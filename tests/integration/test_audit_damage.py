"""Noise over pages of a real file: an audit always ends, finds it, and checks what is left."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.logs import make_scenes, make_units, scenes
from support.tampering import Tampering

import resumelog
from resumelog import ResumelogError
from resumelog.application.audit_faults import Verdict

JOBS = 12
SEEDS = range(60)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some hundred events: exports, and batches whose results stand aside."""
    folder = tmp_path_factory.mktemp("kept")
    with resumelog.open(folder / "jobs.db", root=folder) as log:
        for number in range(JOBS):
            make_units(log, folder / f"out {number}", key=f"film {number}")
            batch = log.scenes.open("reel", str(number), scenes=scenes(*range(8)))
            make_scenes(batch, result=lambda key: random.Random(key).randbytes(3000).hex())
    return folder / "jobs.db"


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    """The same file, to be damaged."""
    return Path(shutil.copy(kept, tmp_path / "jobs.db"))


def pages(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return size, path.stat().st_size // size


def scribble(path: Path, seed: int, *chosen: int, bytes_kept: int = 0) -> None:
    """Write noise over pages (counted from 1), but for their first bytes."""
    size, _ = pages(path)
    with path.open("r+b") as file:
        for page in chosen:
            file.seek((page - 1) * size + bytes_kept)
            file.write(random.Random(f"{seed} {page}").randbytes(size - bytes_kept))


def verdict(path: Path) -> Verdict:
    with resumelog.open(path, must_exist=True) as log:
        return log.audit.verify()


def leaves(path: Path, table: str) -> list[int]:
    """Return the pages of a table that hold its rows, in their order."""
    statement = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
    with closing(sqlite3.connect(path)) as connection:
        try:
            return [page for (page,) in connection.execute(statement, (table,))]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")


def rows_by_page(path: Path) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT pageno, ncell FROM dbstat").fetchall()


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_is_found_wherever_it_is(copy: Path, seed: int) -> None:
    choice = random.Random(seed)
    require_found(copy, seed, choice.sample(range(2, pages(copy)[1] + 1), choice.choice([1, 2, 5])))


@pytest.mark.parametrize("bytes_kept", [8, 200, 1000])
@pytest.mark.parametrize("seed", SEEDS[:20])
def test_noise_behind_the_beginning_of_a_page_is_found(
    copy: Path, seed: int, bytes_kept: int
) -> None:
    holding = [*leaves(copy, "stored_events"), *leaves(copy, "payloads")]
    chosen = random.Random(seed).sample(holding, 1 + seed % 3)
    require_found(copy, seed, chosen, bytes_kept=bytes_kept)


def require_found(copy: Path, seed: int, chosen: list[int], *, bytes_kept: int = 0) -> None:
    """Expect a verdict that finds the noise, or that the file is refused as a whole."""
    scribble(copy, seed, *chosen, bytes_kept=bytes_kept)
    try:
        found = verdict(copy)
    except ResumelogError:
        return  # a page without which no log can be opened
    assert found.faults, chosen


def test_noise_over_the_first_page_is_refused(copy: Path) -> None:
    scribble(copy, 1, 1)
    with pytest.raises(ResumelogError, match=r"jobs\.db"):
        verdict(copy)


def test_one_damaged_page_hides_only_the_events_on_it(copy: Path) -> None:
    whole = verdict(copy)
    assert whole.is_well
    _, second, *_ = leaves(copy, "stored_events")
    scribble(copy, 1, second)
    found = verdict(copy)
    assert whole.events - 60 < found.events < whole.events
    assert found.streams == 2 * JOBS
    damaged = [fault for fault in found.faults if fault.part == "store"]
    assert "positions from " in damaged[0].why
    behind = [fault for fault in found.faults if fault.part == "event"]
    assert {fault.kind for fault in behind} == {"unreadable"}
    begun_before = [fault for fault in behind if fault.version]
    assert begun_before
    assert all(fault.job for fault in begun_before)


@pytest.mark.parametrize("which", [(0,), (-1,), (1, 3), (0, 1, 2), (-2, -1)])
def test_the_rest_is_read_around_damaged_pages(copy: Path, which: tuple[int, ...]) -> None:
    events = leaves(copy, "stored_events")
    chosen = [events[each] for each in which]
    before, hidden = verdict(copy).events, sum(map(dict(rows_by_page(copy)).__getitem__, chosen))
    scribble(copy, 7, *chosen)
    assert verdict(copy).events == before - hidden


def test_noise_over_an_index_is_found(copy: Path) -> None:
    scribble(copy, 1, leaves(copy, "sqlite_autoindex_stored_events_1")[1])
    found = verdict(copy)
    assert any(fault.part == "store" for fault in found.faults)


def test_noise_over_a_payload_is_found_at_its_event(copy: Path) -> None:
    overflow = "SELECT pageno FROM dbstat WHERE name = 'payloads' AND pagetype = 'overflow'"
    with closing(sqlite3.connect(copy)) as connection:
        rows = connection.execute(overflow).fetchall()
    if not rows:
        pytest.skip("this page size keeps the values without overflow")
    scribble(copy, 1, rows[0][0], bytes_kept=4)
    (fault,) = verdict(copy).faults
    assert (fault.part, fault.kind) == ("payload", "altered")


@pytest.mark.parametrize("value", ["no bytes", b"", b"x" * 3000])
def test_an_altered_payload_is_told(copy: Path, value: object) -> None:
    tampering = Tampering(copy)
    ((position,),) = tampering.execute("SELECT min(position) FROM payloads")
    tampering.execute("UPDATE payloads SET content = ? WHERE position = ?", value, position)
    (fault,) = verdict(copy).faults
    assert (fault.part, fault.kind, fault.position) == ("payload", "altered", position)
    assert fault.job == "reel/0"
    assert re.match("the value kept with it (is not|can't be|does not have)", fault.why)
