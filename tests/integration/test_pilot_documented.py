"""docs/pilot.md names every setting of a pilot.toml, with its true default."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from resumelog import PilotOptions, read_pilot
from resumelog.application.simulation import SimulationTimes
from resumelog.infrastructure import pilot_tables as tables

PAGE = (Path(__file__).parents[2] / "docs/pilot.md").read_text()
FILES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
REQUIRED = ("exists", "start", "monitor", "report", "prepare")


def only_what_is_required(tables: dict[str, Any]) -> dict[str, Any]:
    kept = {name: tables[name] for name in REQUIRED}
    return {key: value if key == "exists" else {"run": value["run"]} for key, value in kept.items()}


def test_the_defaults_are_those_that_are_written_out() -> None:
    written = tomllib.loads(FILES[0])
    assert written["prepare"].pop("limit_s") == SimulationTimes().prepare_limit_s
    meant = tables.PilotTables.model_validate(only_what_is_required(written))
    assert tables.PilotTables.model_validate(written) == meant


@pytest.mark.parametrize(
    ("file", "table", "model"),
    [
        (0, None, tables.PilotTables),
        (0, "options", PilotOptions),
        (0, "prepare", tables.Work),
        (0, "start", tables.Start),
        (0, "monitor", tables.Monitor),
    ],
)
def test_every_setting_stands_in_the_whole_file(
    file: int, table: str | None, model: type[BaseModel]
) -> None:
    text = FILES[file]
    if table:
        text = re.findall(rf"^\[{table}\](.*?)(?=^\[|\Z)", text, re.DOTALL | re.MULTILINE)[0]
    named = {*re.findall(r"^(?:# |\[)?(\w+)(?: =|\])", text, re.MULTILINE)}
    assert {*model.model_fields} - {"steps"} <= named


@pytest.mark.parametrize("key", [*tables.Look.model_fields, "simulation_id", "from_round"])
def test_what_a_monitor_prints_and_a_command_gets_is_told(key: str) -> None:
    assert re.search(rf"`{{?{key}}}?`", PAGE)


@pytest.mark.parametrize("text", FILES)
def test_every_whole_file_can_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "pilot.toml").write_text(text)
    host, _ = read_pilot(tmp_path / "pilot.toml")
    assert [*host.steps]
