"""ffmpeg is found, or its absence is told; and it never outlives whoever started it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.children import PATIENCE_S, child
from support.media import SIZE, version
from support.tracing import not_here

from resumelog import FfmpegExporter
from resumelog.infrastructure import processes
from resumelog.infrastructure.media.errors import NoFfmpeg
from resumelog.infrastructure.media.ffmpeg import _ends_with_us

ENDS_S = 20
"""Long before the film that is rendered in the meantime would be done."""


@pytest.mark.parametrize("path", ["/no/ffmpeg", "false"])
def test_no_ffmpeg_is_told(media: Path, tmp_path: Path, path: str) -> None:
    with pytest.raises(NoFfmpeg, match="can't be run as ffmpeg"):
        FfmpegExporter(size=SIZE, ffmpeg=path).export(version(media), tmp_path / "film.mp4")


def rendering(still: Path) -> list[int]:
    """Return the processes of ffmpeg that read this media."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "ffmpeg" in words[0] and str(still) in words:
            found.append(int(line.parent.name))
    return [pid for pid in found if processes.started(pid)]


def wait_for(fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ffmpeg_ends_with_whoever_started_it(
    media: Path, tmp_path: Path, number: signal.Signals
) -> None:
    if number == signal.SIGKILL and not _ends_with_us():
        not_here("there is no setpriv here")
    still = tmp_path / "long.png"
    still.write_bytes((media / "blue %03d.png").read_bytes())
    with child("render_long", still, cwd=tmp_path, module="support.media_tasks") as process:
        wait_for(lambda: rendering(still))
        os.kill(process.pid, number)
        process.wait(timeout=ENDS_S)
        wait_for(lambda: not rendering(still))
    assert not (tmp_path / "long.mp4").exists()
