"""One request and one answer, whatever framework carries them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from resumelog.infrastructure.http.errors import (
    BadField,
    BadJson,
    NotAnObject,
    NotOurContentType,
    NotUtf8,
)

BODY_BYTES_MAX = 1024 * 1024


class Asked(NamedTuple):
    """A request. `path` is that of a route, `params` what stands in its braces.

    Names of headers are in lower case. The body of a GET is not read.
    """

    method: str
    path: str
    params: Mapping[str, str] = {}
    query: Mapping[str, Sequence[str]] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Reply(NamedTuple):
    """An answer: a status, one JSON document, and headers."""

    status: int
    document: dict[str, Any]
    headers: dict[str, str]

    @property
    def content(self) -> bytes:
        """The document as it is sent."""
        return json.dumps(self.document, ensure_ascii=False, allow_nan=False).encode()


def wanted_of(asked: Asked, model: type[BaseModel]) -> Any:
    """Return what a request asks for. Raises BadRequest."""
    has_body = asked.method == "POST"
    given = _object(asked) if has_body else {**_query(asked, model), **asked.params}
    try:
        return model.model_validate(given, strict=has_body)
    except ValidationError as error:
        first = error.errors()[0]["loc"]
        raise BadField(field=str(first[0]) if first else "body") from None


def _refused(constant: str) -> None:
    """NaN and infinities are no JSON, though Python reads them."""
    raise ValueError(constant)


def _object(asked: Asked) -> dict[str, Any]:
    _require_json(asked.headers.get("content-type", ""))
    try:
        text = asked.body.decode()
    except UnicodeDecodeError:
        raise NotUtf8 from None
    try:
        given = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise BadJson from None
    if not isinstance(given, dict):
        raise NotAnObject
    return given


def _require_json(content_type: str) -> None:
    """A page of another site can't send these without asking first, so none of them is forged."""
    kind, _, parameters = content_type.lower().partition(";")
    kind, charset = kind.strip(), parameters.partition("charset=")[2].strip(' "')
    is_json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    if not is_json or charset not in ("", "utf-8", "utf8"):
        raise NotOurContentType(given=content_type[:80])


def _query(asked: Asked, model: type[BaseModel]) -> dict[str, Any]:
    """Return the parameters that a model knows; one that is no list must not stand twice."""
    given: dict[str, Any] = {}
    for name, values in asked.query.items():
        field = model.model_fields.get(name)
        if field is None or name in asked.params:
            continue
        if "list" in str(field.annotation):
            given[name] = [*values]
        elif len(values) == 1:
            given[name] = values[0]
        else:
            raise BadField(field=name)
    return given
