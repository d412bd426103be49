"""Placeholders of a command: {field}, {index}, {key}, {line} and what a run gives; {{word}} stays {word}."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from resumelog.infrastructure.cli.inputs import InputScene
from resumelog.infrastructure.cli.options import InputError

GIVEN = ("artifact", "before", "before_file")
"""What is known only when a scene is begun."""
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}|\{(\w+)\}")


def filled(template: str, values: Mapping[str, str], where: str) -> str:
    """Fill one argument in, without a shell. Raises InputError for a name without a value."""

    def value(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal is not None:
            return "{" + literal + "}"
        if name not in values:
            known = ", ".join(f"{{{each}}}" for each in values)
            plain = not {*values} - {"index", "key", "line", *GIVEN}
            hint = "; a header of columns needs --format csv" if plain else ""
            raise InputError(f"{where} has no field {{{name}}}; it has {known}{hint}")
        return values[name]

    return _PLACEHOLDER.sub(value, template)


def names(templates: Iterable[str]) -> set[str]:
    """Return the names of the placeholders that stand in some templates."""
    found = (match[2] for each in templates for match in _PLACEHOLDER.finditer(each))
    return {name for name in found if name}


def values_of(
    scene: InputScene, index: int, key: str, params: Mapping[str, object] | None = None
) -> dict[str, str]:
    """Return what a scene's placeholders stand for; its fields come first, then the params."""
    fields = scene.content if isinstance(scene.content, dict) else {}
    values = {"index": str(index), "key": key, "line": scene.line}
    return values | {name: text(value) for name, value in {**(params or {}), **fields}.items()}


def artifact_path(template: str, values: Mapping[str, str], where: str) -> str:
    """Fill a path in; a value that would lead to another folder is refused."""
    for name in names([template]):
        value = values.get(name, "")
        if "/" in value or "\0" in value or value in ("..", "."):
            raise InputError(f"{where}: {{{name}}} is {value!r}, which is no file name")
    path = filled(template, values, where)
    if path.endswith("/") or not path:
        raise InputError(f"{where}: {template} gives {path!r}, which names no file")
    return path


def text(value: object) -> str:
    """Return a value as a command gets it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
