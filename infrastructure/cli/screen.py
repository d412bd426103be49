"""Where the command line tells people how the work goes: standard error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import IO

from rich.text import Text

from resumelog.infrastructure.printable import printable
from resumelog.infrastructure.standard_error import StandardError

WHY_CHARS = 200


class _Telling(logging.Handler):
    """What the log itself says, a line each."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(record.getMessage())


class Screen:
    """Everything human goes to standard error; with `wants_json` one document to standard output."""

    def __init__(
        self, job: str, *, verbose: bool, wants_json: bool, file: IO[str] | None = None
    ) -> None:
        """Show also what the log itself says: warnings, or with `verbose` every event.

        `file` takes the place of standard error.
        """
        self.job, self.wants_json = printable(job), wants_json
        self.console = StandardError(file)
        logger = logging.getLogger("resumelog")
        logger.setLevel(logging.INFO if verbose else logging.WARNING)
        logger.addHandler(_Telling(self.say))

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(Text(printable(text)))


def short(why: str) -> str:
    """How it ended, and the last thing that it said."""
    ended, *said = (part for part in why.splitlines() if part.strip())
    if said:
        ended = f"{ended.partition(':')[0]}: … {said[-1]}"
    return ended[:WHY_CHARS]
