"""Run a command and note when it begins and ends: noted.py DIARY STAGE SCENE COMMAND...

The diary is the demo's witness beside the log: it shows every attempt, recorded or not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path


def note(diary: Path, what: str, stage: str, scene: str) -> None:
    """Append one line, by one write."""
    fact = {"at": datetime.now(UTC).isoformat(), "what": what, "stage": stage, "scene": scene}
    with diary.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**fact, "pid": os.getpid(), "group": os.getpgrp()}) + "\n")


def main(diary: str, stage: str, scene: str, *command: str) -> int:
    """Run the command between two notes and return its exit code."""
    note(Path(diary), "begun", stage, scene)
    code = subprocess.run(command, check=False).returncode
    note(Path(diary), "ended", stage, scene)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
