"""resumelog import sim_x_autopilot.json: what it says, what it writes, and what it refuses."""

from __future__ import annotations

import pytest
from support.cli import Cli, require_refused
from support.old_runs import SAMPLES, TORN, WHOLE, wrote


@pytest.mark.parametrize("name", WHOLE)
def test_its_document_has_every_fact(bare: Cli, name: str) -> None:
    path = SAMPLES[name]
    ran = bare("import", path, "--json")
    assert (ran.code, ran.err) == (0, "")
    document = ran.document
    assert document["imported"]
    assert document["job"] == path.name.removesuffix("_autopilot.json")
    assert (document["source"], document["recorded"]["retry_count"]) == (str(path), 0)
    assert document["version"] == len(bare.names(document["job"]))
    again = bare("import", path, "--json").document
    assert again == {**document, "imported": False}


def test_it_says_how_it_stands_and_how_to_go_on(bare: Cli) -> None:
    path = wrote(bare.folder, status="completed", last_completed_step="monitoring")
    code, out, err = bare("import", path.name)
    assert (code, err) == (0, "")
    stands = "inactive in auto mode, last completed step monitoring"
    assert out.splitlines() == [
        f"auto_pilot sim_1: imported from {path}: {stands}",
        "it had no report: it is not completed, and goes on at generating_report",
        "go on with log.autopilot(host).start('sim_1')",
    ]
    assert "imported before" in bare("import", path.name).out


@pytest.mark.parametrize("name", TORN)
def test_a_torn_file_is_refused_before_there_is_a_log(bare: Cli, name: str) -> None:
    require_refused(bare, ("import", SAMPLES[name]), "nothing was imported")
    assert [*bare.folder.glob("*.db")] == []


@pytest.mark.parametrize("option", [("--key", "k"), ("--project", "p"), ("--trust-index",)])
def test_options_of_other_files_are_refused(bare: Cli, option: tuple[str, ...]) -> None:
    ran = bare("import", SAMPLES["paused"], *option)
    assert ran.code == 2
    assert "names its run" in ran.err
