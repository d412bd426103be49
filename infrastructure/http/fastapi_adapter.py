"""The service under FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

import resumelog
from resumelog.infrastructure.http.asked import BODY_BYTES_MAX, Asked, Reply
from resumelog.infrastructure.http.errors import (
    BodyTooLarge,
    BodyTooSlow,
    ServiceEnding,
    TookTooLong,
)
from resumelog.infrastructure.http.openapi import described, document
from resumelog.infrastructure.http.routes import API, METHODS, PREFIXES, ROUTES
from resumelog.infrastructure.http.service import HEADERS, Service

NOT_MEASURED: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
TITLE = "resumelog"

Endpoint = Callable[[Request], Awaitable[Response]]


def application(service: Service) -> FastAPI:
    """Return a whole application. Its documentation page would load scripts of others."""
    app = FastAPI(
        title=TITLE,
        version=resumelog.__version__,
        telemetry=NOT_MEASURED,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for route in ROUTES:
        _add(app.router, service, route.path)
    _add_elsewhere(app.router, service)
    app.add_exception_handler(HTTPException, _elsewhere(service))
    app.add_api_route("/openapi.json", _openapi(app, service), include_in_schema=False)
    return app


def note_ending(app: FastAPI) -> None:
    """Let requests that are cut off from now on be told that the service ends."""
    app.state.is_ending = True


def is_ending(app: FastAPI) -> bool:
    """Tell whether `note_ending` was called; for an application of somebody's own it never is."""
    return getattr(app.state, "is_ending", False)


def router(service: Service) -> APIRouter:
    """Return the API without what an application of one's own has itself."""
    part = APIRouter()
    for route in API:
        _add(part, service, route.path)
    _add_elsewhere(part, service)
    return part


def _add(part: APIRouter, service: Service, path: str) -> None:
    """Add the endpoint for each method; the description has the one that is meant."""
    endpoint, facts = _endpoint(service, path), described(path, service.needs_token(path))
    method = facts["methods"][0]
    part.add_api_route(path, endpoint, **facts)
    others = [each for each in METHODS if each != method]
    part.add_api_route(path, endpoint, methods=others, include_in_schema=False)


def _add_elsewhere(part: APIRouter, service: Service) -> None:
    """Answer for what is not there below the API's own paths."""
    for prefix in PREFIXES:
        path = prefix + "/{rest:path}"
        part.add_api_route(path, _endpoint(service, path), methods=METHODS, include_in_schema=False)


def _elsewhere(service: Service) -> Any:
    async def answer(request: Request, error: Exception) -> Response:
        del error  # no such path, or a method that nobody has heard of
        path = request.scope["path"]
        known = (route.path for route in ROUTES if compile_path(route.path)[0].match(path))
        return _response(service.answer(_asked(request, next(known, path))))

    return answer


def _openapi(app: FastAPI, service: Service) -> Endpoint:
    async def openapi(request: Request) -> Response:
        asked = _asked(request, "/openapi.json")
        try:
            service.require_access(asked)
        except Exception as error:  # noqa: BLE001 - told as a body
            return _response(service.refusal(asked, error))
        return _response(Reply(200, document(app, with_token=service.has_token), HEADERS))

    return openapi


def _endpoint(service: Service, path: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        asked = _asked(request, path)
        try:
            service.require(asked)
            asked = asked._replace(body=await _body(request, asked, service.limit_s))
            return _response(await _answered(service, asked))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except asyncio.CancelledError:
            if not is_ending(request.app):
                raise
            return _response(service.refusal(asked, ServiceEnding()))
        except Exception as error:  # noqa: BLE001 - told as a body
            return _response(service.refusal(asked, error))

    return endpoint


async def _answered(service: Service, asked: Asked) -> Reply:
    if not service.blocks(asked):
        return service.answer(asked)
    future = service.workers.submit(partial(service.answer, asked))
    try:
        async with asyncio.timeout(service.limit_s):
            return await asyncio.wrap_future(future)
    except TimeoutError:
        raise TookTooLong(limit_s=service.limit_s) from None


async def _body(request: Request, asked: Asked, limit_s: float) -> bytes:
    if asked.method != "POST":
        return b""
    if int(asked.headers.get("content-length") or 0) > BODY_BYTES_MAX:
        raise BodyTooLarge(limit=BODY_BYTES_MAX)
    body = bytearray()
    try:
        async with asyncio.timeout(limit_s):
            async for part in request.stream():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    raise BodyTooLarge(limit=BODY_BYTES_MAX)
    except TimeoutError:
        raise BodyTooSlow(limit_s=limit_s) from None
    return bytes(body)


def _asked(request: Request, path: str) -> Asked:
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(request.method, path, request.path_params, query, headers)


def _response(reply: Reply) -> Response:
    return Response(reply.content, reply.status, reply.headers)
