"""`resumelog --version` against `python -c "import click"` (budget: at most 1.5 times)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.measuring import medians, show

PEER = "import click"


def measure() -> None:
    """Start each program in turns and print the table."""
    tool = Path(sys.executable).with_name("resumelog")
    commands = {
        PEER: [sys.executable, "-c", "import click"],
        "resumelog --version": [str(tool), "--version"],
        "resumelog --help": [str(tool), "--help"],
        "import resumelog": [sys.executable, "-c", "import resumelog"],
    }
    variants = {name: lambda command=command: _run(command) for name, command in commands.items()}
    show("Start of a process", medians(variants, rounds=21), PEER)


def _run(command: list[str]) -> int:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return 1
