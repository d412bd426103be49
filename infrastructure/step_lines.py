"""The lines by which a step's command reports: `progress 42 message`, or an object of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import EllipsisType, MappingProxyType
from typing import Any, NamedTuple

from pydantic import JsonValue

LINE_BYTES_MAX = 256 * 1024
"""A longer line is text."""
TEXT_BYTES_MAX = 256 * 1024
"""So much of what a command prints besides is kept: its end."""

_PLAIN = re.compile(r"progress[ \t]+(\d+(?:\.\d+)?)[ \t]*%?(?:[ \t]+(\S.*))?")
_OURS = ("percent", "message", "resume_data", "self")


class StepReport(NamedTuple):
    """How far a step is, 0 to 100; `resume_data` is an ellipsis where it stays as it was."""

    percent: float
    message: str = ""
    detail: Mapping[str, JsonValue] = MappingProxyType({})
    resume_data: JsonValue | EllipsisType = ...


def report_in(line: str) -> StepReport | None:
    """Return the report that a line is; None for any other text."""
    line = line.strip()
    if plain := _PLAIN.fullmatch(line):
        return StepReport(float(plain[1]), plain[2] or "")
    return _of_json(line) if line.startswith("{") else None


def _of_json(line: str) -> StepReport | None:
    try:
        told: Any = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    percent, message = told.pop("progress", None), told.pop("message", "")
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        return None
    data = told.pop("resume_data", ...)
    if not isinstance(message, str) or any(name in _OURS for name in told):
        return None
    return StepReport(percent, message, told, data)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class StepLines:
    """Reads what a command prints in chunks: reports are told, and the end of all else is kept."""

    def __init__(self, *, reports: bool) -> None:
        """Read nothing yet; without `reports` all is text."""
        self._reports, self._held, self._text = reports, b"", b""

    @property
    def text(self) -> str:
        """What was no report, without the space around it."""
        return self._text.decode(errors="backslashreplace").strip()

    def hear(self, chunk: bytes) -> Iterator[StepReport]:
        """Iterate over the reports of a chunk; an empty one ends the last line."""
        *lines, self._held = (self._held + chunk).split(b"\n")
        if not chunk or len(self._held) > LINE_BYTES_MAX:
            lines, self._held = [*lines, self._held], b""
        for line in lines:
            report = self._report(line)
            if report:
                yield report
            else:
                self._text = (self._text + line + b"\n")[-TEXT_BYTES_MAX:]

    def _report(self, line: bytes) -> StepReport | None:
        if not self._reports or len(line) > LINE_BYTES_MAX:
            return None
        return report_in(line.decode(errors="backslashreplace"))
