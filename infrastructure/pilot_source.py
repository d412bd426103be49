"""The text of a pilot.toml, read and checked; what is wrong with it is told with its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from resumelog.application.errors import BadPilotFile
from resumelog.infrastructure.pilot_tables import TAGS, PilotTables

EXAMPLE = "examples/simulation/pilot.toml is a whole one"
_UNKNOWN = "extra_forbidden"
_WHAT = {
    _UNKNOWN: "there is no such key",
    "missing": "it must be there",
    "float_type": "it must be a number",
    "int_type": "it must be a whole number",
    "finite_number": "it must be finite",
    "greater_than": "it must be more than {gt:g}",
    "greater_than_equal": "it must be at least {ge:g}",
    "string_type": "it must be text",
    "string_too_short": "it must not be empty",
    "string_pattern_mismatch": "it must not hold a NUL",
    "list_type": "it must be a list",
    "too_short": "it must not be empty",
    "model_type": "it must be a table",
    "dict_type": "it must be a table",
    "literal_error": 'it must be "any", {{ folder = "…" }} or {{ run = ["…"] }}',
}
"""By the types of pydantic's errors, whose own words speak of Python."""
_LINE = re.compile(r"\(at line (\d+)")


class PilotSource:
    """One file; all that it refuses is a BadPilotFile."""

    def __init__(self, path: Path) -> None:
        """Read and check it. Raises BadPilotFile."""
        self._path, self.folder, self._text = path, path.parent, ""
        self.tables = self._validated(self._parsed())

    def refuse_at(self, keys: Sequence[int | str], why: str, advice: str) -> NoReturn:
        """Raise BadPilotFile that names a key and its line."""
        self._refuse(f"{_place(keys)}: {why}", advice, self._line_of(keys))

    def _parsed(self) -> dict[str, object]:
        try:
            self._text = self._path.read_bytes().decode()
            return tomllib.loads(self._text)
        except OSError as error:
            why, advice = (
                f"it can't be read ({error.strerror})",
                "name the file that tells the steps",
            )
            self._refuse(why, advice)
        except UnicodeDecodeError:
            self._refuse("it is not UTF-8", "save it as UTF-8")
        except tomllib.TOMLDecodeError as error:
            line = _LINE.search(str(error))
            self._refuse(f"it is not TOML: {error}", EXAMPLE, int(line[1]) if line else None)

    def _validated(self, parsed: dict[str, object]) -> PilotTables:
        try:
            return PilotTables.model_validate(parsed)
        except ValidationError as error:
            found = error.errors(include_url=False)
            first = min(found, key=lambda each: each["type"] != _UNKNOWN)
            keys = [key for key in first["loc"] if key not in TAGS or key in parsed]
            place = _place(keys)
            said = _WHAT.get(first["type"])
            what = (
                said.format(**first.get("ctx", {}))
                if said
                else first["msg"].removeprefix("Value error, ")
            )
            self._refuse(f"{place}: {what}" if place else what, EXAMPLE, self._line_of(keys))

    def _line_of(self, keys: Sequence[int | str]) -> int | None:
        """Return the line of a key, as far as that can be told: else that of its table."""
        lines, found = self._text.splitlines(), None
        nth = next((key for key in keys if isinstance(key, int)), 0)
        at, end = 0, len(lines)
        for depth, name in enumerate(key for key in keys if isinstance(key, str)):
            wanted = re.compile(rf"\s*(?:\[+\s*)?\"?{re.escape(name)}\"?\s*(?:[=\].]|$)")
            hits = [number for number in range(at, end) if wanted.match(lines[number])]
            skip = nth if depth == 0 else 0
            if len(hits) <= skip:
                break
            found, at = hits[skip], hits[skip] + 1
            end = next((n for n in range(at, end) if lines[n].lstrip().startswith("[")), end)
        return None if found is None else found + 1

    def _refuse(self, why: str, advice: str, line: int | None = None) -> NoReturn:
        raise BadPilotFile(path=str(self._path), why=why, advice=advice, line=line) from None


def _place(keys: Sequence[int | str]) -> str:
    """Return how a key is named: steps number from 1."""
    return ".".join(key if isinstance(key, str) else str(key + 1) for key in keys)
