"""The one table from errors to exit codes, and errors as one line that says what to do."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import click

from resumelog.application import errors
from resumelog.domain.errors import BrokenStream, LeaseLost, Refused, ResumelogError
from resumelog.infrastructure.printable import printable as printable


class Exit(IntEnum):
    """What an exit code means."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 3
    NOT_SAVED = 4


_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (errors.NotSaved, Exit.NOT_SAVED),
    (errors.JobPaused, Exit.INTERRUPTED),
    (errors.AlreadyRunning, Exit.FAILED),
    (errors.CommandFailed, Exit.FAILED),
    (errors.OutputMissing, Exit.FAILED),
    (LeaseLost, Exit.FAILED),
    (errors.DamagedStore, Exit.FAILED),
    (errors.DamagedEvent, Exit.FAILED),
    (errors.Contended, Exit.FAILED),
    (errors.NoPlace, Exit.USAGE),
    (errors.StoreUnavailable, Exit.FAILED),
    (BrokenStream, Exit.FAILED),
    (Refused, Exit.USAGE),
    (ResumelogError, Exit.USAGE),
    (OSError, Exit.FAILED),
)
"""The first that fits counts."""


class _Refusal(click.ClickException):
    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: Any = None) -> None:
        click.echo(f"resumelog: {self.format_message()}", err=True, file=file)


def refusal(error: Exception) -> Exception:
    """Return the error as click shows it; one that is not ours is a bug and stays as it is."""
    if isinstance(error, BrokenPipeError):
        return error  # whoever read has gone; click ends without a word
    code = code_of(error)
    return error if code is None else _Refusal(printable(str(error)), code)


def code_of(error: BaseException) -> Exit | None:
    """Return the exit code of an error; None of one that is not ours."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), None)
