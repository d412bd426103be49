"""One commit for all threads that wait, each write for itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from resumelog.infrastructure.storage.sqlite import group_commit as module
from resumelog.infrastructure.storage.sqlite.connections import Connections, connect
from resumelog.infrastructure.storage.sqlite.group_commit import GroupCommit

THREADS = 8


class Group:
    """Writes that all wait behind one that is let go when the test wants it."""

    def __init__(self, folder: Path) -> None:
        self.connections = Connections(lambda: connect(str(folder / "group.db")))
        self.checks = 0
        self.commits = GroupCommit(lambda: connect(str(folder / "group.db")), self._check)
        self.pool = ThreadPoolExecutor(THREADS + 1)
        self._let_go = Event()
        self.commits.run(lambda c: c.execute("CREATE TABLE numbers (n INTEGER UNIQUE)"))

    def run_behind_one(self, *works: Callable[[sqlite3.Cursor], object]) -> list[Future[object]]:
        """Let these writes wait while another one is written, then let them all go at once."""
        begun, self._let_go = Event(), Event()

        def hold(_: sqlite3.Cursor) -> None:
            begun.set()
            self._let_go.wait()

        first = self.pool.submit(self.commits.run, hold)
        begun.wait()
        futures: list[Future[object]] = []
        for work in works:
            futures.append(self.pool.submit(self.commits.run, work))
            while len(self.commits._waiting) < len(futures):
                pass
        self._let_go.set()
        first.result()
        return futures

    def numbers(self) -> list[int]:
        with self.connections.loan() as connection:
            return [n for (n,) in connection.execute("SELECT n FROM numbers ORDER BY n")]

    def _check(self) -> None:
        self.checks += 1


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    group = Group(tmp_path)
    yield group
    group.pool.shutdown()
    group.commits.close()
    group.connections.close()


def insert(*numbers: int) -> Callable[[sqlite3.Cursor], int]:
    def work(cursor: sqlite3.Cursor) -> int:
        for number in numbers:
            cursor.execute("INSERT INTO numbers VALUES (?)", (number,))
        return numbers[-1]

    return work


def ends(futures: list[Future[object]]) -> list[object]:
    """Return what each write returned, or the kind of its error."""
    return [type(error) if (error := f.exception()) else f.result() for f in futures]


def test_a_write_returns_what_its_work_returned(group: Group) -> None:
    assert group.commits.run(insert(1, 2)) == 2
    assert group.numbers() == [1, 2]


def test_all_that_wait_are_written_in_one_commit(group: Group) -> None:
    before = group.checks
    futures = group.run_behind_one(*map(insert, range(THREADS)))
    assert ends(futures) == [*range(THREADS)]
    assert group.numbers() == [*range(THREADS)]
    assert group.checks - before == 2  # after the one that held them up, and after theirs


def test_a_conflict_spoils_only_its_own_write(group: Group) -> None:
    futures = group.run_behind_one(insert(1), insert(2, 1), insert(3))
    assert ends(futures) == [1, sqlite3.IntegrityError, 3]
    assert group.numbers() == [1, 3]


def test_an_error_of_the_caller_spoils_only_its_own_write(group: Group) -> None:
    def fails(cursor: sqlite3.Cursor) -> None:
        insert(9)(cursor)
        raise ZeroDivisionError

    assert ends(group.run_behind_one(insert(1), fails, insert(2))) == [1, ZeroDivisionError, 2]
    assert group.numbers() == [1, 2]


def test_a_write_alone_that_fails_leaves_nothing(group: Group) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        group.commits.run(insert(1, 1))
    assert group.numbers() == []
    assert group.commits.run(insert(1)) == 1


def test_where_the_commit_fails_every_write_of_its_group_did(group: Group) -> None:
    def rolled_back(cursor: sqlite3.Cursor) -> None:
        cursor.execute("ROLLBACK")  # as SQLite does by itself on a full disk
        raise sqlite3.OperationalError("database or disk is full")

    futures = group.run_behind_one(insert(1), rolled_back, insert(2))
    assert ends(futures) == [sqlite3.OperationalError] * 3
    assert group.numbers() == []


def test_a_thread_that_is_interrupted_leaves_the_others_to_be_written(group: Group) -> None:
    def interrupted(_: sqlite3.Cursor) -> None:
        raise KeyboardInterrupt

    begun, let_go = Event(), Event()

    def hold(_: sqlite3.Cursor) -> None:
        begun.set()
        let_go.wait()

    first = group.pool.submit(group.commits.run, hold)
    begun.wait()
    leader = group.pool.submit(_suppressed, group.commits, interrupted)
    while not group.commits._waiting:
        pass
    follower = group.pool.submit(group.commits.run, insert(5))
    while len(group.commits._waiting) < 2:
        pass
    let_go.set()
    first.result()
    assert leader.result() is KeyboardInterrupt
    assert follower.result() == 5
    assert group.numbers() == [5]
    assert group.commits.run(insert(6)) == 6


def _suppressed(commits: GroupCommit, work: Callable[[sqlite3.Cursor], object]) -> object:
    with suppress(KeyboardInterrupt):
        return commits.run(work)
    return KeyboardInterrupt


def test_a_group_is_bounded(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITES_MAX", 2)
    before = group.checks
    assert ends(group.run_behind_one(*map(insert, range(5)))) == [*range(5)]
    assert group.checks - before == 4  # the one that held them up, and three groups


def test_a_transaction_of_ones_own_waits_for_its_turn(group: Group) -> None:
    def alone() -> None:
        with group.commits.alone() as cursor:
            insert(7)(cursor)

    futures = group.run_behind_one(insert(1))
    group.pool.submit(alone).result()
    assert ends(futures) == [1]
    assert group.numbers() == [1, 7]
