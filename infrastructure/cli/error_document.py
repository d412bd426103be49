"""With --json, a command that could not be done says why as its document."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import click

from resumelog.domain.errors import ResumelogError
from resumelog.infrastructure.cli.outcomes import Exit, code_of
from resumelog.infrastructure.cli.printing import has_printed_json, print_json
from resumelog.infrastructure.printable import printable

AGAIN = "run the same command again"


class ErrorDocument(NamedTuple):
    """Which error, what happened, to which job, and what to do next where that is known."""

    error: str
    message: str
    next: str | None
    job: str | None
    exit_code: int


def print_error(error: BaseException) -> None:
    """Print it, unless the command is well or has printed its document already."""
    document = error_document(error)
    if document.exit_code != Exit.DONE and not has_printed_json():
        with suppress(OSError):  # standard error tells it too
            print_json(document._asdict())


def error_document(error: BaseException) -> ErrorDocument:
    """Return what a program is told of an error."""
    code = _exit_code(error)
    if isinstance(error, KeyboardInterrupt | click.exceptions.Exit):
        return ErrorDocument("Interrupted", "interrupted before it began", AGAIN, None, code)
    shown = error.format_message() if isinstance(error, click.ClickException) else str(error)
    job = getattr(error, "job", "") or None
    return ErrorDocument(type(error).__name__, printable(shown), _next(error), job, code)


def _exit_code(error: BaseException) -> int:
    if isinstance(error, click.ClickException | click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else Exit.FAILED
    return code_of(error) or Exit.FAILED


def _next(error: BaseException) -> str | None:
    """Return what to do: errors of ours say it behind their last semicolon."""
    if isinstance(error, ResumelogError):
        _, _, advice = error.text.rpartition("; ") if "; " in error.text else ("", "", "")
        return printable(advice.format(job=error.job, **error.data)) or None
    if isinstance(error, click.UsageError):
        message, _, advice = error.format_message().rpartition("; ")
        command = error.ctx.command_path if error.ctx else "resumelog"
        return printable(advice) if message else f"{command} --help tells how it is used"
    return None
