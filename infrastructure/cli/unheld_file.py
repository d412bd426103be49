"""A file for people that is written in a thread of its own: whoever prints to it never waits."""

from __future__ import annotations

import os
from collections import deque
from io import TextIOBase
from threading import Condition, Thread
from typing import TextIO

WAITING_CHARS_MAX = 4 * 1024 * 1024
"""What is printed while so much waits to be read is dropped: frames of a bar, for the most part."""
ROOM_CHARS = 64 * 1024


class UnheldFile(TextIOBase):
    """What is written waits in memory until it is read, as on a terminal that Ctrl+S stopped."""

    def __init__(self, file: TextIO) -> None:
        """Write to the descriptor of a file, in its encoding."""
        self._descriptor, self._is_terminal = file.fileno(), file.isatty()
        self._encoding = file.encoding
        self._waiting = deque[str]()
        self._chars = 0
        self._changed = Condition()
        Thread(target=self._pass_on, daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute there
        """The encoding of the file."""
        return self._encoding

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._is_terminal

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Take a text, and return at once."""
        with self._changed:
            if text and self._chars < WAITING_CHARS_MAX:
                self._waiting.append(text)
                self._chars += len(text)
                self._changed.notify_all()
        return len(text)

    def wait_for_room(self) -> None:
        """Return once little waits: for whoever could print without end."""
        self._wait_until(ROOM_CHARS, None)

    def drain(self, patience_s: float | None) -> None:
        """Return once all is written, or `patience_s` is over; None waits as long as it takes."""
        self._wait_until(0, patience_s)

    def _wait_until(self, chars: int, patience_s: float | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._chars <= chars, patience_s)

    def _pass_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                text = self._waiting.popleft()
            self._write(text.encode(self._encoding, "backslashreplace"))
            with self._changed:
                self._chars -= len(text)
                self._changed.notify_all()

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            pass  # nobody reads any more, or it can't be written: the work goes on
