"""What a caller calls a version, as JSON that an export can be bound to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn

from pydantic import BaseModel, JsonValue
from pydantic_core import PydanticSerializationError, to_jsonable_python

from resumelog.domain.errors import NotJson
from resumelog.domain.values import canonical_json


def jsonable(value: Any) -> JsonValue:
    """Return a value as JSON that is the same in every process. Raises NotJson."""
    if isinstance(value, BaseModel):
        return jsonable(value.model_dump(mode="python"))
    if is_dataclass(value) and not isinstance(value, type):
        return jsonable({each.name: getattr(value, each.name) for each in fields(value)})
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list | tuple | deque):
        return [jsonable(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((jsonable(each) for each in value), key=canonical_json)
    if isinstance(value, Iterator):
        _refuse("an iterator is used up when it is read; give a list")
    try:
        plain: JsonValue = to_jsonable_python(value)
    except PydanticSerializationError as error:
        _refuse(f"{error}; give it as JSON, or leave it out of the version")
    return plain


def _object(value: Mapping[Any, Any]) -> JsonValue:
    plain = {_name(key): jsonable(each) for key, each in value.items()}
    if len(plain) < len(value):
        _refuse(f"two of its keys are the same as text, of {sorted(map(str, value))}; rename one")
    return plain


def _name(key: Any) -> str:
    """Return the text that a key is: JSON has no other keys, and a set's text varies."""
    plain = jsonable(key)
    if isinstance(plain, str):
        return plain
    return canonical_json(plain).decode() if isinstance(plain, list | dict) else str(key)


def _refuse(why: str) -> NoReturn:
    raise NotJson("", what="the version", why=why)
