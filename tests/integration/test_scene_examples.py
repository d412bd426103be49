"""The example of scenes over HTTP runs, and what it says is so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.children import PATIENCE_S

EXAMPLE = Path(__file__).parents[2] / "examples" / "storyboard"
NOBODY_LISTENS = "http://127.0.0.1:9"


def run(name: str, *arguments: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, EXAMPLE / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def scripts(told: list[str]) -> list[str]:
    return [line for line in told if line.startswith(" ")]


def test_a_storyboard_over_http_asks_for_nothing_that_is_on_record(tmp_path: Path) -> None:
    told = run("demo.py", "--seed", 3, "--out", tmp_path)
    assert sum(line.startswith("SIGKILL") for line in told) == 2
    assert [line.split()[0] for line in told[-6:]] == ["OK"] * 6
    assert len(scripts(told)) == 12
    assert scripts(run("storyboard.py", tmp_path, NOBODY_LISTENS)) == scripts(told)
