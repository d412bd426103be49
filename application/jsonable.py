"""What a caller calls a version, as JSON that an export can be bound to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn

from pydantic import BaseModel, JsonValue
from pydantic_core import PydanticSerializationError, to_jsonable_python

from resumelog.domain.errors import NotJson
from resumelog.domain.values import JSON_DEPTH_MAX, canonical_json

Where = tuple[str, ...]
"""The keys and indices on the way to a value."""


def jsonable(value: Any, where: Where = ()) -> JsonValue:
    """Return a value as JSON that is the same in every process. Raises NotJson, which names the key."""
    if len(where) > JSON_DEPTH_MAX:
        _refuse(f"it is nested more than {JSON_DEPTH_MAX} deep, or in a circle", where[:3])
    if isinstance(value, BaseModel):
        return jsonable(_plain(lambda: value.model_dump(mode="python"), where), where)
    if is_dataclass(value) and not isinstance(value, type):
        named = {each.name: getattr(value, each.name) for each in fields(value)}
        return jsonable(named, where)
    if isinstance(value, Mapping):
        return _object(value, where)
    if isinstance(value, list | tuple | deque):
        return [jsonable(each, (*where, str(at))) for at, each in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted((jsonable(each, (*where, "…")) for each in value), key=canonical_json)
    if isinstance(value, Iterator):
        _refuse("an iterator is used up when it is read; give a list", where)
    plain: JsonValue = _plain(lambda: to_jsonable_python(value), where)
    return plain


def _plain(made: Callable[[], Any], where: Where) -> Any:
    try:
        return made()
    except (PydanticSerializationError, ValueError) as error:  # bytes that are no UTF-8, a circle
        _refuse(f"{error}; give it as JSON, or leave it out of the version", where)


def _object(value: Mapping[Any, Any], where: Where) -> JsonValue:
    plain = {_name(key, where): jsonable(each, (*where, str(key))) for key, each in value.items()}
    if len(plain) < len(value):
        names = sorted(map(str, value))
        _refuse(f"two of its keys are the same as text, of {names}; rename one", where)
    return plain


def _name(key: Any, where: Where) -> str:
    """Return the text that a key is: JSON has no other keys, and a set's text varies."""
    plain = jsonable(key, (*where, "a key"))
    if isinstance(plain, str):
        return plain
    return canonical_json(plain).decode() if isinstance(plain, list | dict) else str(key)


def _refuse(why: str, where: Where) -> NoReturn:
    raise NotJson("", what=".".join(("the version", *where)), why=why)
