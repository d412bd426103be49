"""{simulation_id} and {from_round} in the commands of a pilot.toml, and the ids that may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

SIMULATION_ID, FROM_ROUND = "simulation_id", "from_round"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}|\{(\w+)\}")


def filled(template: str, values: Mapping[str, str]) -> str:
    """Fill in one argument, which stays one; {{word}} stays {word}."""

    def value(match: re.Match[str]) -> str:
        literal, name = match.groups()
        return values[name] if literal is None else "{" + literal + "}"

    return _PLACEHOLDER.sub(value, template)


def require_known(templates: Iterable[str], names: Sequence[str]) -> None:
    """Raise ValueError for a placeholder that would have no value."""
    for template in templates:
        for match in _PLACEHOLDER.finditer(template):
            if match[2] and match[2] not in names:
                known = ", ".join(f"{{{name}}}" for name in names) or "none here"
                raise ValueError(
                    f"{{{match[2]}}} in {template!r} has no value; there is {known},"
                    f" and {{{{{match[2]}}}}} stays as it is"
                )


def why_unusable(simulation_id: str) -> str:
    """Say why an id can't be an argument or a part of a path; nothing where it can."""
    if simulation_id.startswith("-"):
        return "it begins with '-', as options do"
    if "/" in simulation_id or "\\" in simulation_id or simulation_id in (".", ".."):
        return "it is a path"
    if "\0" in simulation_id or not simulation_id:
        return "it is no word"
    return ""
