"""Our log on the library's own stores, and the library's applications on ours, in one process."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from support.logs import make_scenes, make_units, names_of, scenes

import resumelog
from resumelog import ResumeLog
from resumelog.infrastructure.storage.sqlite import Factory

LONG = "很长的剧本 🎬" * 200

OURS = {"PERSISTENCE_MODULE": Factory.__module__}
STOCK = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
MEMORY = {"PERSISTENCE_MODULE": "eventsourcing.popo"}


def opened(variables: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> ResumeLog:
    """Open the log that the library's own variables name."""
    for name, value in {**variables, "SQLITE_DBNAME": str(folder / "any.db")}.items():
        monkeypatch.setenv(name, value)
    return resumelog.open(root=folder)


def worked(log: ResumeLog, folder: Path) -> list[object]:
    """Do a bit of everything; return what the log says of it."""
    output = folder / "成片.mp4"
    made = [make_units(log, output, until=4, key="成片")]
    made.append(make_units(log, output, key="成片"))
    log.exports.restart("成片", "重来")
    made.append(make_units(log, output, until=2, key="成片"))
    begun = [make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3)), fails=["2"])]
    batch = log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3))
    begun.append(make_scenes(batch, result=lambda _: LONG))
    results = [result for _, result in batch.results()]
    listed = [(view.name, view.status, view.done, view.version) for view in log.queries.jobs()]
    names = [names_of(log, job) for job in ("成片", "电影/分镜")]
    return [made, begun, results, listed, names, log.queries.find("成片").version]


@pytest.mark.parametrize("variables", [STOCK, MEMORY], ids=["sqlite", "memory"])
def test_our_log_does_the_same_on_a_stock_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    (tmp_path / "ours").mkdir()
    with opened(variables, tmp_path, monkeypatch) as log:
        on_stock = worked(log, tmp_path)
    with opened(OURS, tmp_path / "ours", monkeypatch) as log:
        assert worked(log, tmp_path) == on_stock
    made, begun, results, *_ = on_stock
    assert made == [[0, 1, 2, 3], [4, 5, 6, 7, 8, 9], [0, 1]]
    assert begun == [["1", "2", "3"], ["2"]]
    assert results == ["《1》", LONG, "《3》"]


def test_a_log_on_a_stock_file_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(STOCK, tmp_path, monkeypatch) as log:
        make_units(log, tmp_path / "成片.mp4", until=4)
    with opened(STOCK, tmp_path, monkeypatch) as log:
        assert make_units(log, tmp_path / "成片.mp4") == [4, 5, 6, 7, 8, 9]


class Account(Aggregate):
    """A stock aggregate, as the library's documentation writes them."""

    @event("Opened")
    def __init__(self, owner: str) -> None:
        self.owner, self.balance = owner, 0

    @event("Deposited")
    def deposit(self, amount: int) -> None:
        self.balance += amount


class Bank(Application[UUID]):
    """A stock application with snapshots."""

    is_snapshotting_enabled = True


@pytest.mark.parametrize("tracking", ["y", "n"])
def test_a_stock_application_runs_on_our_file_and_shares_it_with_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking: str
) -> None:
    monkeypatch.setenv("SINGLE_ROW_TRACKING", tracking)
    with opened(OURS, tmp_path, monkeypatch):
        pass
    account = Account("Ada")
    with Bank() as bank:
        account.deposit(20)
        bank.save(account)
        bank.take_snapshot(account.id)
        account.deposit(5)
        bank.save(account)
    with Bank() as bank:
        again: Account = bank.repository.get(account.id)
        assert (again.owner, again.balance, again.version) == ("Ada", 25, 3)
        assert [each.id for each in bank.notification_log.select(1, 10)] == [1, 2, 3]
