"""Jobs of all kinds over HTTP: the list, where each goes on, its events, and the probes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.hosts import AT_ONCE, SIM, SmallHost, ended
from support.http import ADAPTERS, Client, client_of
from support.logs import make_scenes, make_units, scenes

import resumelog
from resumelog import ResumeLog
from resumelog.application.errors import StoreUnavailable

JOB_FIELDS = [
    "kind",
    "name",
    "id",
    "status",
    "progress",
    "done",
    "failed",
    "total",
    "attempts",
    "worker",
    "version",
    "created_at",
    "modified_at",
    "error",
]
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def client(request: pytest.FixtureRequest, log: ResumeLog, output: Path) -> Client:
    """A log with a job of each kind; the run is the last."""
    make_units(log, output, until=3, end=KeyboardInterrupt())
    make_scenes(log.scenes.open("电影", "分镜", scenes=scenes(1, 2, 3)), fails=["2"])
    pilot = log.autopilot(SmallHost(), AT_ONCE)
    pilot.configure(SIM, "auto", "小王")
    pilot.start(SIM)
    ended(pilot)
    return client_of(getattr(request, "param", "fastapi"), pilot)


each_adapter = pytest.mark.parametrize("client", ADAPTERS, indirect=True)


def jobs(client: Client, query: str = "") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client("GET", f"/api/jobs{query}").data["jobs"]
    return listed


def named(client: Client, kind: str) -> str:
    (job,) = jobs(client, f"?kind={kind}")
    return str(job["id"])


@each_adapter
def test_jobs_of_all_kinds_are_listed_the_last_changed_first(client: Client) -> None:
    listed = jobs(client)
    assert [job["kind"] for job in listed] == ["AutoPilotRun", "SceneBatch", "ExportJob"]
    assert [*listed[0]] == JOB_FIELDS
    assert datetime.fromisoformat(listed[0]["created_at"]).tzinfo
    assert [(job["done"], job["failed"], job["total"]) for job in listed[:2]] == [
        (4, None, 4),
        (2, 1, 3),
    ]


@each_adapter
def test_jobs_are_chosen_by_kind_and_status(client: Client) -> None:
    by_kind = jobs(client, "?kind=ExportJob&kind=SceneBatch")
    assert [job["kind"] for job in by_kind] == ["SceneBatch", "ExportJob"]
    by_status = jobs(client, "?status=completed&status=interrupted")
    assert [job["kind"] for job in by_status] == ["AutoPilotRun", "ExportJob"]


@each_adapter
def test_the_list_is_read_a_page_at_a_time(client: Client) -> None:
    seen, cursor = [], ""
    while True:
        page = client("GET", f"/api/jobs?limit=1{cursor}").data
        seen += [job["kind"] for job in page["jobs"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["AutoPilotRun", "SceneBatch", "ExportJob"]


@each_adapter
@pytest.mark.parametrize(
    "query",
    [
        "kind=Nothing",
        "status=odd",
        "limit=0",
        "limit=501",
        "limit=1.0",
        "limit=%201",
        "limit=1_0",
        "limit=1&limit=2",
        "cursor=-1",
        "cursor=x",
        "cursor=99999999999999999999",
    ],
)
def test_a_bad_parameter_is_refused(client: Client, query: str) -> None:
    got = client("GET", f"/api/jobs?{query}")
    assert (got.status, got.error_code) == (400, "bad_field")


@each_adapter
def test_a_job_says_where_it_goes_on_and_why(client: Client) -> None:
    state = client("GET", f"/api/jobs/{named(client, 'ExportJob')}").data
    point = state["resume_point"]
    assert state["job"]["status"] == point["status"]["value"] == "interrupted"
    assert point["start"]["value"]["cursor"] == {"帧": 2}
    assert (point["start"]["event"], point["next"]["count"]) == ("ProgressSaved", 1)
    assert "3 of 10 units" in point["explained"]


@each_adapter
def test_a_batch_says_which_scenes_failed_and_what_is_left(client: Client) -> None:
    state = client("GET", f"/api/jobs/{named(client, 'SceneBatch')}").data
    assert [failure["scene"] for failure in state["failures"]] == ["2"]
    assert "渲染失败" in state["failures"][0]["error"]
    point = state["resume_point"]
    assert (point["done"]["count"], [fact["value"] for fact in point["next"]["first"]]) == (
        2,
        ["2"],
    )


@each_adapter
def test_the_events_of_a_job_are_read_a_page_at_a_time(client: Client) -> None:
    path = f"/api/jobs/{named(client, 'AutoPilotRun')}/events"
    whole = client("GET", path).data
    assert whole["next_cursor"] is None
    assert [event["event"] for event in whole["events"]][:3] == [
        "Configured",
        "Started",
        "StepStarted",
    ]
    assert whole["events"][0]["facts"] == {"simulation_id": SIM, "mode": "auto", "actor": "小王"}
    seen: list[dict[str, Any]] = []
    cursor = 0
    while cursor is not None:
        page = client("GET", f"{path}?limit=4&cursor={cursor}").data
        seen += page["events"]
        cursor = page["next_cursor"]
    assert seen == whole["events"]


@each_adapter
@pytest.mark.parametrize("name", [UNKNOWN, "x", "sim-模拟-1", "..%2f..%2fetc", "c8af"])
def test_a_job_that_there_is_not_is_told(client: Client, name: str) -> None:
    for path in (f"/api/jobs/{name}", f"/api/jobs/{name}/events"):
        assert client("GET", path).status == 404
    assert client("GET", f"/api/jobs/{UNKNOWN}").error_code == "job_not_found"


@each_adapter
def test_a_read_is_no_post(client: Client) -> None:
    for path in ("/api/jobs", f"/api/jobs/{UNKNOWN}", f"/api/jobs/{UNKNOWN}/events"):
        got = client("POST", path, {})
        assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")
        assert got.error_code == "method_not_allowed"
        assert client("HEAD", path).document is None


def test_the_probes_answer(client: Client) -> None:
    assert client("GET", "/health").data == {"status": "ok", "version": resumelog.__version__}
    ready = client("GET", "/ready").data
    assert (ready["status"], ready["position"] > 10) == ("ready", True)


def test_a_log_that_cannot_be_read_is_not_ready(
    client: Client, log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise StoreUnavailable(store="/secret/jobs.db", why="the disk is gone", advice="mend it")

    monkeypatch.setattr(log.log.recorder, "max_notification_id", broken)
    for path in ("/ready", "/api/jobs"):
        got = client("GET", path)
        assert (got.status, got.error_code) == (503, "log_unavailable")
        assert "secret" not in str(got.document)
    assert client("GET", "/health").status == 200


@pytest.fixture(autouse=True)
def _closed(log: ResumeLog) -> Iterator[None]:
    yield
    log.close()
