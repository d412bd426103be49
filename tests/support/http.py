"""One client for both adapters, without a socket."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask
from support.hosts import SIM, SmallHost

import resumelog
from resumelog import AutoPilot
from resumelog.infrastructure.http.pilot_routes import PREFIX

ADAPTERS = ("fastapi", "flask")
ENDPOINTS = ("config", "start", "pause", "resume", "stop", "status", "reset")
ERROR_FIELDS = [
    "success",
    "error",
    "message",
    "error_code",
    "recovery_suggestion",
    "status_code",
    "data",
]
JSON = {"content-type": "application/json"}


class Got(NamedTuple):
    """An answer."""

    status: int
    document: Any
    headers: dict[str, str]

    @property
    def data(self) -> dict[str, Any]:
        """What a success holds."""
        assert (self.status, [*self.document]) == (200, ["success", "data"]), self
        assert self.document["success"] is True
        data: dict[str, Any] = self.document["data"]
        return data

    @property
    def error_code(self) -> str:
        """Which error it is, told with all the fields of one."""
        assert [*self.document] == ERROR_FIELDS, self
        assert self.document["success"] is False
        assert self.document["data"] is None
        assert self.document["status_code"] == self.status
        told = [self.document[name] for name in ("error", "message", "recovery_suggestion")]
        assert all(told)
        return str(self.document["error_code"])


Send = Callable[[str, str, bytes, dict[str, str]], Got]


class Client(NamedTuple):
    """Asks one adapter."""

    send: Send

    def __call__(
        self,
        method: str,
        path: str,
        json: Any = None,
        body: Any = None,
        **headers: Any,
    ) -> Got:
        """Send a request; `json` as one, `body` as it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if json is not None:
            body, named = json_module.dumps(json).encode(), {**JSON, **named}
        return self.send(method, path, body or b"", named)

    def post(self, endpoint: str, simulation_id: Any = SIM, **fields: Any) -> Got:
        """Ask an endpoint of the autopilot."""
        return self("POST", f"{PREFIX}/{endpoint}", {"simulation_id": simulation_id, **fields})


class OwningHost(SmallHost):
    """Whose simulations are named after their owners."""

    def owner(self, simulation_id: str) -> str | None:
        return {"sim-ann": "ann", "sim-bob": "bob"}.get(simulation_id)


class Adapter(Protocol):
    """Makes a client of a pilot."""

    def __call__(self, pilot: AutoPilot, **options: Any) -> Client:
        """Take the options of `create_app`."""
        ...


def client_of(name: str, pilot: AutoPilot, **options: Any) -> Client:
    """Return a client of an adapter."""
    return {"fastapi": _of_app, "router": _of_router, "flask": _of_flask}[name](pilot, **options)


def _of_app(pilot: AutoPilot, **options: Any) -> Client:
    return _asking(resumelog.create_app(pilot, **options))


def _of_router(pilot: AutoPilot, **options: Any) -> Client:
    app = FastAPI()
    app.include_router(resumelog.router(pilot, **options))
    return _asking(app)


def _asking(app: FastAPI) -> Client:
    client = TestClient(app)

    def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> Got:
        sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        got = client.request(method, path, content=body, headers=sent)
        return Got(got.status_code, _document(got.content), {**got.headers})

    return Client(send)


def _of_flask(pilot: AutoPilot, **options: Any) -> Client:
    app = Flask("host")
    app.register_blueprint(resumelog.blueprint(pilot, **options))

    def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> Got:
        with app.test_client() as client:
            got = client.open(path, method=method, data=body, headers=headers)
            named = {name.lower(): value for name, value in got.headers.items()}
            return Got(got.status_code, _document(got.data), named)

    return Client(send)


def _document(content: bytes) -> Any:
    return json_module.loads(content) if content else None
