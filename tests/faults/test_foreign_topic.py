"""A stored topic that names a module of somebody else's: it is named, and never imported."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import Cli
from support.logs import make_units

import resumelog
from resumelog.application.errors import DamagedEvent

pytestmark = pytest.mark.faults

MODULE = "dropped_by_somebody"
TOPIC = f"{MODULE}:Event"
IMPORTS_IT = f"import {MODULE}"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A log whose third event names a module that leaves a file behind where it is imported."""
    source = f"open({str(tmp_path / 'imported')!r}, 'w').close()\nclass Event: ...\n"
    (tmp_path / f"{MODULE}.py").write_text(source)
    with resumelog.open(tmp_path / "resumelog.db") as log:
        make_units(log, tmp_path / "成片.mp4", key="成片")
    with closing(sqlite3.connect(tmp_path / "resumelog.db")) as connection, connection:
        change = "UPDATE stored_events SET topic = ? WHERE originator_version = 3"
        connection.execute(change, (TOPIC,))
    return Cli(tmp_path, PYTHONPATH=str(tmp_path))


@pytest.mark.parametrize(
    "command",
    [("jobs", "--json"), ("show", "成片"), ("log", "成片"), ("log", "成片", "--json")],
    ids=" ".join,
)
def test_a_command_names_the_event_and_imports_nothing(cli: Cli, command: tuple[str, ...]) -> None:
    ran = cli(*command)
    assert ran.code != 0 or command[0] == "jobs"  # a list shows the others too
    assert re.search(rf"event 3 of stream [0-9a-f-]+ \({TOPIC}\)", ran.out + ran.err)
    assert not (cli.folder / "imported").exists()


def test_a_query_names_the_event_and_imports_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(cli.folder)
    with resumelog.open(cli.folder / "resumelog.db") as log:
        with pytest.raises(DamagedEvent) as damaged:
            log.queries.find("成片")
        assert (damaged.value.topic, damaged.value.version) == (TOPIC, 3)
    assert not (cli.folder / "imported").exists()


def test_the_module_would_leave_its_mark(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(cli.folder)
    exec(IMPORTS_IT, {})
    assert (cli.folder / "imported").exists()
