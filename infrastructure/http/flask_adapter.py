"""The service under Flask."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from resumelog.infrastructure.http.asked import BODY_BYTES_MAX, Asked, Reply
from resumelog.infrastructure.http.errors import BodyTooLarge, TookTooLong
from resumelog.infrastructure.http.routes import API, METHODS, PREFIXES
from resumelog.infrastructure.http.service import Service


def blueprint(service: Service) -> Blueprint:
    """Return the API as a blueprint."""
    api = Blueprint("resumelog", __name__)
    for route in API:
        _add(api, service, route.path, route.path.replace("{id}", "<id>"))
    for prefix in PREFIXES:
        _add(api, service, prefix + "/{rest:path}", prefix + "/<path:rest>")
    return api


def _add(api: Blueprint, service: Service, path: str, rule: str) -> None:
    """Add an endpoint for each method: the service says which one is meant."""
    view = partial(_view, service, path)
    name = rule.strip("/").translate(str.maketrans("/", "_", "<>:"))
    api.add_url_rule(rule, name, view, methods=METHODS, provide_automatic_options=False)


def _view(service: Service, path: str, **params: str) -> Response:
    asked = _asked(path, params)
    try:
        service.require(asked)
        asked = asked._replace(body=_body(asked))
        return _response(_answered(service, asked))
    except Exception as error:  # noqa: BLE001 - told as a body
        return _response(service.refusal(asked, error))


def _answered(service: Service, asked: Asked) -> Reply:
    future = service.workers.submit(partial(service.answer, asked))
    try:
        return future.result(service.limit_s)
    except TimeoutError:
        future.cancel()
        raise TookTooLong(limit_s=service.limit_s) from None


def _body(asked: Asked) -> bytes:
    if asked.method != "POST":
        return b""
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise BodyTooLarge(limit=BODY_BYTES_MAX)
    body: bytes = request.stream.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        raise BodyTooLarge(limit=BODY_BYTES_MAX)
    return body


def _asked(path: str, params: dict[str, Any]) -> Asked:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(request.method, path, params, request.args.to_dict(flat=False), headers)


def _response(reply: Reply) -> Response:
    return Response(reply.content, reply.status, reply.headers)
