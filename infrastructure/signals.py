"""SIGTERM and SIGHUP as an exception, so that work that is ended says why."""

from __future__ import annotations

import signal
import threading
from asyncio import CancelledError, get_running_loop
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any, NoReturn

from resumelog.application.errors import Terminated

SIGNALS = (signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], None]


class Installed:
    """While anything is entered in the main thread, a handler is installed for both signals.

    Only where they would end the process without a word: handlers of the program's own stay, and
    so does what is ignored. Only the first signal counts: whoever ends a process often sends it to
    the process and to its group, and what the first one ends has to be recorded. The previous
    handlers are put back when the last has left.
    """

    def __init__(self, handler: Handler) -> None:
        """Install nothing yet; `handler` is called for the first signal."""
        self._on_first = handler
        self._number: int | None = None
        self._entered = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        """Install the handlers, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        if not self._entered:
            for number in SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    self._before[number] = signal.signal(number, self._came)
        self._entered += 1

    def __exit__(self, *_: object) -> None:
        """Put the previous handlers back, if they are still ours."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._entered -= 1
        if not self._entered:
            for number, handler in self._before.items():
                if signal.getsignal(number) == self._came:
                    signal.signal(number, handler)
            self._before.clear()
            self._number = None

    def _came(self, number: int, frame: FrameType | None) -> None:
        if self._number is None:
            self._number = number
            self._on_first(number, frame)


class Terminable(Installed):
    """While anything is entered in the main thread, SIGTERM and SIGHUP raise Terminated there."""

    def __init__(self) -> None:
        """Install nothing yet."""
        super().__init__(_terminate)
        self.in_loop = LoopTerminable()


class LoopTerminable(Installed):
    """While a task is in it, SIGTERM and SIGHUP raise Terminated out of the main thread's loop.

    Between two steps of its tasks, as if one had called sys.exit: `asyncio.run` then cancels all
    tasks, waits for them, and ends with the signal's exit code.
    """

    def __init__(self) -> None:
        """Install nothing yet."""
        super().__init__(_leave_loop)

    def cause_of(self, error: BaseException | None) -> BaseException | None:
        """Return Terminated where a signal came and a task was cancelled or closed, else the error."""
        if self._number is None or not isinstance(error, CancelledError | GeneratorExit):
            return error
        return Terminated(self._number)


@cache
def termination() -> Terminable:
    """Return the one of this process, as its signal handlers are the process's."""
    return Terminable()


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise Terminated(number)


def _leave_loop(number: int, frame: FrameType | None) -> None:
    try:
        loop = get_running_loop()
    except RuntimeError:  # it stands still
        _terminate(number, frame)
    loop.call_soon_threadsafe(_terminate, number, frame)
