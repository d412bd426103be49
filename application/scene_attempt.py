"""One attempt at one scene, where it runs: in a thread, another process, or an event loop."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from types import FrameType
from typing import Any, NamedTuple

from pydantic import JsonValue

from resumelog.application.errors import CommandFailed, Terminated
from resumelog.application.pool_worker import settle_in
from resumelog.application.retry import ONCE, Retry
from resumelog.application.scene import Scene
from resumelog.domain.values import error_text

ITS_OWN = (Exception, SystemExit)
"""What ends an attempt and no run: a tool that calls sys.exit ends its scene."""

NO_ALARM = nullcontext()

SceneFunction = Callable[[Scene], Any]
"""Makes one scene and returns its result (JSON), or a coroutine of it."""

Check = Callable[..., Any]
"""Looks at a result, or a result and its scene; False, a text or an exception refuses it."""


class Ended(NamedTuple):
    """How an attempt ended; `error` is empty where it went well. It can be pickled."""

    result: JsonValue = None
    error: str = ""
    elapsed_s: float = 0.0
    retries: bool = False
    hint_s: float | None = None


class Refusal(Exception):
    """A result that the check refused."""


@dataclass(frozen=True)
class Attempt:
    """What is done with every scene of a run; `timeout_s` bounds one attempt where it can."""

    function: SceneFunction
    check: Check | None = None
    retry: Retry = ONCE
    timeout_s: float | None = None

    def __call__(self, scene: Scene) -> Ended:
        """Make the scene in this thread."""
        settle_in()
        began = time.monotonic()
        try:
            with _alarm(self.timeout_s) if self.timeout_s else NO_ALARM:
                result = self.function(scene)
            self._require_good(result, scene)
        except Terminated:
            raise
        except (*ITS_OWN, asyncio.CancelledError) as error:  # of a loop that the function has run
            return self._failed(error, began)
        return Ended(result, elapsed_s=time.monotonic() - began)

    async def awaited(self, scene: Scene) -> Ended:
        """Make the scene in this event loop."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout_s):
                made = self.function(scene)
                result = await made if isinstance(made, Awaitable) else made
            self._require_good(result, scene)
        except asyncio.CancelledError as error:
            if _is_being_cancelled():
                raise
            return self._failed(error, began)  # what it awaited was cancelled by somebody else
        except Terminated:
            raise
        except ITS_OWN as error:
            return self._failed(error, began)
        return Ended(result, elapsed_s=time.monotonic() - began)

    def _failed(self, error: BaseException, began: float) -> Ended:
        elapsed_s = time.monotonic() - began
        if isinstance(error, TimeoutError) and self.timeout_s and elapsed_s >= self.timeout_s:
            error = TimeoutError(f"it took longer than {self.timeout_s:g} s")
        if isinstance(error, Refusal):
            return Ended(None, str(error), elapsed_s, retries=True)
        told = error_text(error.why if isinstance(error, CommandFailed) else error)
        try:
            wants, hint_s = self.retry.wants(error), self.retry.hint(error)
            why_not = self.retry.why_not(hint_s) if wants else ""
        except Exception as other:  # noqa: BLE001 - else the scene's own error would be hidden
            why = f"{told} (and asked for another try: {error_text(other)})"
            return Ended(None, why, elapsed_s)
        if why_not:
            return Ended(None, f"{told} ({why_not})", elapsed_s)
        return Ended(None, told, elapsed_s, wants, hint_s)

    def failed(self, error: Exception) -> Ended:
        """Return how an attempt ends that was let go, or could not be begun."""
        return self._failed(error, time.monotonic())

    def _require_good(self, result: JsonValue, scene: Scene) -> None:
        if self.check is None:
            return
        name = getattr(self.check, "__name__", "the check")
        try:
            told = self.check(result, scene) if self._check_takes_scene else self.check(result)
        except Exception as error:
            raise Refusal(f"{name} refused the result: {error_text(error)}") from error
        is_text = isinstance(told, str)  # which says why; an empty one, that nothing is wrong
        if told if is_text else told is not None and not told:
            raise Refusal(f"{name} refused the result" + (f": {told}" if is_text else ""))

    @cached_property
    def _check_takes_scene(self) -> bool:
        """A check may look at the scene too, e.g. for a result that is the original once more.

        A second parameter with a default is an option of its own, unless it is called `scene`.
        """
        assert self.check is not None
        try:
            parameters = inspect.signature(self.check).parameters
            inspect.signature(self.check).bind(None, None)
            return "scene" in parameters or not _takes_one(self.check)
        except (TypeError, ValueError):  # it takes one, or is built in and does not say
            return False


def _takes_one(check: Check) -> bool:
    try:
        inspect.signature(check).bind(None)
    except TypeError:
        return False
    return True


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@contextmanager
def _alarm(timeout_s: float) -> Iterator[None]:
    """Raise TimeoutError in the main thread of a worker process, the one that a signal reaches.

    In any other thread the coordinator lets go of the attempt instead.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not (is_main and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeoutError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
