"""The examples of exports run, and what they say is so."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.children import PATIENCE_S
from support.media import ffmpeg

EXAMPLES = Path(__file__).parents[2] / "examples" / "exports"


def run(name: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_basic_goes_on_where_it_was_ended(tmp_path: Path, number: signal.Signals) -> None:
    command: list[str | Path] = [sys.executable, EXAMPLES / "basic.py", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        told = [process.stdout.readline() for _ in range(3)]
        process.send_signal(number)
        told += process.communicate(timeout=PATIENCE_S)[0].splitlines()
    left = [f"page {unit} made, {round(100 * (unit + 1) / 8)}%" for unit in range(len(told), 8)]
    assert run("basic", tmp_path) == [*left, f"{tmp_path / 'book.txt'} is complete"]
    assert (tmp_path / "book.txt").read_text().splitlines() == [f"page {unit}" for unit in range(8)]


def test_premiere_reads_back_what_it_wrote(tmp_path: Path) -> None:
    names = ["dawn", "road", "wood", "rain", "town", "home"]
    expected = [f"00:00:0{at}:00   25 frames  {name}" for at, name in enumerate(names)]
    assert run("premiere", tmp_path)[:-1] == expected


def test_interrupted_makes_nothing_again(tmp_path: Path) -> None:
    told = run("interrupted", tmp_path)
    assert [line[:13] for line in told[:3]] == ["exit code  -9", "exit code  -9", "exit code   0"]
    assert told[-1] == "made again: nothing"
    count = ffmpeg("-i", tmp_path / "way-home.mp4", "-f", "framecrc", "-map", "0:v", "-").decode()
    assert sum(line[0] != "#" for line in count.splitlines()) == 150
