"""Signals handed on to a command that runs for hours, and pressed until it has ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

from resumelog.infrastructure import processes
from resumelog.infrastructure.gate import signal_name
from resumelog.infrastructure.handled_signals import Handled

GRACE_S = 5.0


class Relay(Handled):
    """SIGINT, SIGTERM and SIGHUP go on to the command's process group as they came.

    If it has not ended `grace_s` later it gets SIGTERM, and SIGKILL after that: at once with a
    second Ctrl+C. Ctrl+Z stops it together with this process. `press` is called now and then.
    """

    names = (*Handled.names, signal.SIGTSTP)

    def __init__(self, say: Callable[[str], None], grace_s: float = GRACE_S) -> None:
        """Report through `say`."""
        super().__init__()
        self._say, self._grace_s = say, grace_s
        self._group: tuple[int, int] | None = None
        self._asked: list[int] = []
        self._next: list[tuple[float, signal.Signals]] = []
        self._untold: list[int] = []
        self.number = 0
        """The first signal that came; 0 while none has."""

    def watch(self, group: int, started: int) -> None:
        """Name the group; it gets what came before."""
        self._group = (group, started)
        for number in self._asked:
            self._send(number)

    def ask(self, number: int) -> None:
        """Ask the command to end, and make it end if it does not."""
        self._asked.append(number)
        self._send(number)
        if not self._next:
            at = time.monotonic() + self._grace_s
            if number != signal.SIGTERM:
                self._next.append((at, signal.SIGTERM))
                at += processes.TERMINATE_S
            self._next.append((at, signal.SIGKILL))

    @property
    def is_asked(self) -> bool:
        """Tell whether the command is to end."""
        return bool(self._asked)

    def press(self) -> None:
        """Send what is due by now, and say what came."""
        while self._next and time.monotonic() >= self._next[0][0]:
            self._send(self._next.pop(0)[1])
        while self._untold:
            name = signal_name(self._untold.pop(0))
            self._say(f"{name} went on to the command; Ctrl+C kills it")

    def received(self, number: int, frame: FrameType | None) -> None:
        """Hand a signal on."""
        del frame
        if number == signal.SIGTSTP:
            self._stop()
        elif number == signal.SIGINT and self.number:
            self.ask(signal.SIGKILL)
        else:
            self.number = self.number or number
            self.ask(number)
            self._untold.append(number)

    def _stop(self) -> None:
        """Stop both; a shell's fg or bg lets both go on."""
        self._send(signal.SIGSTOP)
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        if self._group:
            processes.signal_group(*self._group, number)
