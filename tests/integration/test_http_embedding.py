"""The API inside an application of the host's own."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask
from support.hosts import AT_ONCE, SIM, SmallHost
from support.http import client_of

import resumelog
from resumelog import AutoPilot, ServerExtraMissing
from resumelog.infrastructure.http.pilot_routes import PREFIX
from resumelog.infrastructure.http.routes import API, ROUTES


@pytest.fixture
def pilot() -> Iterator[AutoPilot]:
    with resumelog.open("memory:") as log:
        yield log.autopilot(SmallHost(), AT_ONCE)


def test_a_router_answers_beside_the_routes_of_its_application(pilot: AutoPilot) -> None:
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.include_router(resumelog.router(pilot))

    @app.get("/health")
    def health() -> str:
        return "the host's own"

    client = TestClient(app)
    assert client.get("/health").json() == "the host's own"
    assert client.get("/nothing").json() == {"detail": "Not Found"}
    assert client.get("/ready").status_code == 404
    body = {"simulation_id": SIM}
    assert client.post(f"{PREFIX}/status", json=body).json()["data"]["status"] == "inactive"
    assert client.get(f"{PREFIX}/status").json()["error_code"] == "method_not_allowed"
    assert client.get(f"{PREFIX}/nothing").json()["error_code"] == "not_found"
    assert {route.path for route in API} < {*client.get("/openapi.json").json()["paths"]}


def test_a_router_requires_its_token_and_the_application_goes_without(pilot: AutoPilot) -> None:
    client = client_of("router", pilot, token="t0ken")
    assert client.post("status").error_code == "no_token"
    assert client("GET", "/openapi.json").status == 200


def test_a_blueprint_answers_beside_the_routes_of_its_application(pilot: AutoPilot) -> None:
    app = Flask("host")
    app.register_blueprint(resumelog.blueprint(pilot))
    app.add_url_rule("/health", "health", lambda: "the host's own")
    client = app.test_client()
    assert client.get("/health").text == "the host's own"
    assert client.get("/nothing").mimetype == "text/html"
    assert client.post(f"{PREFIX}/status", json={"simulation_id": SIM}).status_code == 200
    assert client.get(f"{PREFIX}/nothing").get_json()["error_code"] == "not_found"


def test_every_route_is_described_with_examples(pilot: AutoPilot) -> None:
    document = client_of("fastapi", pilot)("GET", "/openapi.json").document
    assert {*document["paths"]} == {route.path for route in ROUTES}
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["summary"] == route.tells
        if route.method == "POST":
            taken = operation["requestBody"]["content"]["application/json"]["example"]
            given = operation["responses"]["200"]["content"]["application/json"]["example"]
            assert route.takes(**taken)
            assert given["success"] is True
            assert [*given["data"]] == [*route.gives[0].model_fields]
            assert route.gives[0](**given["data"])
    assert "security" not in str(document)


@pytest.mark.parametrize(
    ("make", "package", "extra"),
    [
        ("create_app", "fastapi", "server"),
        ("router", "fastapi", "server"),
        ("blueprint", "flask", "flask"),
    ],
)
def test_without_the_extra_its_name_is_told(
    pilot: AutoPilot, monkeypatch: pytest.MonkeyPatch, make: str, package: str, extra: str
) -> None:
    really = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == package:
            raise ImportError(name)
        return really(name, *args, **more)

    import sys

    for name in ("fastapi_adapter", "flask_adapter", "openapi"):
        monkeypatch.delitem(sys.modules, f"resumelog.infrastructure.http.{name}", raising=False)
        monkeypatch.delattr(f"resumelog.infrastructure.http.{name}", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ServerExtraMissing, match=rf"resumelog\[{extra}\]"):
        getattr(resumelog, make)(pilot)
