"""The service: one table of routes, and thin adapters for FastAPI and Flask.

What serves is imported when it is asked for; the extras `server` and `flask` bring it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from resumelog.application.autopilot_runs import AutoPilot
from resumelog.infrastructure.http.access import Access, CallerOf
from resumelog.infrastructure.http.errors import ServerExtraMissing
from resumelog.infrastructure.http.service import LIMIT_S, Service

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI
    from flask import Blueprint


def create_app(
    pilot: AutoPilot,
    *,
    token: str | None = None,
    caller: CallerOf | None = None,
    hosts: Collection[str] | None = None,
    limit_s: float = LIMIT_S,
) -> FastAPI:
    """Return a FastAPI application: the API, /health, /ready and /openapi.json.

    With `token` every request but /health has to bring it. `caller` names who asks, from the headers
    (names in lower case): a simulation that the host says is another owner's answers 403, and so does any
    owned one where nobody is named. `hosts`: the names that it may be asked under. `limit_s` bounds a
    request, in seconds. Neither starts nor closes the pilot. Raises ServerExtraMissing.
    """
    try:
        from resumelog.infrastructure.http import fastapi_adapter
    except ImportError as error:
        raise ServerExtraMissing(what="FastAPI", extra="server") from error
    return fastapi_adapter.application(Service(pilot, Access(token, caller, hosts), limit_s))


def router(
    pilot: AutoPilot,
    *,
    token: str | None = None,
    caller: CallerOf | None = None,
    limit_s: float = LIMIT_S,
) -> APIRouter:
    """Return the API as a router for a FastAPI application of your own; see `create_app`.

    Raises ServerExtraMissing.
    """
    try:
        from resumelog.infrastructure.http import fastapi_adapter
    except ImportError as error:
        raise ServerExtraMissing(what="FastAPI", extra="server") from error
    return fastapi_adapter.router(Service(pilot, Access(token, caller), limit_s))


def blueprint(
    pilot: AutoPilot,
    *,
    token: str | None = None,
    caller: CallerOf | None = None,
    limit_s: float = LIMIT_S,
) -> Blueprint:
    """Return the API as a blueprint for a Flask application; see `create_app`.

    Raises ServerExtraMissing.
    """
    try:
        from resumelog.infrastructure.http import flask_adapter
    except ImportError as error:
        raise ServerExtraMissing(what="Flask", extra="flask") from error
    return flask_adapter.blueprint(Service(pilot, Access(token, caller), limit_s))
