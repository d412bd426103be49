"""`resumelog pilot --server`: what is asked of a server, and how its answers are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import Cli, require_one_line
from support.contract_server import ContractServer

SIM = "village"
ACTIVE = {
    "simulation_id": SIM,
    "mode": "auto",
    "status": "active",
    "current_step": "monitoring",
    "step_progress": 40.0,
    "step_message": "12/30",
    "progress_detail": {"current_round": 12, "total_rounds": 30},
    "created_at": "2026-01-02T03:04:05+00:00",
    "error": None,
    "error_step": None,
    "last_completed_step": "starting",
    "retry_count": 0,
    "available": True,
}


def well(**facts: object) -> tuple[int, object]:
    return 200, {"success": True, "data": {**ACTIVE, **facts}}


def refusal(code: int, error: str, advice: str = "") -> tuple[int, object]:
    facts = {"error": error, "message": error, "error_code": "X", "recovery_suggestion": advice}
    return code, {"success": False, **facts, "status_code": code, "data": None}


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["config", SIM, "AUTO"], {"mode": "auto"}),
        (["start", SIM], {"force": False}),
        (["start", SIM, "--force"], {"force": True}),
        (["pause", SIM], {}),
        (["resume", SIM], {}),
        (["stop", SIM], {}),
        (["reset", SIM], {}),
    ],
)
def test_a_command_asks_its_endpoint_and_then_for_the_status(
    tmp_path: Path, arguments: list[str], body: dict[str, object]
) -> None:
    cli = Cli(tmp_path, RESUMELOG_TOKEN="s3cret")
    with ContractServer(well()).listening() as server:
        ran = cli("pilot", *arguments, "--server", server.url, "--json")
    assert (ran.code, ran.document) == (0, ACTIVE)
    asked, status = server.asked
    assert asked.path == f"/api/simulation/auto-pilot/{arguments[0]}"
    assert asked.body == {"simulation_id": SIM, **body}
    assert asked.token == "Bearer s3cret"
    assert status.path == "/api/simulation/auto-pilot/status"
    assert not [*tmp_path.iterdir()]


def test_the_status_is_told(tmp_path: Path) -> None:
    with ContractServer(well()).listening() as server:
        ran = Cli(tmp_path)("pilot", "status", SIM, "--server", f"{server.url}/")
    assert ran.out.splitlines()[0] == "village: active at monitoring 40 % · 12/30"
    assert server.asked[0].token is None


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1)])
def test_a_run_is_watched_to_its_end(tmp_path: Path, status: str, code: int) -> None:
    over = well(status=status, error="墨尽", error_step="monitoring")
    with ContractServer(well(), well(), over).listening() as server:
        ran = Cli(tmp_path)("pilot", "watch", SIM, "--server", server.url, "--every", "0.01")
    assert ran.code == code
    assert "village: active at monitoring 40 % · 12/30" in ran.err
    assert status in ran.out


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        (refusal(400, "mode is manual", "configure it"), 2, "mode is manual; configure it\n"),
        (refusal(404, "no such simulation; create it", "create it"), 2, "simulation; create it\n"),
        (refusal(401, "no token"), 2, "no token; put the server's token into RESUMELOG_TOKEN\n"),
        (refusal(500, "the log is gone", "look"), 1, "the log is gone; look\n"),
        ((502, b"<html>"), 1, "answered 502, and not as resumelog serve does; name the"),
        ((200, b"<html>"), 1, "answered 200, and not as resumelog serve does"),
        ((200, []), 1, "answered 200, and not as resumelog serve does"),
        ((302, b""), 1, "answered 302, and not as resumelog serve does"),
        (refusal(400, "\x1b[31mred", "no"), 2, "red; no"),
    ],
)
def test_what_a_server_refuses_is_one_line(
    tmp_path: Path, answer: tuple[int, object], code: int, why: str
) -> None:
    with ContractServer(answer).listening() as server:
        ran = Cli(tmp_path, RESUMELOG_TOKEN="x")("pilot", "status", SIM, "--server", server.url)
    require_one_line(ran, why, [code])
    assert "\x1b" not in ran.err
    assert [asked.path for asked in server.asked] == ["/api/simulation/auto-pilot/status"]


@pytest.mark.parametrize(
    ("arguments", "why", "code"),
    [
        (["status", SIM, "--server", "village"], "is no address; name one as http://", 2),
        (["status", SIM, "--server", "file:///etc/passwd"], "is no address", 2),
        (["status", SIM, "--server", "http://[::1"], "is no address", 2),
        (["status", SIM, "--server", "http://127.0.0.1:9"], "can't be asked .*resumelog serve", 1),
        (["step", SIM, "--server", "http://127.0.0.1:9"], "a server does no single steps", 2),
        (["start", SIM, "--server", "http://h", "--pilot", "x"], "leave --pilot or --server", 2),
        (["pause", SIM, "--server", "http://h", "--reason", "x"], "takes no reason", 2),
    ],
)
def test_what_can_not_be_asked_is_one_line(
    tmp_path: Path, arguments: list[str], why: str, code: int
) -> None:
    require_one_line(Cli(tmp_path)("pilot", *arguments), why, [code])


def test_a_loopback_server_is_asked_without_a_proxy(tmp_path: Path) -> None:
    proxy = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    with ContractServer(well()).listening() as server:
        assert Cli(tmp_path, **proxy)("pilot", "status", SIM, "--server", server.url).code == 0
