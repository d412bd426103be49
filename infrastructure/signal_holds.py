"""Handlers for signals, installed while anything holds them, and what came meanwhile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from resumelog.application.endings import ENDINGS
from resumelog.application.errors import Terminated

SIGNALS = (signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], object]


class Installed:
    """While anything is entered in the main thread, a handler is installed for some signals.

    Only where Python has its own, which end the process: handlers of the program's own stay, and
    so does what is ignored. Of SIGTERM and SIGHUP only the first counts: whoever ends a process
    often sends it to the process and to its group, and what the first one ends has to be recorded.
    One that comes within an ending waits for it, and is handled when its hold leaves. The previous
    handlers are put back when the last has left.
    """

    def __init__(self, handler: Handler, numbers: tuple[signal.Signals, ...] = SIGNALS) -> None:
        """Install nothing yet; `handler` is called for the first signal, and each SIGINT."""
        self._handler, self._numbers = handler, numbers
        self._number: int | None = None
        self._deferred: int | None = None
        self._holds = set[Hold]()
        self._nested: list[Hold] = []

    def held(self) -> Hold:
        """Return what holds the handlers while it is entered, in whatever thread it is left."""
        return Hold(self)

    def __enter__(self) -> None:
        """Install the handlers, in the main thread."""
        if is_main_thread():
            self._nested.append(self.held())
            self._nested[-1].__enter__()

    def __exit__(self, *_: object) -> None:
        """Put the previous handlers back, if they are still ours."""
        if is_main_thread() and self._nested:
            self._nested.pop().__exit__()

    def enter(self, hold: Hold) -> None:
        """Install the handlers for a hold, in the main thread; do nothing in another."""
        if not is_main_thread():
            return
        try:
            self._holds.add(hold)
            if len(self._holds) == 1:
                self._install()
        except BaseException:
            self.leave(hold)
            raise

    def leave(self, hold: Hold) -> None:
        """Put the previous handlers back once the last hold that entered has left."""
        self._holds.discard(hold)
        if not is_main_thread():
            return
        if not self._holds:
            self._put_back()
        number, self._deferred = self._deferred, None
        if number is not None:
            self._handler(number, None)

    def _install(self) -> None:
        self._number = None
        for number in self._numbers:
            if signal.getsignal(number) is _usual(number):
                signal.signal(number, self._came)

    def _put_back(self) -> None:
        for number in self._numbers:
            if signal.getsignal(number) == self._came:
                signal.signal(number, _usual(number))
        self._number = None

    def _came(self, number: int, frame: FrameType | None) -> None:
        if not self._holds:  # the last one left in another thread, which can't put anything back
            self._put_back()
            signal.raise_signal(number)
            return
        if number != signal.SIGINT:
            if self._number is not None:
                return
            self._number = number
        for hold in self._holds:
            hold.number = hold.number or number
        if frame and frame.f_code in ENDINGS:
            self._deferred = number
        else:
            self._handler(number, frame)


class Hold:
    """Holds handlers while it is entered: what did not enter in the main thread leaves nothing."""

    def __init__(self, installed: Installed) -> None:
        """Install nothing yet."""
        self._installed = installed
        self.number: int | None = None

    def came(self) -> BaseException | None:
        """Return what the first signal raised that came while it was entered; None without one."""
        return None if self.number is None else exception_of(self.number)

    def __enter__(self) -> None:
        """Install the handlers, in the main thread."""
        self._installed.enter(self)

    def __exit__(self, *_: object) -> None:
        """Leave, if it entered; once is enough."""
        self._installed.leave(self)


def exception_of(number: int) -> BaseException:
    """Return what a signal raises: KeyboardInterrupt for SIGINT, as Python itself does."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


def is_main_thread() -> bool:
    """Tell whether this is the thread that signals interrupt."""
    return threading.current_thread() is threading.main_thread()


def _usual(number: int) -> signal.Handlers | Handler:
    return signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
