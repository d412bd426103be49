"""`resumelog pilot --server`: what a real server refuses, and one that is not there any more."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.asking import SIM, Asking, held
from support.cli import Cli, finished, require_one_line
from support.served import serving

pytestmark = pytest.mark.kills  # a service each, ended or killed

VERBS: list[list[str]] = [
    ["config", "auto"],
    ["start"],
    ["pause"],
    ["resume"],
    ["stop"],
    ["status"],
    ["reset"],
    ["watch"],
]


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    """A service of one's own."""
    with held(tmp_path) as asking:
        yield asking


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A service for those that change nothing; its run is in manual mode."""
    with held(tmp_path_factory.mktemp("guarded")) as asking:
        asking.told("config", "manual")
        yield asking


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A service that has ended."""
    with held(tmp_path_factory.mktemp("gone")) as asking:
        asking.end(signal.SIGTERM)
        yield asking


# What is refused


@pytest.mark.parametrize("token", [None, "wr0ng"], ids=["no token", "a wrong one"])
@pytest.mark.parametrize("line", VERBS, ids=lambda line: line[0])
def test_without_the_token_nothing_is_done(
    guarded: Asking, line: list[str], token: str | None
) -> None:
    before = guarded.told("status", "--json")
    stranger = Cli(guarded.cli.folder)
    if token:
        stranger.environment["RESUMELOG_TOKEN"] = token
    why = "put the server's token into RESUMELOG_TOKEN"
    require_one_line(stranger(*guarded.line(*line)), why)
    document = stranger(*guarded.line(*line), "--json").document
    assert (document["error"], document["exit_code"]) == ("InputError", 2)
    assert guarded.told("status", "--json") == before


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["start"], "village: the mode is manual, not auto; "),
        (["pause"], "village: it can't be paused while inactive; only an active run"),
        (["resume"], "village: it can't be resumed while inactive; only a paused run"),
    ],
    ids=lambda line: line[0],
)
def test_what_the_run_is_not_ready_for_is_one_line(
    guarded: Asking, line: list[str], why: str
) -> None:
    require_one_line(guarded.cli(*guarded.line(*line)), why)


def test_a_simulation_that_the_service_does_not_know_is_one_line(asking: Asking) -> None:
    for name in ("hamlet", "../../victim"):
        ran = asking.cli("pilot", "config", name, "auto", "--server", asking.url)
        require_one_line(ran, "no such simulation")


def test_a_run_that_nobody_configured_is_not_watched(asking: Asking) -> None:
    require_one_line(asking.cli(*asking.line("watch")), "no run of village is configured")


def test_a_service_without_a_host_starts_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        asking = Asking(tmp_path, served)
        asking.told("config", "auto")
        require_one_line(asking.cli(*asking.line("start")), "--pilot", [1])


# A server that is gone


@pytest.mark.parametrize("line", VERBS, ids=lambda line: line[0])
def test_a_server_that_is_not_there_is_one_line(gone: Asking, line: list[str]) -> None:
    why = r"can't be asked \(.*refused\); start it with resumelog serve"
    require_one_line(gone.cli(*gone.line(*line)), why, [1])
    document = gone.cli(*gone.line(*line), "--json").document
    assert (document["error"], document["exit_code"]) == ("ServerUnavailable", 1)


def test_something_else_that_listens_there_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Cli(tmp_path).started("pilot", "status", SIM, "--server", url) as asking:
            connection, _ = listener.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                connection.shutdown(socket.SHUT_WR)
                ran = finished(asking)
    require_one_line(ran, "can't be asked .*; start it with resumelog serve, or name another", [1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_ends_the_watch_with_its_reason(
    asking: Asking, number: signal.Signals
) -> None:
    asking.hold()
    with asking.cli.started(*asking.line("watch", "--every", "0.1")) as watching:
        assert watching.stderr
        watching.stderr.readline()
        asking.end(number)
        ran = finished(watching)
    assert "Traceback" not in ran.err
    assert (ran.code, ran.out) == (1, "")
    assert re.search(r"^resumelog: http://.* can't be asked \(.*\); start it", ran.err, re.M)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_leaves_a_watch_leaves_the_run_alone(
    asking: Asking, number: signal.Signals
) -> None:
    asking.hold()
    with asking.cli.started(*asking.line("watch", "--every", "60")) as watching:
        assert watching.stderr
        watching.stderr.readline()
        watching.send_signal(number)
        ran = finished(watching)
    assert (ran.code, ran.err) == (3, "")
    assert "it is watched no longer" in ran.out
    assert asking.status() == "active"
