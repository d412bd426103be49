"""How several workers in threads are ended by one who can't interrupt them."""

from __future__ import annotations

from resumelog.application.errors import BatchStopped
from resumelog.domain.values import error_text


class StopFlag:
    """Set once, from any thread; workers see it at their next safe point. Good for one run."""

    def __init__(self) -> None:
        """Let everybody work."""
        self.cause = ""

    def set(self, cause: object = "it was asked for") -> None:
        """End the work, and say why; the first cause stays."""
        self.cause = self.cause or error_text(cause) or "it was asked for"

    def leave_if_set(self) -> None:
        """Raise BatchStopped once it is set."""
        if self.cause:
            raise BatchStopped(self.cause)
