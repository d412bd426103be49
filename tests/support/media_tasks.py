"""What the child processes of the tests of media do: `python -m support.media_tasks TASK ARGUMENTS`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import opentimelineio  # type: ignore[import-untyped]  # noqa: F401 - before a fork: it takes its time
from support.media import exporter, version

import resumelog

TOUCHES = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "subprocess.Popen")


def export_media(suffix: str, media: str, die_at: str) -> None:
    """Export as a job, and be killed before the nth touch of a file; tell how many there were."""
    touches = 0

    def touched(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal touches
        if event in TOUCHES and "film" in str(arguments):
            touches += 1
            if touches == int(die_at):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touched)
    with resumelog.open("jobs.db") as log:
        exporter(suffix).resume(log, version(Path(media)), f"film{suffix}", key="film")
    os.write(1, b"%d\n" % touches)


def render_long(still: str) -> None:
    """Render a film that takes an hour."""
    scenes = [{"source": still, "duration": 100_000}]
    with resumelog.open("jobs.db") as log:
        exporter(".mp4").resume(log, {"fps": 60, "scenes": scenes}, "long.mp4")


TASKS = {task.__name__: task for task in (export_media, render_long)}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
