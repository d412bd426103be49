"""INPUT as scenes: JSON lines, a JSON array, CSV with a header, or plain lines."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from resumelog.domain.errors import BadInput
from resumelog.domain.values import canonical_json
from resumelog.infrastructure.cli.options import InputError

FORMATS = ("auto", "jsonl", "json", "csv", "lines")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_BY_SUFFIX = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}


class InputScene(NamedTuple):
    """One scene of INPUT: what it says, as text, and where it stands (from 1)."""

    content: JsonValue
    line: str
    where: str


def read_scenes(source: str, format_name: str = "auto") -> list[InputScene]:
    """Return the scenes of a file, or of standard input for "-". Raises InputError."""
    text = _text(source)
    chosen = format_name if format_name != "auto" else _guessed(source, text)
    scenes = list(_PARSERS[chosen](text, source))
    if not scenes:
        raise InputError(f"{source} holds no scenes; give it at least one line")
    for scene in scenes:
        _require_json(scene)
    return scenes


def _require_json(scene: InputScene) -> None:
    """What JSON can say, UTF-8 may still not be able to hold."""
    try:
        canonical_json(scene.content, "it")
    except BadInput as error:
        raise InputError(f"{scene.where}: {error}") from None


def _text(source: str) -> str:
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"INPUT {source} can't be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{source}, line {line}: not UTF-8; convert the file") from None


def _guessed(source: str, text: str) -> str:
    by_suffix = _BY_SUFFIX.get(Path(source).suffix.lower())
    start = text.lstrip()[:1]
    if by_suffix in (None, "json"):
        return {"[": "json", "{": "jsonl"}.get(start, by_suffix or "lines")
    return by_suffix


def _json_lines(text: str, source: str) -> Iterator[InputScene]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{source}, line {number}"
            yield InputScene(_json(line, where), line.strip(), where)


def _json_array(text: str, source: str) -> Iterator[InputScene]:
    scenes = _json(text, source)
    if not isinstance(scenes, list):
        raise InputError(f"{source}: not a JSON array; put the scenes between [ and ]")
    for number, scene in enumerate(scenes, 1):
        yield InputScene(scene, json.dumps(scene, ensure_ascii=False), f"{source}, scene {number}")


def _csv(text: str, source: str) -> Iterator[InputScene]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) < len(header) or not all(header):
            raise InputError(f"{source}, line 1: the header needs a name for each column")
        for row in reader:
            if row:
                yield _csv_scene(header, row, f"{source}, line {reader.line_num}")
    except csv.Error as error:
        raise InputError(f"{source}, line {reader.line_num}: {error}") from None


def _csv_scene(header: list[str], row: list[str], where: str) -> InputScene:
    if len(row) != len(header):
        raise InputError(f"{where}: {len(row)} values for {len(header)} columns")
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return InputScene(dict(zip(header, row, strict=True)), line.getvalue(), where)


def _lines(text: str, source: str) -> Iterator[InputScene]:
    for number, line in enumerate(_NEWLINE.split(text), 1):
        if line.strip():
            yield InputScene(line, line, f"{source}, line {number}")


def _json(text: str, where: str) -> Any:
    def number(written: str) -> float:
        if math.isfinite(value := float(written)):
            return value
        raise InputError(f"{where}: {written[:20]} is no number that JSON can hold; write null")

    try:
        return json.loads(text, parse_constant=number, parse_float=number)
    except json.JSONDecodeError as error:
        place = f", line {error.lineno}" if "line" not in where else ""
        reason = f"{error.msg} at column {error.colno}"
        hint = "; for plain lines say --format lines"
        raise InputError(f"{where}{place}: not JSON: {reason}{hint}") from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


_PARSERS: dict[str, Callable[[str, str], Iterator[InputScene]]] = {
    "jsonl": _json_lines,
    "json": _json_array,
    "csv": _csv,
    "lines": _lines,
}
