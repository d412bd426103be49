"""Commands for scenes, in process groups that the next interrupt, or a successor, can find."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import IO

from resumelog.application.errors import CommandFailed, Terminated
from resumelog.application.stop_flag import StopFlag
from resumelog.domain.values import ERROR_BYTES_MAX, PAYLOAD_BYTES_MAX, require_size
from resumelog.infrastructure import processes
from resumelog.infrastructure.gate import Ended, behind_gate, signal_name
from resumelog.infrastructure.handled_signals import Handled


class Interrupts(Handled):
    """Ctrl+C lets the running commands finish; a second one, SIGTERM or SIGHUP ends them all."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Report through `say`; `stop` is set by the first."""
        super().__init__()
        self.stop = StopFlag()
        self._say = say
        self._groups: dict[int, int] = {}
        self._ends: list[threading.Thread] = []
        self._number = 0
        self.ends_now = False

    @property
    def cause(self) -> str:
        """The signal that came last; empty without one."""
        return signal_name(self._number) if self._number else ""

    def watch(self, group: int, started: int) -> None:
        """Name a group that the next interrupt is about."""
        self._groups[group] = started
        if self.ends_now:  # looked at after it stands among them: one of the two sees the other
            self._end(group, started)

    def forget(self, group: int) -> None:
        """A group's command has ended."""
        self._groups.pop(group, None)

    def leave_if_ended(self) -> None:
        """Raise Terminated once the commands are being ended, and all of them have."""
        if self.ends_now:
            for end in [*self._ends]:
                end.join()
            raise Terminated(self._number)

    def received(self, number: int, frame: FrameType | None) -> None:
        """Note the cause; end the commands, or say how to."""
        del frame
        is_second, self._number = bool(self._number), number
        self.stop.set(signal_name(number))
        if not is_second and number == signal.SIGINT:
            many = len(self._groups) > 1
            what = "scenes; Ctrl+C again ends them" if many else "scene; Ctrl+C again ends it"
            self._say(f"finishing the running {what}")
            return
        self.ends_now = True
        for group, started in [*self._groups.items()]:
            self._end(group, started)

    def _end(self, group: int, started: int) -> None:
        end = threading.Thread(target=processes.end_group, args=(group, started), daemon=True)
        end.start()
        self._ends.append(end)


def run_command(
    argv: Sequence[str],
    began: Callable[[int, int], None],
    interrupts: Interrupts,
    *,
    env: Mapping[str, str] | None = None,
    folder: str | None = None,
    reads: str = "",
    timeout_s: float | None = None,
) -> Ended:
    """Run a command to its end. `began(group, started)` puts its group on record first.

    It `reads` that on its standard input. Raises CommandFailed when it takes too long, TooLarge when
    it prints more than a payload may hold, Terminated when it was ended by an interrupt.
    """
    group: list[int] = []

    def noted(number: int, started: int) -> None:
        group[:] = number, started
        began(number, started)
        interrupts.watch(number, started)

    start = time.monotonic()
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        files = {"stdout": printed, "stderr": errors}
        try:
            with (
                _file_of(reads) as stdin,
                behind_gate(argv, noted, **files, stdin=stdin, env=env, folder=folder) as process,
            ):
                code = _code(process, group, timeout_s)
        finally:
            if group:
                interrupts.forget(group[0])
        interrupts.leave_if_ended()
        if code is None:
            raise CommandFailed(why=_with_errors(f"it took longer than {timeout_s:g} s", errors))
        require_size("what the command printed", _size(printed), PAYLOAD_BYTES_MAX)
        return Ended(code, _text(printed, 0), _tail(errors), time.monotonic() - start)


def _code(
    process: subprocess.Popen[bytes], group: Sequence[int], timeout_s: float | None
) -> int | None:
    """Return the exit code; None of a command that took too long, and was ended."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        processes.end_group(*group)
        return None


def _file_of(text: str) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever called closes it
    file.write(text.encode(errors="backslashreplace"))
    file.flush()
    file.seek(0)
    return file


def _with_errors(why: str, errors: IO[bytes]) -> str:
    said = _tail(errors)
    return f"{why}: {said}" if said else why


def _size(file: IO[bytes]) -> int:
    return file.seek(0, 2)


def _text(file: IO[bytes], start: int) -> str:
    file.seek(start)
    return file.read().decode(errors="backslashreplace")


def _tail(file: IO[bytes]) -> str:
    return _text(file, max(0, _size(file) - ERROR_BYTES_MAX // 2)).strip()
