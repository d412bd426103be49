"""`resumelog serve` as a process: how it is reached, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from support.cli import PATIENCE_S, Cli, require_one_line, require_refused, wait_for
from support.pilots import HEAD, Piloted, processes_in, work
from support.served import Served, serving, serving_host

from resumelog.application.autopilot_runs import CLOSE_S
from resumelog.infrastructure.http.pilot_routes import PREFIX
from resumelog.infrastructure.http.server import listening

pytestmark = pytest.mark.kills  # a service each, ended or killed

WITHIN_S = 3.0
"""The promise to whoever stops the service, and no measure of this machine."""
SIM = "sim-1"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Served]:
    """A service with a host whose run stays in its second step while the file `held` is there."""
    (tmp_path / "held").touch()
    with serving_host(tmp_path) as served:
        yield served


def ended_by(number: int, process: subprocess.Popen[str]) -> float:
    """Return how many seconds a process takes to end when it gets a signal."""
    began = time.monotonic()
    process.send_signal(number)
    process.wait(PATIENCE_S)
    return time.monotonic() - began


def started(served: Served) -> None:
    served.post("config", SIM, mode="auto")
    served.post("start", SIM)
    # the step is the current one a moment before it is begun
    wait_for(lambda: served.post("status", SIM)["step_message"] == "watching", "the second step")


def test_it_is_reached_where_it_says(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        assert served.url.startswith("http://127.0.0.1:")
        assert served.ask("GET", "/health")[0] == 200
        assert served.ask("GET", "/ready") == (
            200,
            {"success": True, "data": {"status": "ready", "position": 0}},
        )
        assert served.post("config", SIM, mode="auto")["mode"] == "auto"
        assert served.ask("GET", "/api/jobs")[1]["data"]["jobs"][0]["name"] == SIM
        assert served.ask("GET", "/api/jobs", host="evil.example")[0] == 403


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_when_it_is_asked_to(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as served:
        served.post("config", SIM, mode="auto")
        assert ended_by(number, served.process) < WITHIN_S
        assert served.process.returncode == 0
        assert served.process.stderr
        assert served.process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_time_with_requests_open(hosted: Served, number: int) -> None:
    started(hosted)
    body = '{"simulation_id": "slow", "mode": "auto"}'
    with ExitStack() as opened:
        hung, half, idle = (opened.enter_context(closing(hosted.connected())) for _ in range(3))
        hung.request("POST", f"{PREFIX}/config", body, {"content-type": "application/json"})
        half.putrequest("POST", f"{PREFIX}/config")
        half.putheader("content-length", "100")
        half.endheaders(b"{")
        idle.connect()
        assert ended_by(number, hosted.process) < WITHIN_S
        told = half.getresponse()
        assert told.status == 503
        assert json.loads(told.read())["error_code"] == "service_ending"
    assert hosted.process.returncode == 0
    assert hosted.process.stderr
    assert "Traceback" not in hosted.process.stderr.read()


DEAF = "test -e go && exit 0; trap '' TERM INT; echo x >> begun; sleep 600"


@contextmanager
def deaf(folder: Path, grace_s: float) -> Iterator[Served]:
    """Serve a run whose command does not listen, and is in its midst."""
    head = HEAD.replace("grace_s = 1", f"grace_s = {grace_s}")
    Piloted(folder, work("draw", DEAF), head=head)
    with serving(folder, "--pilot", "pilot.toml") as served:
        served.post("config", SIM, mode="auto")
        served.post("start", SIM)
        wait_for((folder / "begun").exists, "the command")
        yield served


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("grace_s", [0.1, 60])
def test_a_command_that_does_not_listen_ends_with_the_service(
    tmp_path: Path, number: int, grace_s: float
) -> None:
    with deaf(tmp_path, grace_s) as served:
        assert ended_by(number, served.process) < CLOSE_S, "it waited as a log does"
    assert served.process.returncode == 0
    assert not processes_in(tmp_path)
    assert Cli(tmp_path).names(SIM)[-1] == "ProgressSaved"
    (tmp_path / "go").touch()
    with serving(tmp_path, "--pilot", "pilot.toml") as again:
        wait_for(lambda: again.post("status", SIM)["status"] == "completed", "the end of the run")


def test_runs_are_handed_back_and_go_on_in_the_next_process(hosted: Served, tmp_path: Path) -> None:
    started(hosted)
    ended_by(signal.SIGTERM, hosted.process)
    events = Cli(tmp_path).names(SIM)
    assert events[-1] == "ProgressSaved"
    (tmp_path / "held").unlink()
    with serving_host(tmp_path) as again:
        wait_for(lambda: again.post("status", SIM)["status"] == "completed", "the end of the run")
    assert (tmp_path / "ran").read_text().split("\n") == [
        f"{SIM} preparing",
        f"{SIM} monitoring",
        f"{SIM} monitoring",
        "",
    ]


def test_a_killed_service_goes_on_with_its_runs(hosted: Served, tmp_path: Path) -> None:
    started(hosted)
    hosted.process.kill()
    hosted.process.wait(PATIENCE_S)
    (tmp_path / "held").unlink()
    with serving_host(tmp_path) as again:
        wait_for(lambda: again.post("status", SIM)["status"] == "completed", "the end of the run")
    assert (tmp_path / "ran").read_text().count("preparing") == 1


def test_an_answer_waits_for_no_acknowledgement_of_its_first_packet() -> None:
    with (
        listening("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# What it refuses


def test_another_host_needs_a_token(tmp_path: Path) -> None:
    ran = Cli(tmp_path)("serve", "--host", "0.0.0.0", "--port", 0)
    require_one_line(ran, "without a token; set RESUMELOG_TOKEN")
    assert not [*tmp_path.iterdir()]


def test_an_empty_token_is_none(tmp_path: Path) -> None:
    ran = Cli(tmp_path, RESUMELOG_TOKEN="")("serve", "--port", 0)
    require_one_line(ran, "RESUMELOG_TOKEN holds no token")


def test_a_token_is_required_on_this_machine_too(tmp_path: Path) -> None:
    with serving(tmp_path, RESUMELOG_TOKEN="t0ken") as served:
        assert served.ask("GET", "/api/jobs")[0] == 401
        assert served.ask("GET", "/api/jobs", x_api_key="t0ken")[0] == 200
        assert served.ask("GET", "/api/jobs", authorization="Bearer t0ken")[0] == 200
        assert served.ask("GET", "/health")[0] == 200


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        port = served.url.rpartition(":")[2]
        ran = Cli(tmp_path)("serve", "--port", port)
        require_one_line(
            ran, rf"can't listen on 127.0.0.1, port {port}: Address already in use; choose"
        )


def test_an_address_that_is_not_ours_is_told(tmp_path: Path) -> None:
    ran = Cli(tmp_path)("serve", "--host", "192.0.2.1", "--port", 0)
    require_one_line(ran, "can't listen on 192.0.2.1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, r"pilot\.toml: it can't be read \(No such file or directory\); name the file"),
        ("exists = any", r"pilot\.toml, line 1: it is not TOML: "),
        ('exists = "any"', r"pilot\.toml: \[start\] and \[monitor\] and \[report\] must be there"),
        (
            HEAD + work("draw", "true", "cwd = 'gone'"),
            r"line \d+: steps\.1\.cwd: there is no folder",
        ),
    ],
    ids=["missing", "no TOML", "no steps", "no folder"],
)
def test_a_wrong_pilot_file_is_told_and_no_log_is_made(
    tmp_path: Path, text: str | None, why: str
) -> None:
    cli = Cli(tmp_path)
    if text is not None:
        cli.write("pilot.toml", text)
    require_refused(cli, ["serve", "--port", 0, "--pilot", "pilot.toml"], why)


@pytest.mark.parametrize("package", ["uvicorn", "fastapi"])
def test_without_the_extra_it_tells_how_to_install_it_and_makes_no_log(
    tmp_path: Path, package: str
) -> None:
    (tmp_path / "hidden").mkdir()
    missing = f"raise ModuleNotFoundError({package!r}, name={package!r})"
    (tmp_path / "hidden" / f"{package}.py").write_text(missing)
    cli = Cli(tmp_path, PYTHONPATH=str(tmp_path / "hidden"), PYTHONDONTWRITEBYTECODE="1")
    why = rf"{package} is not installed; pip install '\.\[server\]' in the clone"
    require_refused(cli, ["serve", "--port", 0], why)
