"""One command for one scene, in a process group that its predecessor's successor can find."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import IO, NamedTuple, Self

from resumelog.domain.values import ERROR_BYTES_MAX, PAYLOAD_BYTES_MAX, require_size
from resumelog.infrastructure import processes

GATE = 'IFS= read -r go || exit 125; exec "$@" </dev/null'
"""The command starts only once its group is on record: a parent that dies before closes the gate."""


class Ended(NamedTuple):
    """How a command ended: its exit code (negative: a signal), what it printed, and for how long."""

    code: int
    printed: str
    errors: str
    elapsed_s: float

    @property
    def why(self) -> str:
        """Return why it counts as failed, with the end of what it said on standard error."""
        ended = (
            f"exit code {self.code}" if self.code >= 0 else f"ended by {_signal_name(-self.code)}"
        )
        return f"{ended}: {self.errors}" if self.errors else ended


class Interrupts:
    """Ctrl+C lets the running command finish; a second one, SIGTERM or SIGHUP ends it.

    A context manager for the main thread; the previous handlers are put back.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Report through `say`."""
        self._say = say
        self._group: tuple[int, int] | None = None
        self._before: dict[signal.Signals, object] = {}
        self.cause = ""
        self.ends_now = False

    def __enter__(self) -> Self:
        """Install the handlers."""
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(name) is not signal.SIG_IGN:  # nohup stays what it is
                self._before[name] = signal.signal(name, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        """Put the previous ones back."""
        for name, handler in self._before.items():
            signal.signal(name, handler)  # type: ignore[arg-type]  # what signal() returned

    def watch(self, group: int, started: int) -> None:
        """Name the group that the next interrupt is about."""
        self._group = (group, started)
        if self.ends_now:
            self._end()

    def _received(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.ends_now = bool(self.cause) or number != signal.SIGINT
        self.cause = _signal_name(number)
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
    start = time.monotonic()
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - running the user's command is the purpose
            ["/bin/sh", "-c", GATE, "resumelog", *argv],
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=errors,
            process_group=0,
        )
        try:
            started = processes.started(process.pid) or 0
            began(process.pid, started)
            interrupts.watch(process.pid, started)
            _open_gate(process)
            code = process.wait()
        finally:
            _close_gate(process)
        require_size("what the command printed", _size(printed), PAYLOAD_BYTES_MAX)
        return Ended(code, _text(printed, 0), _tail(errors), time.monotonic() - start)


def _open_gate(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(b"go\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # it was ended at the gate


def _close_gate(process: subprocess.Popen[bytes]) -> None:
    """Without the go, closing its standard input ends what waits at the gate."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def _size(file: IO[bytes]) -> int:
    return file.seek(0, 2)


def _text(file: IO[bytes], start: int) -> str:
    file.seek(start)
    return file.read().decode(errors="backslashreplace")


def _tail(file: IO[bytes]) -> str:
    return _text(file, max(0, _size(file) - ERROR_BYTES_MAX // 2)).strip()


def _signal_name(number: int) -> str:
    known = {each.value: each.name for each in signal.Signals}
    return known.get(number, f"signal {number}")
