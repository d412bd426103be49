"""The whole parts of a JSON object of which the rest may be torn off or altered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_DECODER = json.JSONDecoder()
_ENDS = (*" \t\n\r,]}",)
_SPACE = re.compile(r"[ \t\n\r]*")


class Parts(NamedTuple):
    """The fields up to a fault; a list among them has its whole elements. `fault` is "" without one."""

    fields: dict[str, Any]
    fault: str


def whole_parts(content: bytes) -> Parts:
    """Return what stands whole in the bytes of an object, in UTF-8. It raises nothing.

    A number at the very end is not taken: more digits may have followed. NaN and Infinity are, as
    the floats that they are: whoever records them looks.
    """
    fields: dict[str, Any] = {}
    try:
        text, fault = content.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        text = content[: error.start].decode("utf-8-sig", errors="ignore")
        fault = f"it is not UTF-8 at byte {error.start}"
    try:
        _read_object(_Cursor(text), fields)
    except (ValueError, RecursionError) as error:
        fault = fault or _reason(error, text)
    return Parts(fields, fault)


class _Cursor:
    """A place in a text, moved on by what is read there."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def next(self) -> str:
        """Return the next character that is no space, or "" at the end, and stay before it."""
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.text[self.at : self.at + 1]

    def take(self, wanted: str) -> str:
        """Go past one of the wanted characters."""
        found = self.next()
        if not found or found not in wanted:
            raise json.JSONDecodeError(f"expecting {' or '.join(wanted)}", self.text, self.at)
        self.at += 1
        return found

    def value(self) -> Any:
        """Go past one whole value."""
        self.next()
        value, end = _DECODER.raw_decode(self.text, self.at)
        if not isinstance(value, dict | list | str) and self.text[end : end + 1] not in _ENDS:
            raise json.JSONDecodeError("a value that may go on", self.text, self.at)
        self.at = end
        return value


def _read_object(cursor: _Cursor, fields: dict[str, Any]) -> None:
    cursor.take("{")
    if cursor.next() == "}":
        cursor.take("}")
    else:
        _read_fields(cursor, fields)
    if cursor.next():
        raise json.JSONDecodeError("more behind the end", cursor.text, cursor.at)


def _read_fields(cursor: _Cursor, fields: dict[str, Any]) -> None:
    follows = ","
    while follows == ",":
        name = cursor.value()
        if not isinstance(name, str):
            raise json.JSONDecodeError("a field without a name", cursor.text, cursor.at)
        cursor.take(":")
        if cursor.next() == "[":
            whole: list[Any] = fields.setdefault(name, [])
            if not isinstance(whole, list):
                raise json.JSONDecodeError("a field twice", cursor.text, cursor.at)
            whole.extend(_elements(cursor))  # those before a fault stay
        else:
            fields[name] = cursor.value()
        follows = cursor.take(",}")


def _elements(cursor: _Cursor) -> Iterator[Any]:
    cursor.take("[")
    if cursor.next() == "]":
        cursor.take("]")
        return
    follows = ","
    while follows == ",":
        yield cursor.value()
        follows = cursor.take(",]")


def _reason(error: Exception, text: str) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return f"it has a value that can't be read: {error}"[:200]
    if error.msg.startswith("Unterminated") or not text[error.pos :].strip():
        return f"it is cut off after {len(text)} characters"
    return f"it is cut off or altered at line {error.lineno}, column {error.colno}"
