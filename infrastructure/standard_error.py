"""Where people are told how the work goes."""

from __future__ import annotations

from typing import IO

from rich.console import Console


class StandardError(Console):
    """Standard error; the work goes on when nobody reads it any more."""

    def __init__(self, file: IO[str] | None = None) -> None:
        """Wrap long lines in the terminal only. `file` takes its place."""
        super().__init__(stderr=True, file=file, highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Say nothing more, where rich ends the program."""
        self.quiet = True
