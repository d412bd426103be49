"""Who may ask, how much, how long, and what nobody is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from threading import Event

import pytest
from support.hosts import AT_ONCE, SIM
from support.http import ADAPTERS, ENDPOINTS, JSON, Client, OwningHost, client_of

import resumelog
from resumelog import ResumeLog
from resumelog.infrastructure.http.asked import BODY_BYTES_MAX
from resumelog.infrastructure.http.pilot_routes import PREFIX

TOKEN = "t0ken-of-the-test"
STATUS = f"{PREFIX}/status"


@pytest.fixture
def log() -> Iterator[ResumeLog]:
    """One in memory."""
    with resumelog.open("memory:") as log:
        yield log


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def who(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-user")


class BadHost(OwningHost):
    """Fails in its own code."""

    def exists(self, simulation_id: str) -> bool:
        raise RuntimeError(f"/secret/path of {simulation_id}")


class HungHost(OwningHost):
    """Answers once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = Event()

    def exists(self, simulation_id: str) -> bool:
        del simulation_id
        return self.let_go.wait(60)


# Tokens


@pytest.fixture
def guarded(adapter: str, log: ResumeLog) -> Client:
    return client_of(adapter, log.autopilot(OwningHost(), AT_ONCE), token=TOKEN)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer \xff"},
        {"x_api_key": TOKEN[:-1]},
        {"x_api_key": ""},
        {"authorization": "Bearer wrong", "x_api_key": TOKEN},
    ],
)
def test_without_the_token_nothing_is_answered(guarded: Client, headers: dict[str, str]) -> None:
    for method, path in (("POST", STATUS), ("GET", STATUS), ("GET", "/api/jobs")):
        got = guarded(method, path, {"simulation_id": SIM}, **headers)
        assert (got.status, got.error_code) == (401, "no_token"), path
        assert got.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer {TOKEN}"},
        {"x_api_key": TOKEN},
    ],
)
def test_with_the_token_all_is_answered(guarded: Client, headers: dict[str, str]) -> None:
    assert guarded("POST", STATUS, {"simulation_id": SIM}, **headers).status == 200
    assert guarded("GET", "/api/jobs", **headers).status == 200


def test_of_the_application_only_health_needs_no_token(log: ResumeLog) -> None:
    client = client_of("fastapi", log.autopilot(), token=TOKEN)
    got = {
        path: client("GET", path).status for path in ("/health", "/ready", "/openapi.json", "/x")
    }
    assert got == {"/health": 200, "/ready": 401, "/openapi.json": 401, "/x": 401}
    described = client("GET", "/openapi.json", x_api_key=TOKEN).document
    assert [*described["components"]["securitySchemes"]] == ["bearer", "key"]


def test_a_body_without_a_token_is_not_even_read(guarded: Client) -> None:
    got = guarded("POST", STATUS, body=b"x" * (BODY_BYTES_MAX + 1), **JSON)
    assert got.status == 401


# Owners


@pytest.fixture
def owned(adapter: str, log: ResumeLog) -> Client:
    return client_of(adapter, log.autopilot(OwningHost(), AT_ONCE), caller=who)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_another_owners_simulation_is_refused(owned: Client, endpoint: str) -> None:
    path, body = f"{PREFIX}/{endpoint}", {"simulation_id": "sim-bob", "mode": "auto"}
    for headers in ({"x_user": "ann"}, {}):
        got = owned("POST", path, body, **headers)
        assert (got.status, got.error_code) == (403, "not_the_owner")
    assert owned("POST", path, body, x_user="bob").status in (200, 400)


def test_nobodys_simulation_is_anybodys(owned: Client) -> None:
    assert owned("POST", STATUS, {"simulation_id": SIM}).status == 200


def test_the_log_names_the_caller(owned: Client, log: ResumeLog) -> None:
    body = {"simulation_id": "sim-ann", "mode": "auto"}
    owned("POST", f"{PREFIX}/config", body, x_user="ann")
    (event,) = log.queries.history(log.queries.find("sim-ann"))
    assert getattr(event, "actor", None) == "ann"


def test_another_owners_run_is_no_job_of_mine(owned: Client) -> None:
    for name in ("ann", "bob"):
        body = {"simulation_id": f"sim-{name}", "mode": "auto"}
        owned("POST", f"{PREFIX}/config", body, x_user=name)
    (job,) = owned("GET", "/api/jobs", x_user="ann").data["jobs"]
    assert job["name"] == "sim-ann"
    for path in (f"/api/jobs/{job['id']}", f"/api/jobs/{job['id']}/events"):
        assert owned("GET", path, x_user="ann").status == 200
        got = owned("GET", path, x_user="bob")
        assert (got.status, got.error_code) == (403, "not_the_owner")


def test_where_nobody_is_named_an_owned_simulation_is_refused(adapter: str, log: ResumeLog) -> None:
    client = client_of(adapter, log.autopilot(OwningHost(), AT_ONCE))
    assert client.post("status", "sim-ann").status == 403


# Bounds


@pytest.fixture
def client(adapter: str, log: ResumeLog) -> Client:
    return client_of(adapter, log.autopilot(OwningHost(), AT_ONCE))


def test_a_body_over_a_mebibyte_is_refused(client: Client) -> None:
    body = b'{"simulation_id": "sim-1", "more": "%s"}'
    room = BODY_BYTES_MAX - len(body) + 2
    assert client("POST", STATUS, body=body % (b"x" * room), **JSON).status == 200
    got = client("POST", STATUS, body=body % (b"x" * (room + 1)), **JSON)
    assert (got.status, got.error_code) == (413, "body_too_large")


def test_a_request_that_takes_too_long_is_told_so(adapter: str, log: ResumeLog) -> None:
    host = HungHost()
    client = client_of(adapter, log.autopilot(host, AT_ONCE), limit_s=0.1)
    got = client.post("config", mode="auto")
    assert (got.status, got.error_code) == (503, "took_too_long")
    host.let_go.set()


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    answers = (client.post("status"), client.post("status", 7), client("GET", STATUS))
    for got in answers:
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in got.headers["content-security-policy"]
        assert got.headers["content-type"] == "application/json"


def test_a_browser_led_here_by_another_name_gets_nothing(log: ResumeLog) -> None:
    client = client_of("fastapi", log.autopilot(), hosts={"localhost", "127.0.0.1", "::1"})
    for host in ("localhost", "127.0.0.1:5001", "[::1]:5001", "LOCALHOST:80"):
        assert client("GET", "/api/jobs", host=host).status == 200
    for host in ("evil.example", "localhost.evil.example:5001", "127.0.0.1.evil.example", ":"):
        got = client("GET", "/api/jobs", host=host)
        assert (got.status, got.error_code) == (403, "foreign_host")


# Faults


def test_an_error_that_nobody_foresaw_tells_nothing_and_is_logged(
    adapter: str, log: ResumeLog, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(adapter, log.autopilot(BadHost(), AT_ONCE))
    with caplog.at_level(logging.ERROR, "resumelog"):
        got = client.post("config", mode="auto")
    assert (got.status, got.error_code) == (500, "internal")
    assert "secret" not in str(got.document)
    assert "Traceback" not in str(got.document)
    assert "/secret/path" in caplog.text
    assert "Traceback" in caplog.text


def test_without_a_host_a_start_says_whom_to_ask(adapter: str, log: ResumeLog) -> None:
    client = client_of(adapter, log.autopilot())
    client.post("config", mode="auto")
    got = client.post("start")
    assert (got.status, got.error_code) == (503, "no_host")
