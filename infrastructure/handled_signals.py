"""Signals that a block handles itself, while a command is its own business to end."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, ClassVar, Self

from resumelog.infrastructure.signals import SIGNALS


class Handled:
    """Signals that a `with` block in the main thread handles itself; then the handlers of before do.

    What is ignored stays ignored, as nohup wants it.
    """

    names: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGINT, *SIGNALS)

    def __init__(self) -> None:
        """Install nothing yet."""
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Install the handlers."""
        for name in self.names:
            if signal.getsignal(name) is not signal.SIG_IGN:
                self._previous[name] = signal.signal(name, self.received)
        return self

    def __exit__(self, *_: object) -> None:
        """Put the previous ones back."""
        for name, handler in self._previous.items():
            signal.signal(name, handler)

    def received(self, number: int, frame: FrameType | None) -> None:
        """Handle one."""
        raise NotImplementedError
