"""SIGTERM and SIGHUP as an exception, so that work that is ended says why; Ctrl+C is noted too."""

from __future__ import annotations

import signal
from asyncio import CancelledError, Runner, get_running_loop
from functools import cache
from types import FrameType
from typing import NoReturn

from resumelog.application.errors import Terminated
from resumelog.infrastructure.signal_holds import SIGNALS as SIGNALS
from resumelog.infrastructure.signal_holds import Installed, exception_of


class Terminable(Installed):
    """While anything is entered in the main thread, SIGTERM and SIGHUP raise Terminated there.

    SIGINT raises KeyboardInterrupt as it always does, each time: what holds it knows that it came,
    also where the work that it interrupted took no notice. An event loop that is begun meanwhile
    finds a handler, and so installs none of its own: the interrupt is raised out of it.
    """

    def __init__(self) -> None:
        """Install nothing yet."""
        super().__init__(_end, (signal.SIGINT, *SIGNALS))
        self.in_loop = LoopTerminable()


class LoopTerminable(Installed):
    """While a task is in it, SIGTERM and SIGHUP raise Terminated out of the main thread's loop.

    Between two steps of its tasks, as if one had called sys.exit: `asyncio.run` then cancels all
    tasks, waits for them, and ends with the signal's exit code.
    """

    def __init__(self) -> None:
        """Install nothing yet."""
        super().__init__(_leave_loop)
        self._runner: Runner | None = None

    def cause_of(self, error: BaseException | None) -> BaseException | None:
        """Return what a signal means where it came and a task was cancelled or closed, else the error."""
        if not isinstance(error, CancelledError | GeneratorExit):
            return error
        if self._number is not None:
            return Terminated(self._number)
        return KeyboardInterrupt() if _was_interrupted(self._runner) else error

    def _install(self) -> None:
        super()._install()
        self._runner = _runner()  # it is not to be found any more once its main task has ended


@cache
def termination() -> Terminable:
    """Return the one of this process, as its signal handlers are the process's."""
    return Terminable()


def _runner() -> Runner | None:
    """Return asyncio's own runner where it handles Ctrl+C, by cancelling its main task."""
    runner = getattr(getattr(signal.getsignal(signal.SIGINT), "func", None), "__self__", None)
    return runner if isinstance(runner, Runner) else None


def _was_interrupted(runner: Runner | None) -> bool:
    """Tell whether a runner met Ctrl+C; it keeps that to itself, until it runs again."""
    return bool(getattr(runner, "_interrupt_count", 0))


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise exception_of(number)


def _leave_loop(number: int, frame: FrameType | None) -> None:
    try:
        loop = get_running_loop()
    except RuntimeError:  # it stands still
        _end(number, frame)
    loop.call_soon_threadsafe(_end, number, frame)
