"""What a command prints, passed on to our own standard output or error."""

from __future__ import annotations

import os
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

LINE_BYTES_MAX = 64 * 1024


class Passage:
    """Byte for byte, and at once. When nobody reads any more, the work goes on all the same."""

    def __init__(self, descriptor: int | None, say: Callable[[str], None]) -> None:
        """Take a descriptor; None where it was closed. Report through `say` what can't be written."""
        self._descriptor, self._say = descriptor, say

    def __call__(self, data: bytes) -> None:
        """Pass some bytes on."""
        rest = memoryview(data)
        try:
            while rest and self._descriptor is not None:
                rest = rest[os.write(self._descriptor, rest) :]
        except BrokenPipeError:
            self._descriptor = None
        except OSError as error:
            self._descriptor = None
            self._say(f"what the command prints is lost from here on: {error.strerror}")


class LinesAbove:
    """Line by line above the bar that a terminal shows; of a line that was overwritten, the end."""

    def __init__(self, console: Console, wait: Callable[[], None]) -> None:
        """Print on a console; after a line, `wait` until there is room for another."""
        self._console, self._wait = console, wait
        self._rest = b""

    def __call__(self, data: bytes) -> None:
        """Print the lines that are complete; no more data ends the last one."""
        *lines, rest = (self._rest + data).split(b"\n")
        if not data and rest:
            lines, rest = [rest], b""
        for line in lines:
            text = _visible(line).decode(errors="replace")
            self._console.print(Text.from_ansi(text))
            if data:  # its end is told by who must not wait
                self._wait()
        self._rest = rest if len(rest) < LINE_BYTES_MAX else _visible(rest)[-LINE_BYTES_MAX:]


def _visible(line: bytes) -> bytes:
    """Return what is left of a line on a terminal after its carriage returns."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]
