"""ffmpeg as a child process: found, run with a list of arguments, and never left behind."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

from resumelog.infrastructure.media.errors import FfmpegFailed, NoFfmpeg

SHOWN_BYTES_MAX = 2000
SHOWN_LINES_MAX = 8
FRAMES = re.compile(rb"^frame=\s*(\d+)", re.MULTILINE)
QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1")


class Ffmpeg:
    """One ffmpeg: the one that is named, else imageio-ffmpeg's, else the system's."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Find it and ask its version. Raises NoFfmpeg."""
        self.path = str(path) if path else _found()
        try:
            told = subprocess.run(  # noqa: S603 - running it is the purpose
                [self.path, "-version"], capture_output=True, check=True, timeout=60
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NoFfmpeg(why=f"{self.path} can't be run as ffmpeg: {error}") from error
        self.version = told.stdout.decode(errors="backslashreplace").partition("\n")[0]

    def run(self, arguments: Sequence[str], what: str, job: str = "") -> int:
        """Run it to its end and return how many frames of video it wrote.

        Whatever ends the wait ends the child. Raises FfmpegFailed with the last lines of its
        standard error; `what` it was to do and the output `job` are named in it.
        """
        command = [*_ends_with_us(), self.path, *QUIET, *arguments]
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - as above
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=errors,
                process_group=0,  # Ctrl+C is for us, and we end it
            )
            try:
                code = process.wait()
            finally:
                process.kill()
                process.wait()
            if code:
                why = f"exit code {code}\n{_last_lines(errors)}"
                raise FfmpegFailed(job, what=what, why=why)
            counts = FRAMES.findall(_tail(told))
        return int(counts[-1]) if counts else 0

    def has_audio(self, media: Path) -> bool:
        """Tell whether a file has sound: whether its first moment can be copied."""
        first = ["-i", str(media), "-map", "0:a:0", "-c", "copy", "-t", "0.1", "-f", "null", "-"]
        try:
            self.run(first, f"the sound of {media.name}")
        except FfmpegFailed:
            return False
        return True


def _found() -> str:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]  # it has no types

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        path = shutil.which("ffmpeg")
    if path is None:
        raise NoFfmpeg(why="there is no ffmpeg on PATH")
    return path


@cache
def _ends_with_us() -> tuple[str, ...]:
    """Return what makes Linux end a child when this process is killed; nothing where that is not there."""
    guard = (shutil.which("setpriv") or "", "--pdeathsig", "KILL", "--")
    if not guard[0]:
        return ()
    tried = subprocess.run([*guard, "true"], capture_output=True, check=False)  # noqa: S603 - as above
    return () if tried.returncode else guard


def _tail(file: IO[bytes]) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - SHOWN_BYTES_MAX))
    return file.read()


def _last_lines(file: IO[bytes]) -> str:
    lines = _tail(file).decode(errors="backslashreplace").strip().splitlines()
    return "\n".join(lines[-SHOWN_LINES_MAX:])
