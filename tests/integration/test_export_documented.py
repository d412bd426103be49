"""The exporter of the documents that appends: after kill -9 its file holds no line twice."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.children import PATIENCE_S

EXPORTS = (Path(__file__).parents[2] / "docs/exports.md").read_text()
IMPORTS = "from pathlib import Path\nimport resumelog, os, signal\n"
LINES = re.search(r"^class Lines:.*?(?=^\S)", EXPORTS[EXPORTS.index("class Lines:") :], re.S | re.M)
COUNT = 40
EXPORT = """
def told(fraction):
    if fraction == {dies_at}:
        with open({torn!r}, "ab") as file:
            file.write(b"line 2")
        os.kill(os.getpid(), signal.SIGKILL)

exporter = resumelog.make_resumable(Lines(), in_place={in_place})
exporter.export({{"count": 40}}, "lines.txt", progress_callback=told)
"""


def export(folder: Path, dies_at: float, *, in_place: bool, torn: str = "/dev/null") -> int:
    assert LINES
    program = IMPORTS + LINES[0] + EXPORT.format(dies_at=dies_at, in_place=in_place, torn=torn)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, check=False, timeout=PATIENCE_S
    ).returncode


@pytest.mark.parametrize("in_place", [False, True])
def test_no_line_is_there_twice_after_kill_9(tmp_path: Path, in_place: bool) -> None:
    assert export(tmp_path, 20 / COUNT, in_place=in_place) == -signal.SIGKILL
    assert export(tmp_path, 30 / COUNT, in_place=in_place) == -signal.SIGKILL
    assert export(tmp_path, 2, in_place=in_place) == 0
    lines = (tmp_path / "lines.txt").read_text().splitlines()
    assert lines == [f"line {number}" for number in range(COUNT)]


def test_a_line_that_a_kill_tore_is_made_again(tmp_path: Path) -> None:
    assert export(tmp_path, 20 / COUNT, in_place=True, torn="lines.txt") == -signal.SIGKILL
    assert (tmp_path / "lines.txt").read_text().endswith("line 19\nline 2")
    assert export(tmp_path, 2, in_place=True) == 0
    lines = (tmp_path / "lines.txt").read_text().splitlines()
    assert lines == [f"line {number}" for number in range(COUNT)]
