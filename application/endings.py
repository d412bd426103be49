"""Functions that record how work ended: a signal within one waits until all is given back."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import TypeVar

ENDINGS: set[CodeType] = set()
"""The code of such functions, as a signal handler finds it in the frame that it interrupts."""

Ending = TypeVar("Ending", bound=Callable[..., object])


def ending(function: Ending) -> Ending:
    """Mark one: an exception out of its own first line would leave no record."""
    ENDINGS.add(function.__code__)
    return function
