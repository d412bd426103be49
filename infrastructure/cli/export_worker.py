"""How an attempt of `resumelog export` ended: said, and as an exit code."""

from __future__ import annotations

from resumelog.application.errors import (
    CommandFailed,
    JobPaused,
    NotSaved,
    OutputMissing,
    StoreError,
    Terminated,
)
from resumelog.application.export import Export
from resumelog.application.export_session import ExportSession
from resumelog.domain.export_job import Report
from resumelog.infrastructure.cli.export_attempt import Attempt
from resumelog.infrastructure.cli.export_command import ExportCommand
from resumelog.infrastructure.cli.export_display import ExportDisplay, Outcome
from resumelog.infrastructure.cli.outcomes import Exit

NOTHING = Report(0.0)
_ENDS = (CommandFailed, JobPaused, OutputMissing, OSError, KeyboardInterrupt, Terminated)


class ExportWorker:
    """Works on one export until it is done or has to leave."""

    def __init__(self, command: ExportCommand, display: ExportDisplay, grace_s: float) -> None:
        """Start nothing yet."""
        self._command, self._display, self._grace_s = command, display, grace_s
        self._attempt: Attempt | None = None

    def work(self, session: ExportSession) -> Exit:
        """Go on with it, record how it ended, and return the exit code.

        Raises AlreadyRunning, InputsChanged, LeaseLost, StoreError; NotSaved once it is made.
        """
        try:
            with session as export:
                if export.is_completed:
                    self._display.ended(export, export.report, Outcome("completed", skipped=True))
                    return Exit.DONE
                self._attempt = Attempt(export, self._command, self._display, self._grace_s)
                self._attempt.run()
                export.complete(export.output_path if self._command.needs_output else None)
        except _ENDS as error:
            if not self._attempt:  # still waiting for its turn
                return Exit.INTERRUPTED
            self._tell_notes(error)
            return self._told(self._attempt, export, _outcome(error))
        except StoreError as error:
            if not self._attempt or not self._attempt.is_made:
                raise
            self._told(self._attempt, export, Outcome("completed", not_saved=str(error)))
            raise NotSaved(f"export {self._command.key}", count=1, why=str(error)) from error
        return self._told(self._attempt, export, Outcome("completed"))

    def _told(self, attempt: Attempt, export: Export, outcome: Outcome) -> Exit:
        outcome = outcome._replace(command_exit_code=attempt.exit_code)
        reports = attempt.reports
        if self._command.total and outcome.status != "completed" and reports.last == NOTHING:
            self._display.say(
                f"none of the {self._command.total} units was reported: it begins at 0 again"
            )
        self._display.ended(export, reports.last, outcome, reports.bad)
        return outcome.exit_code

    def _tell_notes(self, error: BaseException) -> None:
        """Say what could not be recorded of it."""
        for note in getattr(error, "__notes__", ()):
            self._display.say(note)


def _outcome(error: BaseException) -> Outcome:
    if isinstance(error, Terminated | KeyboardInterrupt):
        return Outcome("interrupted", str(error) or "SIGINT")
    if isinstance(error, JobPaused):
        reason = f": {error.reason}" if error.reason else ""
        return Outcome("paused", f"by {error.actor or 'somebody'}{reason}")
    if isinstance(error, OutputMissing):
        return Outcome("failed", f"it ended well, but there is no file {error.output}")
    return Outcome("failed", str(error))
