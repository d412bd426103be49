"""What a command prints, told apart: reports are taken, all else goes on at once, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO

from resumelog.infrastructure.cli.ffmpeg_reports import BEGINNINGS, KEYS, FfmpegReports
from resumelog.infrastructure.cli.report_lines import WORDS, Said, report_in

LINE_BYTES_MAX = 256 * 1024
"""A longer line is text: no cursor may be so large."""

_WORDS = tuple(f"{word}{space}".encode() for word in WORDS for space in " \t")
_BEGINNINGS = (*_WORDS, *(each.encode() for each in BEGINNINGS))
_REPORTS = re.compile(rb"(?:\A|\n)(?:" + b"|".join(_BEGINNINGS) + rb")")
"""Where a report may be; without one, all is passed on as it is."""
_INSIDE = (*_WORDS, *(each.encode() for each in KEYS))


class ReportStream:
    """Reads chunks. A line that begins as a report does is held until it is complete.

    A line that is nearly a report goes on too, and is told as one with its fault.
    """

    def __init__(self, passes: Callable[[bytes], None], ffmpeg: FfmpegReports) -> None:
        """Hand all other text to `passes`."""
        self._passes, self._ffmpeg = passes, ffmpeg
        self._held = b""
        self._in_text = False

    def hear(self, chunk: bytes) -> Iterator[Said]:
        """Iterate over the reports in a chunk, then hand on its text, which may take as long as it likes.

        An empty chunk ends the stream.
        """
        data, reports = self._held + chunk, list[Said]()
        end = data.rfind(b"\n") + 1 if chunk else len(data)  # the last line may have no end
        text = self._text(data[:end], reports)
        held = data[end:]
        if self._in_text or not self._may_report(held):
            text, held, self._in_text = text + held, b"", self._in_text or bool(held)
        self._held = held
        yield from reports
        if text:
            self._passes(text)

    def _text(self, lines: bytes, reports: list[Said]) -> bytes:
        """Return the lines that are text; put what the others say into `reports`."""
        if self._ffmpeg.is_inside or _REPORTS.search(lines):
            return b"".join([*self._texts(lines, reports)])
        self._in_text = self._in_text and not lines
        return lines

    def _texts(self, lines: bytes, reports: list[Said]) -> Iterator[bytes]:
        for line in BytesIO(lines):
            if self._in_text or not self._may_report(line):
                self._ffmpeg.takes("")
                yield line
            elif not self._takes(line.decode(errors="backslashreplace"), reports):
                yield line
            self._in_text = False

    def _takes(self, line: str, reports: list[Said]) -> bool:
        line = line.rstrip("\r\n")
        if takes := self._ffmpeg.takes(line):
            said = self._ffmpeg.report()
        else:
            said = report_in(line)
            takes = said is not None and not said.why
        if said:
            reports.append(said)
        return takes

    def _may_report(self, start: bytes) -> bool:
        """Tell whether a line that begins so could be a report."""
        words = _INSIDE if self._ffmpeg.is_inside else _BEGINNINGS
        known = any(start.startswith(word) or word.startswith(start) for word in words)
        return known and len(start) <= LINE_BYTES_MAX
