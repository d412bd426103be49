"""`resumelog pilot --server` against a real `resumelog serve` that drives a pilot.toml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.asking import TOKEN, Asking, held
from support.cli import finished, wait_for
from support.pilots import Piloted, work
from support.served import serving

pytestmark = pytest.mark.kills  # a service each, ended or killed


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    """A service of one's own."""
    with held(tmp_path) as asking:
        yield asking


def test_a_run_is_configured_started_and_watched_to_its_end(asking: Asking) -> None:
    assert asking.told("config", "AUTO") == "village: inactive\n  mode: auto\n"
    asking.hold()
    with asking.cli.started(*asking.line("watch", "--every", "0.1")) as watching:
        assert watching.stderr
        assert "village: active at draw" in watching.stderr.readline()
        asking.let_go()
        assert finished(watching)[:2] == (0, "village: completed\n")
    assert asking.told("status").startswith("village: completed\n  mode: auto\n")


def test_the_document_of_a_watch_is_that_of_the_status(asking: Asking) -> None:
    asking.let_go()
    asking.hold()
    ran = asking.cli(*asking.line("watch", "--every", "0.1", "--json"))
    assert (ran.code, ran.document["status"]) == (0, "completed")
    assert ran.document == json.loads(asking.told("status", "--json"))


def test_a_run_is_paused_and_goes_on(asking: Asking) -> None:
    asking.hold()
    assert asking.status("pause") == "paused"
    wait_for(lambda: not asking.commands(), "the end of the command")
    assert asking.status("resume") == "active"
    wait_for(lambda: asking.begun() == 2, "the command again")
    asking.let_go()
    wait_for(lambda: asking.status() == "completed", "the end of the run")


@pytest.mark.parametrize("verb", ["stop", "reset"])
def test_a_run_is_given_up_and_can_be_started_again(asking: Asking, verb: str) -> None:
    asking.hold()
    assert asking.status(verb) == "inactive"
    wait_for(lambda: not asking.commands(), "the end of the command")
    asking.let_go()
    asking.told("start")
    wait_for(lambda: asking.status() == "completed", "the end of the run")


def test_with_force_a_completed_run_begins_anew(asking: Asking) -> None:
    asking.let_go()
    asking.hold()
    wait_for(lambda: asking.status() == "completed", "the end of the run")
    assert asking.status("start") == "completed"
    assert asking.begun() == 1
    assert asking.status("start", "--force") == "active"
    wait_for(lambda: asking.status() == "completed" and asking.begun() == 2, "the second run")


def test_a_run_that_fails_is_watched_to_its_failure(tmp_path: Path) -> None:
    Piloted(tmp_path, work("draw", "echo 墨尽 >&2; exit 9"))
    with serving(tmp_path, "--pilot", "pilot.toml", RESUMELOG_TOKEN=TOKEN) as served:
        asking = Asking(tmp_path, served)
        asking.told("config", "auto")
        asking.told("start")
        ran = asking.cli(*asking.line("watch"))
    assert (ran.code, ran.out) == (1, "village: failed at draw: CommandFailed: exit code 9: 墨尽\n")
