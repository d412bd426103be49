"""What pydantic finds wrong with a value, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WORDS = {
    "greater_than_equal": "it is below {ge}",
    "int_type": "it is no whole number",
    "less_than_equal": "it is above {le}",
    "literal_error": "it must be {expected}",
    "missing": "it is missing",
    "model_type": "it is no object with fields",
    "multiple_of": "it is no multiple of {multiple_of}",
    "string_too_long": "it is longer than {max_length} characters",
    "string_type": "it is no text",
    "string_unicode": "it is no text in Unicode",
    "too_long": "it has more than {max_length}",
    "too_short": "it needs {min_length} or more",
    "tuple_type": "it is no list",
}


def in_words(found: ErrorDetails) -> str:
    """Return what is wrong; in pydantic's words where there are none of ours."""
    words, context = _WORDS.get(found["type"]), found.get("ctx", {})
    return words.format(**context) if words else found["msg"].removeprefix("Value error, ")
