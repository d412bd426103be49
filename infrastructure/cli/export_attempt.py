"""One attempt of `resumelog export`: the command, what it reports, and whether it is done."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from resumelog.application.errors import CommandFailed, JobPaused, StoreError, Terminated
from resumelog.application.export import Export
from resumelog.domain.errors import ResumelogError
from resumelog.infrastructure.cli.export_command import ExportCommand
from resumelog.infrastructure.cli.export_display import ExportDisplay, Passes
from resumelog.infrastructure.cli.export_reports import Reports
from resumelog.infrastructure.cli.ffmpeg_reports import FfmpegReports
from resumelog.infrastructure.cli.report_lines import Said
from resumelog.infrastructure.cli.report_stream import ReportStream
from resumelog.infrastructure.gate import Ended
from resumelog.infrastructure.relay import Relay
from resumelog.infrastructure.streamed_commands import StreamedCommand

LOOK_EVERY_S = 0.5
"""So often the log is looked at for a pause, and for another worker."""


class Attempt:
    """Runs the command of an export that has begun."""

    def __init__(
        self, export: Export, command: ExportCommand, display: ExportDisplay, grace_s: float
    ) -> None:
        """Start nothing yet."""
        self._export, self._command, self._display = export, command, display
        self._relay = Relay(display.say, grace_s)
        self._paused: JobPaused | None = None
        self._look_at = 0.0
        self._flushes = True
        self.reports = Reports(export, command.total, command.scale, display.say)
        self.exit_code: int | None = None
        self.is_made = False
        """Whether the work is done and its output in place, be it on record or not."""

    def run(self) -> None:
        """Run the command to its end, and move its output into place.

        Raises CommandFailed, Terminated, JobPaused, LeaseLost, StoreError.
        """
        try:
            with self._output() as path, self._shown() as passages:
                self._see_how_it_begins()
                ended = self._listened_to(passages, path)
                if self._has_nothing_left(ended, path):
                    self.reports.begin_again("all is done, but its output is missing")
                    ended = self._listened_to(passages, path)
                self._require_done(ended, path)
            self.is_made = True
            self._export.units_total = None  # nothing remains of units that nobody counted
            self.reports.settle()
        except BaseException:
            with suppress(ResumelogError):  # the end of the session tells that it can't be written
                self.reports.settle()
            raise

    @contextmanager
    def _output(self) -> Iterator[Path]:
        if not self._command.fills_output:
            yield self._command.path
            return
        output, keeps = self._command.path, self._command.keep_partial
        with self._export.beside_output(keep_partial=keeps) as partial:  # `output` warns in Python
            yield partial
            self._export.place(partial, self._export.output_path or output)

    @contextmanager
    def _shown(self) -> Iterator[tuple[Passes, Passes]]:
        """Yield where the standard output and error of the command go."""
        with self._display.passages() as passages, self._display.showing(self._export):
            yield passages

    def _see_how_it_begins(self) -> None:
        """Say what a command meets that begins with nothing in its output."""
        command = self._command
        if self.reports.start.progress and not self._export.progress:  # as the log says by now
            self.reports.has_begun_again("what it had written is gone")
        if command.fills_output and not command.keep_partial and self._export.progress:
            self._display.say(
                "{output} is empty again: where COMMAND goes on in it, and not with pieces in files of"
                " their own, use --keep-partial"
            )

    def _listened_to(self, passages: tuple[Passes, Passes], path: Path) -> Ended:
        command, (out, err) = self._command, passages
        ffmpeg = FfmpegReports(command.duration_s, command.total)
        streamed = StreamedCommand[Said](
            out=ReportStream(out, ffmpeg).hear,
            err=err,
            heard=self.reports.take,
            tick=self._tick,
            is_patient=lambda: not self._relay.is_asked,
        )
        with self._relay:
            environment = command.environment(self._export, path)
            return streamed.run(command.filled(path), environment, self._began)

    def _has_nothing_left(self, ended: Ended, path: Path) -> bool:
        """Tell whether it went on where all was done, but no output had come of it, nor has now."""
        was_done = self.reports.start.progress == 1
        is_well = not (ended.code or self._relay.number or self._paused)
        return was_done and is_well and bool(self._missing(path))

    def _began(self, group: int, started: int) -> None:
        self._export.begun(group, started)
        self._relay.watch(group, started)

    def _tick(self) -> None:
        self._relay.press()
        if self._relay.number and self._flushes:
            self._flush()
        if not self._paused and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_EVERY_S
            self._look()

    def _flush(self) -> None:
        """Save what was reported last: whoever sent a signal may not wait for our end.

        A store that can't be written is tried once: it may take long to say so, and the end tries again.
        """
        try:
            self._export.flush()
        except StoreError as error:
            self._flushes = False
            self._display.say(str(error))

    def _look(self) -> None:
        """See a pause. Raises LeaseLost."""
        try:
            self._export.leave_if_paused()
        except JobPaused as paused:
            self._paused = paused
            self._display.say(f"{paused}; the command is asked to end")
            self._relay.ask(signal.SIGTERM)
        except StoreError:
            pass  # the next look may see more; saves say what is wrong

    def _require_done(self, ended: Ended, path: Path) -> None:
        """Raise why it is not. What ended well and complete is done, whoever interrupted it."""
        self.exit_code = ended.code
        if ended.code or self.reports.last.progress < 1:
            if self._relay.number:
                raise Terminated(self._relay.number)
            if self._paused:
                raise self._paused
        if ended.code:
            raise CommandFailed(why=ended.why)
        if why := self.reports.shortfall or self._missing(path):
            raise CommandFailed(why=f"it ended well, but {why}")

    def _missing(self, path: Path) -> str:
        if not self._command.needs_output or self._export.has_made(path):
            return ""
        if path.is_file():
            return (
                f"left {self._command.output} as it was before the job began: remove it; or where it is up"
                " to date, as make may find it, let COMMAND touch it"
            )
        if not self._command.fills_output:
            return f"made no file {path}"
        return (
            "wrote no file to {output}"
            if self._command.names_output
            else "wrote no file to $RESUMELOG_OUTPUT"
        )
