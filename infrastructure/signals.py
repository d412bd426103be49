"""SIGTERM and SIGHUP as an exception, so that work that is ended says why."""

from __future__ import annotations

import signal
import threading
from asyncio import CancelledError, get_running_loop
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import NoReturn

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
        self._holds = set[object]()
        self._nested: list[Hold] = []

    def held(self) -> Hold:
        """Return what holds the handlers while it is entered, in whatever thread it is left."""
        return Hold(self)

    def __enter__(self) -> None:
        """Install the handlers, in the main thread."""
        if _is_main_thread():
            self._nested.append(self.held())
            self._nested[-1].__enter__()

    def __exit__(self, *_: object) -> None:
        """Put the previous handlers back, if they are still ours."""
        if _is_main_thread() and self._nested:
            self._nested.pop().__exit__()

    def enter(self, hold: object) -> None:
        """Install the handlers for a hold, in the main thread; do nothing in another."""
        if not _is_main_thread():
            return
        try:
            self._holds.add(hold)
            if len(self._holds) == 1:
                self._install()
        except BaseException:
            self.leave(hold)
            raise

    def leave(self, hold: object) -> None:
        """Put the previous handlers back once the last hold that entered has left."""
        self._holds.discard(hold)
        if not self._holds and _is_main_thread():
            self._put_back()

    def _install(self) -> None:
        self._number = None
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._came)

    def _put_back(self) -> None:
        for number in SIGNALS:
            if signal.getsignal(number) == self._came:
                signal.signal(number, signal.SIG_DFL)
        self._number = None

    def _came(self, number: int, frame: FrameType | None) -> None:
        if not self._holds:  # the last one left in another thread, which can't put anything back
            self._put_back()
            signal.raise_signal(number)
        elif self._number is None:
            self._number = number
            self._on_first(number, frame)


class Hold:
    """Holds handlers while it is entered: what did not enter in the main thread leaves nothing."""

    def __init__(self, installed: Installed) -> None:
        """Install nothing yet."""
        self._installed = installed

    def __enter__(self) -> None:
        """Install the handlers, in the main thread."""
        self._installed.enter(self)

    def __exit__(self, *_: object) -> None:
        """Leave, if it entered; once is enough."""
        self._installed.leave(self)


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


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


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
