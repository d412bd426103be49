"""One command for one scene, in a process group that its predecessor's successor can find."""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import IO

from resumelog.domain.values import ERROR_BYTES_MAX, PAYLOAD_BYTES_MAX, require_size
from resumelog.infrastructure import processes
from resumelog.infrastructure.gate import Ended, behind_gate, signal_name
from resumelog.infrastructure.handled_signals import Handled


class Interrupts(Handled):
    """Ctrl+C lets the running command finish; a second one, SIGTERM or SIGHUP ends it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Report through `say`."""
        super().__init__()
        self._say = say
        self._group: tuple[int, int] | None = None
        self.cause = ""
        self.ends_now = False

    def watch(self, group: int, started: int) -> None:
        """Name the group that the next interrupt is about."""
        self._group = (group, started)
        if self.ends_now:
            self._end()

    def received(self, number: int, frame: FrameType | None) -> None:
        """Note the cause; end the command, or say how to."""
        del frame
        self.ends_now = bool(self.cause) or number != signal.SIGINT
        self.cause = signal_name(number)
        if self.ends_now:
            self._end()
        else:
            self._say("finishing the running scene; Ctrl+C again ends it")

    def _end(self) -> None:
        if self._group:
            threading.Thread(target=processes.end_group, args=self._group, daemon=True).start()


def run_command(
    argv: Sequence[str], began: Callable[[int, int], None], interrupts: Interrupts
) -> Ended:
    """Run a command to its end. `began(group, started)` puts its group on record first.

    Raises TooLarge when it prints more than a payload may hold.
    """

    def noted(group: int, started: int) -> None:
        began(group, started)
        interrupts.watch(group, started)

    start = time.monotonic()
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        with behind_gate(argv, noted, stdout=printed, stderr=errors) as process:
            code = process.wait()
        require_size("what the command printed", _size(printed), PAYLOAD_BYTES_MAX)
        return Ended(code, _text(printed, 0), _tail(errors), time.monotonic() - start)


def _size(file: IO[bytes]) -> int:
    return file.seek(0, 2)


def _text(file: IO[bytes], start: int) -> str:
    file.seek(start)
    return file.read().decode(errors="backslashreplace")


def _tail(file: IO[bytes]) -> str:
    return _text(file, max(0, _size(file) - ERROR_BYTES_MAX // 2)).strip()
