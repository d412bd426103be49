"""The README's code runs, and says what is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROSE = re.sub(r"^```.*?^```|`[^`]*`", "", README, flags=re.DOTALL | re.MULTILINE)


def blocks(language: str) -> str:
    """All blocks of a language as one program: the later ones stand on the earlier ones."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize(
    "program", [(sys.executable, "-c", blocks("python")), ("sh", "-ec", blocks("sh"))]
)
def test_every_block_runs(program: tuple[str, ...], tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("RESUMELOG")}
    done = subprocess.run(
        program,
        cwd=tmp_path,
        env={**env, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_finished_output_is_left_alone_by_the_next_run(tmp_path: Path) -> None:
    (block,) = re.findall(
        r"^```python\n([^`]*temporary_directory.*?)^```", README, re.DOTALL | re.M
    )
    clip, seen = tmp_path / "clip.txt", []
    for _ in range(2):
        program = [sys.executable, "-c", f"import resumelog\n{block}"]
        subprocess.run(program, cwd=tmp_path, check=True, timeout=60)
        stat = clip.stat()
        seen.append((clip.read_text(), stat.st_ino, stat.st_mtime_ns))
    assert seen[0] == seen[1]
    assert seen[0][0] == "雪停了"


@pytest.mark.parametrize("target", ["demo", "test", "kills", "check", "bench"])
def test_every_make_target_that_it_names_is_there(target: str) -> None:
    assert f"make {target}" in README
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)]+)\)", PROSE))
def test_every_file_that_it_links_is_there(link: str) -> None:
    assert (ROOT / link).is_file()
