"""What a host brings: whether a simulation exists, whose it is, and the steps of its runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import JsonValue

if TYPE_CHECKING:
    from resumelog.application.step_context import StepContext

Step = Callable[["StepContext"], "JsonValue | Awaitable[JsonValue]"]
"""A step of a run: a function or a coroutine function. What it returns is kept as its result."""


class StopAsked(Exception):
    """Raise this in a step once `should_stop()` says so; the run goes on there when it is resumed."""


class GaveUp(Exception):
    """Raise this in a step where another try is of no use: the run fails at once."""


class Limited:
    """A step that may be at work for so many seconds, over all its attempts and restarts.

    Its `should_stop()` says so once they are over; a step that leaves then has failed for good.
    """

    def __init__(self, step: Step, limit_s: float) -> None:
        """Bound a step."""
        self.limit_s, self._step = limit_s, step

    def __call__(self, context: StepContext) -> JsonValue | Awaitable[JsonValue]:
        """Do it."""
        return self._step(context)


class Host(Protocol):
    """What drives a simulation: whether it exists, and its steps in order."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return one function a step, in order."""
        ...

    def exists(self, simulation_id: str) -> bool:
        """Tell whether the host knows this simulation."""
        ...


@runtime_checkable
class OwningHost(Protocol):
    """A host that also knows whose a simulation is."""

    def owner(self, simulation_id: str) -> str | None:
        """Return its owner's name; None where it is anybody's."""
        ...


@runtime_checkable
class HurriedHost(Protocol):
    """A host that can end the steps which don't leave though they were asked to."""

    def hurry(self) -> None:
        """End them now; what it begins later is hurried as well."""
        ...
