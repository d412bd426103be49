"""The API's description, from the same table that answers it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Union

from fastapi import FastAPI
from pydantic import BaseModel

from resumelog.infrastructure.http.answers import Answer, ErrorBody
from resumelog.infrastructure.http.asked import BODY_BYTES_MAX
from resumelog.infrastructure.http.call import Route
from resumelog.infrastructure.http.routes import BY_PATH, ROUTES

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "zh for messages in Chinese.",
    "schema": {"type": "string", "examples": ["zh"]},
}


def described(path: str, needs_token: bool) -> dict[str, Any]:
    """Return what FastAPI is told of a route."""
    route = BY_PATH[path]
    extra: dict[str, Any] = {"parameters": [*_parameters(route), LANGUAGE]}
    if route.method == "POST":
        extra["requestBody"] = _body(route)
    if needs_token:
        extra["security"] = [{name: []} for name in SCHEMES]
    return {
        "methods": [route.method],
        "name": route.handler.__name__,
        "operation_id": route.handler.__name__,
        "tags": ["probes" if route.is_probe else path.split("/")[2]],
        "summary": route.tells,
        "response_model": None,
        "responses": {200: _success(route), **_refusals(route, needs_token)},
        "openapi_extra": extra,
    }


def document(app: FastAPI, *, with_token: bool) -> dict[str, Any]:
    """Return the whole description."""
    content = app.openapi()
    for route in ROUTES:  # FastAPI leaves the nulls of an example out
        if route.gives_sample:
            described = content["paths"][route.path][route.method.lower()]["responses"]["200"]
            described["content"]["application/json"]["example"] = _sample(route)
    if with_token:
        content["components"]["securitySchemes"] = SCHEMES
    return content


def _success(route: Route) -> dict[str, Any]:
    data: Any = route.gives[0] if len(route.gives) == 1 else Union[route.gives]  # noqa: UP007
    described: dict[str, Any] = {"model": Answer[data], "description": "Done."}
    if route.gives_sample:
        described["content"] = {"application/json": {"example": _sample(route)}}
    return described


def _sample(route: Route) -> dict[str, Any]:
    return {"success": True, "data": dict(route.gives_sample)}


def _refusals(route: Route, needs_token: bool) -> dict[int | str, dict[str, Any]]:
    always = {405, 500, 503}
    of_body = {400, 403, 408, 413} if route.method == "POST" else set[int]()
    statuses = always | of_body | {*route.refusals} | ({401} if needs_token else set())
    return {
        status: {"model": ErrorBody, "description": HTTPStatus(status).phrase}
        for status in sorted(statuses)
    }


def _body(route: Route) -> dict[str, Any]:
    content = {"schema": _schema(route.takes), "example": route.sample}
    return {
        "required": True,
        "description": f"UTF-8, at most {BODY_BYTES_MAX} bytes.",
        "content": {"application/json": content},
    }


def _parameters(route: Route) -> list[dict[str, Any]]:
    if route.method != "GET":
        return []
    return [
        {
            "name": name,
            "in": "path" if "{" + name + "}" in route.path else "query",
            "required": "{" + name + "}" in route.path,
            "description": schema.pop("description", ""),
            "schema": _without_null(schema),
        }
        for name, schema in _schema(route.takes).get("properties", {}).items()
    ]


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is left out is no null: there is none in a query."""
    if "anyOf" not in schema:
        return schema
    (kept,) = (each for each in schema["anyOf"] if each.get("type") != "null")
    return {**kept}
