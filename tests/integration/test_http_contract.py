"""The seven endpoints, row by row as the clients of the old service rely on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue
from support.hosts import (
    AT_ONCE,
    SIM,
    SmallHost,
    at_work,
    ended,
    reached,
    until_asked,
)
from support.http import ADAPTERS, ENDPOINTS, JSON, Client, client_of

import resumelog
from resumelog import AutoPilot, ResumeLog, StepContext
from resumelog.infrastructure.http.pilot_routes import PREFIX

STATUS_FIELDS = [
    "simulation_id",
    "mode",
    "status",
    "current_step",
    "step_progress",
    "step_message",
    "progress_detail",
    "created_at",
    "started_at",
    "paused_at",
    "completed_at",
    "failed_at",
    "error",
    "error_step",
    "last_completed_step",
    "retry_count",
    "available",
]
NO_ID: tuple[JsonValue, ...] = ("", None, 7, True, ["sim-1"], {"id": "sim-1"}, "a\nb", "x" * 513)


@pytest.fixture
def log() -> Iterator[ResumeLog]:
    """One in memory: what a store keeps is tested elsewhere."""
    with resumelog.open("memory:") as log:
        yield log


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pilot(log: ResumeLog) -> AutoPilot:
    """Runs that stay in their third step until they are asked to leave it."""
    return log.autopilot(SmallHost(monitoring=until_asked), AT_ONCE)


@pytest.fixture
def client(adapter: str, pilot: AutoPilot) -> Client:
    return client_of(adapter, pilot)


@pytest.fixture
def at_monitoring(client: Client, pilot: AutoPilot) -> Iterator[Client]:
    """A run that is active."""
    client.post("config", mode="auto")
    client.post("start")
    reached(pilot)
    yield client
    client.post("reset")
    ended(pilot)


# What each of them gives


@pytest.mark.parametrize("mode", ["auto", "AUTO", "Auto", "manual", "Manual", "MANUAL"])
def test_config_takes_a_mode_in_any_case(client: Client, mode: str) -> None:
    data = client.post("config", mode=mode).data
    message = data.pop("message")
    assert data == {"simulation_id": SIM, "mode": mode.lower(), "available": True}
    assert mode.lower() in message


def test_start_gives_the_run_as_it_stands(client: Client) -> None:
    client.post("config", mode="auto")
    data = client.post("start").data
    assert [*data] == [
        "simulation_id",
        "status",
        "current_step",
        "step_progress",
        "step_message",
        "message",
        "force_restarted",
    ]
    assert (data["simulation_id"], data["status"], data["force_restarted"]) == (
        SIM,
        "active",
        False,
    )


def test_start_on_an_active_run_gives_its_state_and_starts_nothing(at_monitoring: Client) -> None:
    data = at_monitoring.post("start").data
    assert (data["status"], data["current_step"], data["step_progress"]) == (
        "active",
        "monitoring",
        10.0,
    )
    assert (data["step_message"], data["force_restarted"]) == ("监控中 👀", False)


def test_start_with_force_begins_anew(at_monitoring: Client, pilot: AutoPilot) -> None:
    at_monitoring.post("stop")
    ended(pilot)
    assert at_monitoring.post("start", force=True).data["force_restarted"] is True


def test_pause_stops_an_active_run(at_monitoring: Client) -> None:
    data = at_monitoring.post("pause").data
    assert [*data] == ["simulation_id", "status", "current_step", "message"]
    assert (data["status"], data["current_step"]) == ("paused", "monitoring")


def test_resume_lets_a_paused_run_go_on(at_monitoring: Client, pilot: AutoPilot) -> None:
    at_monitoring.post("pause")
    ended(pilot)
    data = at_monitoring.post("resume").data
    assert [*data] == ["simulation_id", "status", "current_step", "message"]
    assert (data["status"], data["current_step"]) == ("active", "monitoring")
    assert at_monitoring.post("status").data["status"] == "active"


def test_stop_ends_an_active_run(at_monitoring: Client) -> None:
    data = at_monitoring.post("stop").data
    assert [*data] == ["simulation_id", "status", "message"]
    assert data["status"] == "inactive"
    assert at_monitoring.post("status").data["status"] == "inactive"


def test_stop_is_harmless_where_nothing_runs(client: Client) -> None:
    assert client.post("stop").data["status"] == "inactive"
    client.post("config", mode="auto")
    assert client.post("stop").data["status"] == "inactive"


def test_stop_ends_a_paused_run(at_monitoring: Client) -> None:
    at_monitoring.post("pause")
    at_monitoring.post("stop")
    assert at_monitoring.post("status").data["status"] == "inactive"


def test_status_of_a_simulation_that_was_never_configured(client: Client) -> None:
    data = client.post("status", "nobody knows it").data
    message = data.pop("message")
    assert message
    assert data == {
        "simulation_id": "nobody knows it",
        "mode": "manual",
        "status": "inactive",
        "available": True,
    }


def test_status_of_a_run_that_was_only_configured(client: Client) -> None:
    client.post("config", mode="auto")
    data = client.post("status").data
    assert [*data] == STATUS_FIELDS
    assert datetime.fromisoformat(data.pop("created_at"))
    nothing_yet = dict.fromkeys(STATUS_FIELDS[8:14])
    assert data == {
        **nothing_yet,
        "simulation_id": SIM,
        "mode": "auto",
        "status": "inactive",
        "current_step": "idle",
        "step_progress": 0.0,
        "step_message": "",
        "progress_detail": {},
        "last_completed_step": "idle",
        "retry_count": 0,
        "available": True,
    }


def test_status_of_an_active_run(at_monitoring: Client) -> None:
    data = at_monitoring.post("status").data
    assert [*data] == STATUS_FIELDS
    assert (data["status"], data["current_step"]) == ("active", "monitoring")
    assert (data["step_progress"], data["last_completed_step"]) == (10.0, "starting")


def test_times_are_told_in_utc_with_their_offset(at_monitoring: Client) -> None:
    at_monitoring.post("pause")
    data = at_monitoring.post("status").data
    times = [data[name] for name in ("created_at", "started_at", "paused_at")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", time) for time in times)
    assert datetime.fromisoformat(times[0]).utcoffset() == timedelta(0)
    assert sorted(times) == times


def test_reset_keeps_the_mode_and_forgets_the_rest(at_monitoring: Client) -> None:
    data = at_monitoring.post("reset").data
    assert [*data] == ["simulation_id", "message"]
    after = at_monitoring.post("status").data
    assert (after["mode"], after["status"], after["started_at"]) == ("auto", "inactive", None)


def test_reset_is_harmless_for_an_unknown_simulation(client: Client) -> None:
    assert client.post("reset", "../../victim").data["simulation_id"] == "../../victim"


# What a run tells on its way


def test_a_failed_run_is_reset_and_started_with_force(adapter: str, log: ResumeLog) -> None:
    fails = [True]

    def starting(_: StepContext) -> JsonValue:
        if fails:
            raise ConnectionError("没有连接")
        return None

    pilot = log.autopilot(SmallHost(starting=starting), AT_ONCE)
    client = client_of(adapter, pilot)
    client.post("config", mode="auto")
    client.post("start")
    ended(pilot)
    failed = client.post("status").data
    assert (failed["status"], failed["error_step"]) == ("failed", "starting")
    assert "没有连接" in failed["error"]
    assert (failed["retry_count"], failed["last_completed_step"]) == (3, "preparing")
    assert datetime.fromisoformat(failed["failed_at"])
    fails.clear()
    client.post("reset")
    client.post("start", force=True)
    ended(pilot)
    completed = client.post("status").data
    assert (completed["status"], completed["current_step"]) == ("completed", "completed")
    assert (completed["step_progress"], completed["error"]) == (100.0, None)
    assert client.post("start").data["status"] == "completed"


@pytest.mark.parametrize(
    ("step", "detail", "shown"),
    [
        (
            "monitoring",
            {"current_round": 3, "total_rounds": 12},
            {"current_round": 3, "total_rounds": 12},
        ),
        (
            "generating_report",
            {"stage": "writing"},
            {"stage": "writing", "message": "3 of 12"},
        ),
    ],
)
def test_the_detail_says_what_the_step_is_at(
    adapter: str,
    log: ResumeLog,
    step: str,
    detail: dict[str, JsonValue],
    shown: dict[str, JsonValue],
) -> None:
    def works(context: StepContext) -> JsonValue:
        context.progress(25, "3 of 12", **detail)
        while context.wait(0.01):
            pass
        return None

    pilot = log.autopilot(SmallHost(**{step: works}), AT_ONCE)
    client = client_of(adapter, pilot)
    client.post("config", mode="auto")
    client.post("start")
    reached(pilot)
    assert client.post("status").data["progress_detail"] == shown
    client.post("stop")
    ended(pilot)


@pytest.mark.parametrize("command", ["pause", "stop"])
def test_a_step_that_has_not_left_yet_is_shown(
    adapter: str, log: ResumeLog, command: str, released: Callable[[StepContext], JsonValue]
) -> None:
    pilot = log.autopilot(SmallHost(monitoring=released), AT_ONCE)
    client = client_of(adapter, pilot)
    client.post("config", mode="auto")
    client.post("start")
    reached(pilot, at_work)
    client.post(command)
    data = client.post("status").data
    assert data["progress_detail"] == {"stopping": True}
    assert data["step_message"] == "deaf · stopping: the step has not left yet"
    if command == "pause":  # its worker goes on
        assert client.post("start").data["status"] == "active"
    released.__dict__["left"].set()
    ended(pilot)
    assert "stopping" not in client.post("status").data["progress_detail"]


@pytest.fixture
def released() -> Iterator[Callable[[StepContext], JsonValue]]:
    """A step that hears nothing until its `left` is set."""
    from threading import Event

    left = Event()

    def deaf(context: StepContext) -> JsonValue:
        context.progress(10, "deaf")
        left.wait()
        return None

    deaf.left = left  # type: ignore[attr-defined]
    yield deaf
    left.set()


# What is refused, with which status


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_no_simulation_id_is_refused(client: Client, endpoint: str) -> None:
    for given in NO_ID:
        got = client("POST", f"{PREFIX}/{endpoint}", {"simulation_id": given, "mode": "auto"})
        assert (got.status, got.error_code) == (400, "bad_simulation_id"), given


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_missing_simulation_id_is_refused(client: Client, endpoint: str) -> None:
    got = client("POST", f"{PREFIX}/{endpoint}", {"mode": "auto"})
    assert (got.status, got.error_code) == (400, "bad_simulation_id")


@pytest.mark.parametrize(
    "fields", [{}, *({"mode": mode} for mode in ("later", "", None, 1, True, ["auto"], "auto\n"))]
)
def test_what_is_no_mode_is_refused(client: Client, fields: dict[str, JsonValue]) -> None:
    got = client.post("config", **fields)
    assert (got.status, got.error_code) == (400, "bad_mode")
    assert "message" in client.post("status").data  # it is not configured


def test_config_of_a_simulation_that_the_host_does_not_know_is_refused(client: Client) -> None:
    got = client.post("config", "unknown", mode="auto")
    assert (got.status, got.error_code) == (404, "simulation_not_found")


def test_start_in_manual_mode_is_refused(client: Client) -> None:
    assert client.post("start").status == 400
    client.post("config", mode="manual")
    got = client.post("start")
    assert (got.status, got.error_code) == (400, "mode_not_auto")


@pytest.mark.parametrize("force", [None, "yes", 1, []])
def test_what_is_no_force_is_refused(client: Client, force: JsonValue) -> None:
    client.post("config", mode="auto")
    got = client.post("start", force=force)
    assert (got.status, got.error_code) == (400, "bad_field")


@pytest.mark.parametrize(("endpoint", "code"), [("pause", "not_active"), ("resume", "not_paused")])
def test_pause_and_resume_are_refused_with_no_run(client: Client, endpoint: str, code: str) -> None:
    never = client.post(endpoint)
    client.post("config", mode="auto")
    configured = client.post(endpoint)
    assert {(got.status, got.error_code) for got in (never, configured)} == {(400, code)}


def test_a_second_pause_is_refused(at_monitoring: Client) -> None:
    at_monitoring.post("pause")
    got = at_monitoring.post("pause")
    assert (got.status, got.error_code) == (400, "not_active")


def test_resume_of_an_active_run_is_refused(at_monitoring: Client) -> None:
    got = at_monitoring.post("resume")
    assert (got.status, got.error_code) == (400, "not_paused")


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"", JSON, "bad_json"),
        (b"{", JSON, "bad_json"),
        (b'{"simulation_id": "sim-1", "x": NaN}', JSON, "bad_json"),
        (b"\xef\xbb\xbf{}", JSON, "bad_json"),
        (b"[" * 100_000, JSON, "bad_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", JSON, "bad_json"),
        (b"[]", JSON, "not_an_object"),
        (b'"sim-1"', JSON, "not_an_object"),
        (b"null", JSON, "not_an_object"),
        (b'{"simulation_id": "\xff"}', JSON, "not_utf8"),
        ('{"simulation_id": "模拟"}'.encode("utf-16"), JSON, "not_utf8"),
        (b'{"simulation_id": "\\ud800"}', JSON, "bad_simulation_id"),
        (b'{"simulation_id": "sim-1"}', {}, "bad_content_type"),
        (b"simulation_id=sim-1", {"content-type": "text/plain"}, "bad_content_type"),
        (
            b"{}",
            {"content-type": "application/json; charset=gbk"},
            "bad_content_type",
        ),
        (
            b"simulation_id=sim-1",
            {"content-type": "application/x-www-form-urlencoded"},
            "bad_content_type",
        ),
    ],
)
def test_a_body_that_is_no_json_object_in_utf8_is_refused(
    client: Client, body: bytes, headers: dict[str, str], code: str
) -> None:
    for endpoint in ENDPOINTS:
        got = client("POST", f"{PREFIX}/{endpoint}", body=body, **headers)
        assert (got.status, got.error_code) == (400, code), endpoint


@pytest.mark.parametrize(
    "given", ["application/json;charset=UTF-8", 'application/json; charset="utf-8"']
)
def test_a_content_type_may_name_its_charset(client: Client, given: str) -> None:
    body = b'{"simulation_id": "sim-1"}'
    got = client("POST", f"{PREFIX}/status", body=body, content_type=given)
    assert got.data["simulation_id"] == "sim-1"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_other_methods_are_refused(client: Client, endpoint: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        got = client(method, f"{PREFIX}/{endpoint}")
        assert (got.status, got.error_code) == (405, "method_not_allowed"), method
        assert got.headers["allow"] == "POST"


def test_a_path_below_the_api_that_is_not_there_is_told_alike(client: Client) -> None:
    for path in ("nothing", "config/", "config/more"):
        got = client.post(path)
        assert (got.status, got.error_code) == (404, "not_found")


def test_an_id_is_never_a_path(client: Client, pilot: AutoPilot) -> None:
    for simulation_id in ("sim/../../victim", "sim\\..\\victim", "sim%2f..", "sim 模拟 🎬"):
        assert (
            client.post("config", simulation_id, mode="auto").data["simulation_id"] == simulation_id
        )
        assert pilot.status(simulation_id).mode == "auto"
