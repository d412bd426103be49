"""Exporters as they are found: each writes a line a unit, and stops where a test says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

Kind = Literal["absolute", "relative", "from the start", "silent"]


class Stopped(BaseException):
    """The process ends here, as far as the exporter can see."""


class LineExporter:
    """Makes `units` lines and notes each unit that it made.

    "absolute" and "relative" go on where `_resume_info` says and report so; "from the start" makes
    all again whatever that says; "silent" does so and reports nothing. It reports after each unit,
    and stops before the unit after `stop_after` more.
    """

    name = "逐行导出"

    def __init__(self, kind: Kind = "absolute", units: int = 10) -> None:
        self.kind, self.units = kind, units
        self.made: list[int] = []
        self.stop_after: int | None = None
        self.seen: list[dict[str, Any] | None] = []

    def export(self, version: dict[str, Any], output_path: str) -> str:
        info = version.get("_resume_info")
        self.seen.append(info)
        for made, unit in enumerate(self._left(info)):
            if made == self.stop_after:
                raise Stopped
            with Path(output_path).open("w" if unit == 0 else "a") as file:
                file.write(f"{unit} {version['title']}\n")
            self.made.append(unit)
            if self.kind != "silent":
                version["_progress_callback"](self._reported(unit + 1, info))
        return output_path

    def _left(self, info: dict[str, Any] | None) -> Iterator[int]:
        goes_on = info and self.kind in ("absolute", "relative")
        return iter(range(self._done(info) if goes_on else 0, self.units))

    def _done(self, info: dict[str, Any] | None) -> int:
        """The units that are surely done; an exporter that is told a fraction rounds down."""
        return int(info["progress"] * self.units + 1e-9) if info else 0

    def _reported(self, done: int, info: dict[str, Any] | None) -> float:
        began = self._done(info) if self.kind == "relative" else 0
        return (done - began) / (self.units - began)
