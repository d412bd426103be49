"""What a handler is given, and what stands in the table of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from resumelog.application.autopilot_runs import AutoPilot
from resumelog.application.queries import Queries
from resumelog.infrastructure.http.errors import NotTheOwner
from resumelog.infrastructure.http.texts import MESSAGES, Language


@dataclass(frozen=True)
class Call:
    """One request that may be answered: what it wants, who asks, in which language."""

    pilot: AutoPilot
    wanted: Any
    caller: str | None
    language: Language

    @property
    def queries(self) -> Queries:
        """The reads of the log."""
        return self.pilot.queries

    @property
    def actor(self) -> str:
        """Whom the log names for it."""
        return self.caller or ""

    def say(self, name: str, **facts: object) -> str:
        """Return one of the MESSAGES in the caller's language."""
        return MESSAGES[name].said(self.language, **facts)

    def may_see(self, simulation_id: str) -> bool:
        """Tell whether it is nobody's in particular, or the caller's own."""
        owner = self.pilot.owner(simulation_id)
        return owner is None or owner == self.caller

    def require_owned(self, simulation_id: str) -> None:
        """Raise NotTheOwner where it is somebody else's."""
        if not self.may_see(simulation_id):
            raise NotTheOwner(simulation_id)


class Route(NamedTuple):
    """An endpoint: what it takes and gives, and who answers.

    `tells` stands in the description, `sample` is an example of what it takes (of a body) and `gives_sample`
    of the `data` that it gives. Where it `blocks`, it reads or writes the log. An `open` one needs
    no token, and a `probe` is no part of the API.
    """

    method: str
    path: str
    takes: type[BaseModel]
    handler: Callable[[Call], BaseModel]
    gives: tuple[type[BaseModel], ...]
    tells: str
    sample: Mapping[str, Any] = {}
    gives_sample: Mapping[str, Any] = {}
    refusals: tuple[int, ...] = ()
    blocks: bool = True
    is_open: bool = False
    is_probe: bool = False
