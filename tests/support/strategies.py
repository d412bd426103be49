"""Hypothesis strategies for JSON values and for every event class, from its own fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, JsonValue
from pydantic.fields import FieldInfo

from resumelog.domain.aggregate import EventSourced
from resumelog.domain.events import DomainEvent, StreamEvent, topics
from resumelog.domain.values import Payload

TEXTS = st.one_of(
    st.sampled_from(["第一场", "雨夜🌧️", "👩‍👩‍👧", "naïve", '"\\\n\t\x00', "null", ""]),
    st.text(max_size=8),
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), FINITE, TEXTS)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
LONG: st.SearchStrategy[Any] = st.sampled_from(
    [{"剧本": "大🎬" * 600}, bytes(range(256)).hex() * 9]
)
PAYLOADS = st.one_of(JSON_VALUES, LONG).map(lambda value: Payload.of(value))
TIMES = st.datetimes(timezones=st.just(UTC))
SIMPLE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (str, TEXTS),
    (UUID, st.uuids()),
    (datetime, TIMES),
    (AwareDatetime, TIMES),
    (JsonValue, JSON_VALUES),
    (dict[str, JsonValue], st.dictionaries(TEXTS, JSON_VALUES, max_size=3)),
    (tuple[str, ...], st.lists(TEXTS, max_size=3).map(tuple)),
    (Payload, PAYLOADS),
    (type(None), st.none()),
]


def event_classes(kind: type[EventSourced]) -> list[type[DomainEvent]]:
    """Return the classes of events that a stream of this kind may hold."""
    own = f"resumelog.{kind.kind}."
    every = topics().items()
    return [one for topic, one in every if topic.startswith(own) or issubclass(one, StreamEvent)]


def instances(model: type[BaseModel], **fixed: object) -> st.SearchStrategy[Any]:
    """Build a model from strategies for each of its fields; `fixed` ones keep their value."""
    fields = {name: _field(field) for name, field in model.model_fields.items()}
    fields |= {name: st.just(value) for name, value in fixed.items() if name in fields}
    return st.builds(model, **fields)


def _field(field: FieldInfo) -> st.SearchStrategy[Any]:
    limits: dict[str, Any] = {}
    for limit in field.metadata:
        limits |= {name: getattr(limit, name) for name in dir(limit) if name in _LIMITS}
    if "pattern" in limits:
        return st.from_regex(limits["pattern"], fullmatch=True).filter(str.isascii)
    return _of(field.annotation, limits)


_LIMITS = ("ge", "gt", "le", "pattern")


def _of(annotation: Any, limits: dict[str, Any]) -> st.SearchStrategy[Any]:
    for known, strategy in SIMPLE:
        if annotation is known or annotation == known:
            return strategy
    if annotation is int:
        return st.integers(min_value=limits.get("gt", -1) + 1)
    if annotation is float:
        return st.floats(limits.get("ge", 0), limits.get("le"), allow_infinity=False)
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if isinstance(annotation, type):
        return instances(annotation)
    return st.one_of(*(_of(one, limits) for one in get_args(annotation)))
