"""The examples of `resumelog export --help` run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import pytest
from support.cli import RESUMELOG, Cli

MAKES = ("reel.txt", "clip.mp4")


@pytest.fixture(scope="module")
def help_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the help says."""
    return Cli(tmp_path_factory.mktemp("help"))("export", "--help").out


def examples(help_text: str) -> list[str]:
    """Return the examples as a person would copy them."""
    block = help_text.partition("Examples:\n")[2].partition("\n\n")[0]
    return re.split(r"\n(?=    resumelog )", block)


@pytest.mark.parametrize(("number", "output"), [*enumerate(MAKES)])
def test_each_example_runs_as_it_stands(
    tmp_path: Path, help_text: str, number: int, output: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    (tmp_path / "bin" / "resumelog").symlink_to(RESUMELOG)
    cli = Cli(tmp_path)
    cli.environment["PATH"] = f"{tmp_path / 'bin'}:{cli.environment['PATH']}"
    told = examples(help_text)
    assert len(told) == len(MAKES)
    cli.write("example", told[number])
    ran = cli(through=("sh", "-ec", ". ./example", "sh"))
    assert (ran.code, ran.out) == (0, "")
    assert f"{output}: complete" in ran.err
    assert (tmp_path / output).stat().st_size
    if output == "reel.txt":
        assert cli.lines(output) == [f"part {unit}" for unit in range(20)]
