"""What a caller calls a version, as JSON that an export can be bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from pydantic_core import PydanticSerializationError, to_jsonable_python

from resumelog.domain.errors import NotJson
from resumelog.domain.values import canonical_json


def jsonable(value: Any) -> JsonValue:
    """Return a value as JSON that is the same in every process. Raises NotJson."""
    if isinstance(value, Mapping):
        return {str(name): jsonable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((jsonable(each) for each in value), key=canonical_json)
    try:
        plain: JsonValue = to_jsonable_python(value)
    except PydanticSerializationError as error:
        why = f"{error}; give it as JSON, or leave it out of the version"
        raise NotJson("", what="the version", why=why) from None
    return plain
