"""SIGTERM and SIGHUP as an exception, so that work that is ended says why."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from resumelog.application.errors import Terminated

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Terminable:
    """While anything is entered in the main thread, SIGTERM and SIGHUP raise Terminated there.

    Only where they would end the process without a word: handlers of the program's own stay, and
    so does what is ignored. The previous ones are put back when the last has left.
    """

    def __init__(self) -> None:
        """Install nothing yet."""
        self._entered = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        """Install the handlers, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        if not self._entered:
            for number in SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    self._before[number] = signal.signal(number, _terminate)
        self._entered += 1

    def __exit__(self, *_: object) -> None:
        """Put the previous handlers back, if they are still ours."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._entered -= 1
        if not self._entered:
            for number, handler in self._before.items():
                if signal.getsignal(number) is _terminate:
                    signal.signal(number, handler)
            self._before.clear()


def _terminate(number: int, frame: FrameType | None) -> None:
    del frame
    raise Terminated(number)
