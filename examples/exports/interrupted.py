"""Render a film, be killed twice on the way, and show that nothing was rendered again: interrupted.py [FOLDER].

Needs the extra "media". Each attempt is a process of its own, which prints every scene that it made.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from story import SCENES, make_version  # type: ignore[import-not-found]  # it stands beside this script

import resumelog

KILLS_AFTER = (2, 2, None)
"""How many scenes each attempt may make before SIGKILL."""


def render(folder: Path) -> None:
    """Be one attempt: render what remains."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("resumelog").setLevel(logging.INFO)
    exporter = resumelog.FfmpegExporter(size=(320, 180), preset="veryfast")
    with resumelog.open(folder / "jobs.db") as log:
        exporter.resume(log, make_version(folder), folder / "way-home.mp4")


def attempt(folder: Path, kill_after: int | None) -> list[str]:
    """Start an attempt and kill it after so many scenes; return those that it made."""
    made: list[str] = []
    command = [sys.executable, __file__, str(folder), "attempt"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith(" made\n"):
                made.append(line.split()[-2])
            if len(made) == kill_after:
                process.send_signal(signal.SIGKILL)  # and read what it told before
    print(f"exit code {process.returncode:3}: made {', '.join(made) or 'nothing'}", flush=True)
    return made


def main(folder: Path) -> int:
    """Tell the story; return 0 if the film is there and no scene was made twice."""
    make_version(folder)
    made = Counter(scene for kill in KILLS_AFTER for scene in attempt(folder, kill))
    again = [scene for scene in SCENES if made[scene] > 1]
    with resumelog.open(folder / "jobs.db") as log:
        job = log.queries.find(str(folder / "way-home.mp4"))
        print(log.queries.resume_point(job).explain())
    print(f"made again: {', '.join(again) or 'nothing'}")
    return 0 if not again and (folder / "way-home.mp4").exists() else 1


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("out")).absolute()
    if sys.argv[2:] == ["attempt"]:
        render(out)
    else:
        (out / "way-home.mp4").unlink(missing_ok=True)  # so that there is something to do
        sys.exit(main(out))
