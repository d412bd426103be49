"""The lines by which a command reports: `progress 0.42`, `units 3`, `progress 3/10`, `cursor JSON`."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from pydantic import JsonValue

WORDS = ("progress", "unit", "units", "cursor")

_COUNTED = re.compile(
    r"(progress|units?)[ \t]+(?=(?i:[-+]?(?:\.?\d|nan\b|inf)))(\S+)(?:[ \t]+(\S.*))?"
)
_CURSOR = re.compile(r'cursor[ \t]+(?=-?\d|[\[{"]|(?:true|false|null)$)(.*)')
_FRACTION = re.compile(r"(?i:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|[-+]?inf(?:inity)?)")
_UNITS = re.compile(r"(\d{1,15})(?:/(\d{1,15}))?")


class Said(NamedTuple):
    """One report: a fraction, or how many units are done, of how many; perhaps a cursor.

    `is_length`: the fraction is a part of the whole length, as ffmpeg tells it. `why` tells what
    makes it no report.
    """

    line: str
    progress: float | None = None
    done: int | None = None
    total: int | None = None
    cursor: JsonValue = None
    has_cursor: bool = False
    is_length: bool = False
    why: str = ""


def report_in(line: str) -> Said | None:
    """Return the report that a line is; None for any other text."""
    line = line.rstrip()
    if alone := _CURSOR.fullmatch(line):
        return _with_cursor(Said(line), alone[1])
    if not (counted := _COUNTED.fullmatch(line)):
        return None
    word, number, rest = counted.groups()
    said = _counted(line, word, number)
    if said.why or rest is None:
        return said
    if not (cursor := re.fullmatch(r"cursor[ \t]+(.*)", rest)):
        return Said(line, why=f"{rest!r} follows the number; only a cursor may")
    return _with_cursor(said, cursor[1])


def _counted(line: str, word: str, number: str) -> Said:
    units = _UNITS.fullmatch(number)
    if units and (units[2] or word != "progress"):
        return Said(line, done=int(units[1]), total=int(units[2]) if units[2] else None)
    if word == "progress" and _FRACTION.fullmatch(number):
        return Said(line, progress=float(number))
    wanted = "a fraction, as 0.42, or counts, as 3/10" if word == "progress" else "a count, as 3"
    return Said(line, why=f"{number!r} is not {wanted}")


def _with_cursor(said: Said, text: str) -> Said:
    try:
        cursor: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Said(said.line, why=f"the cursor is not JSON: {error}")
    return said._replace(cursor=cursor, has_cursor=True)
