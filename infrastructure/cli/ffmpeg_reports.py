"""ffmpeg's own `-progress pipe:1`: blocks of key=value lines, each closed by progress=…"""

from __future__ import annotations

import re

from resumelog.infrastructure.cli.report_lines import Said

KEYS = (
    "frame",
    "fps",
    "stream_",
    "bitrate",
    "total_size",
    "out_time",
    "dup_frames",
    "drop_frames",
    "speed",
    "progress",
)
BEGINNINGS = ("frame=", "bitrate=")

_FIRST = re.compile(r"(?:frame=\s*\d+|bitrate=\s*(?:N/A|[\d.]+kbits/s))\s*")
_PAIR = re.compile(rf"((?:{'|'.join(KEYS)})\w*)=\s*(\S*)\s*")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
MICROSECONDS = ("out_time_us", "out_time_ms")
"""ffmpeg's out_time_ms is in microseconds too."""


class FfmpegReports:
    """Reads blocks of lines. A fraction is the part of `frames`, or else of `duration_s`, that is out.

    progress=end is no proof that it is done: ffmpeg says so too when it was interrupted.
    """

    def __init__(self, duration_s: float | None, frames: int | None) -> None:
        """Take how long the output is to be, if that is known."""
        self._duration_s, self._frames = duration_s, frames
        self._block: dict[str, str] = {}

    @property
    def is_inside(self) -> bool:
        """Tell whether a block has begun and has not ended."""
        return bool(self._block)

    def takes(self, line: str) -> bool:
        """Take a line that belongs to a block; any other ends the block."""
        pair = _PAIR.fullmatch(line) if self._block else None
        if not pair:
            self._block = {}
            pair = _PAIR.fullmatch(line) if _FIRST.fullmatch(line) else None
        if pair:
            self._block[pair[1]] = pair[2]
        return pair is not None

    def report(self) -> Said | None:
        """Return what a block that has just been closed says, if it says anything yet."""
        if "progress" not in self._block:
            return None
        block, self._block = self._block, {}
        line = f"progress={block['progress']}"
        part = self._part(block)
        if part is None:
            why = "ffmpeg tells no fraction; say --duration SECONDS, or --total FRAMES"
            return Said(line, why=why)
        return Said(line, progress=min(part, 1.0), is_length=True) if part > 0 else None

    def _part(self, block: dict[str, str]) -> float | None:
        if self._frames and "frame" in block:
            return int(block["frame"]) / self._frames
        return _seconds(block) / self._duration_s if self._duration_s else None


def _seconds(block: dict[str, str]) -> float:
    """Return how much of the output there is; 0 while ffmpeg does not know."""
    for name in MICROSECONDS:
        if re.fullmatch(r"\d+", block.get(name, "")):
            return int(block[name]) / 1_000_000
    clock = _CLOCK.fullmatch(block.get("out_time", ""))
    return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else 0.0
