"""Calls of functions and of coroutine functions alike, from a thread without an event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from contextlib import ExitStack
from typing import Self

from pydantic import JsonValue

from resumelog.application.step_context import StepContext
from resumelog.application.steps import Step


class StepCalls:
    """One event loop for all coroutines of a step, made when the first is called."""

    def __init__(self) -> None:
        """Make none yet."""
        self._opened = ExitStack()
        self._runner: asyncio.Runner | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the loop."""
        self._opened.close()

    def result(self, step: Step, context: StepContext) -> JsonValue:
        """Return what a step returns, awaited where that is to be."""
        returned = step(context)
        if not inspect.isawaitable(returned):
            return returned
        if self._runner is None:
            self._runner = self._opened.enter_context(asyncio.Runner())
        return self._runner.run(_awaited(returned))


async def _awaited(returned: Awaitable[JsonValue]) -> JsonValue:
    return await returned
