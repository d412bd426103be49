"""Terminals of their own, for processes that show something to people."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from support.children import PATHS, PATIENCE_S

CTRL_C = b"\x03"
CTRL_S = b"\x13"
"""Stops what is shown."""
IN_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execve(sys.argv[1], sys.argv[1:], {**os.environ, "TERM": "xterm-256color"})
"""


class Terminal:
    """The keyboard and the screen of a process in a terminal of its own."""

    def __init__(self, keyboard: int, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.screen = ""
        self._keyboard = os.fdopen(keyboard, "r+b", buffering=0)

    def types(self, keys: bytes) -> None:
        self._keyboard.write(keys)

    def shows(self, text: str) -> str:
        """Return what the screen shows once this text appears on it."""
        while text not in self.text:
            shown = self._read()
            assert shown, f"it ended without showing {text!r}: {self.text}"
            self.screen += shown
        return self.text

    def ends(self) -> str:
        """Return all that the screen showed, once the process has ended."""
        while shown := self._read():
            self.screen += shown
        self.process.wait(timeout=PATIENCE_S)
        return self.text

    def close(self) -> None:
        self._keyboard.close()

    @property
    def text(self) -> str:
        """The screen's text without its colours and movements."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.screen)

    def _read(self) -> str:
        readable, _, _ = select.select([self._keyboard], [], [], PATIENCE_S)
        assert readable, "nothing happens on the terminal"
        with suppress(OSError):  # Linux says so when the last process has gone
            return (self._keyboard.read(65536) or b"").decode(errors="replace")
        return ""


def in_a_terminal(
    *command: object, cwd: Path, size: tuple[int, int] = (24, 120)
) -> AbstractContextManager[Terminal]:
    """Run `python -m command` in a new terminal."""
    environment = {**os.environ, "PYTHONPATH": PATHS, "PYTHONUTF8": "1"}
    return shown_in_a_terminal([sys.executable, "-m", *command], cwd, environment, size)


@contextmanager
def shown_in_a_terminal(
    command: Sequence[object],
    cwd: Path,
    environment: Mapping[str, str],
    size: tuple[int, int] = (24, 120),
) -> Iterator[Terminal]:
    """Run a command in a new terminal; kill what is left of it."""
    keyboard, its_end = pty.openpty()
    termios.tcsetwinsize(its_end, size)
    through = (sys.executable, "-c", IN_ITS_TERMINAL)
    with subprocess.Popen(
        [*through, *map(str, command)],
        cwd=cwd,
        env=environment,
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        text=True,
        start_new_session=True,
    ) as process:
        os.close(its_end)
        shown = Terminal(keyboard, process)
        try:
            yield shown
        finally:
            shown.close()
            if process.poll() is None:
                process.kill()
