"""The code of the README and of the documents that it links runs, and says what is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resumelog.infrastructure.settings import DEFAULT_URL

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXPORTS = (ROOT / "docs/exports.md").read_text()
SCENES = (ROOT / "docs/scenes.md").read_text()
AUTOPILOT = (ROOT / "docs/autopilot.md").read_text()
PILOT = (ROOT / "docs/pilot.md").read_text()
EXAMPLE = "examples/simulation"
LINK = re.compile(r"\]\(((?!http)[^)]*)\)")


def links(page: str) -> list[str]:
    """All links to files and headings here, relative to the root."""
    text = (ROOT / page).read_text()
    prose = re.sub(r"^```.*?^```|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    folder = Path(page).parent
    return [
        page + link if link.startswith("#") else os.path.normpath(folder / link)
        for link in LINK.findall(prose)
    ]


def headings(page: Path) -> set[str]:
    """All headings as a link names them."""
    titles = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def blocks(language: str, page: str = README) -> str:
    """All blocks of a language as one program: the later ones stand on the earlier ones."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize(
    "program",
    [
        (sys.executable, "-c", blocks("python")),
        (sys.executable, "-c", blocks("python", EXPORTS)),
        (sys.executable, "-c", blocks("python", SCENES)),
        (sys.executable, "-c", blocks("python", AUTOPILOT)),
        ("sh", "-ec", blocks("sh")),
        ("sh", "-ec", blocks("sh", PILOT)),
    ],
    ids=[
        "the README's Python",
        "the exports' Python",
        "the scenes' Python",
        "the autopilot's Python",
        "the README's shell",
        "the pilot's shell",
    ],
)
def test_every_block_runs(program: tuple[str, ...], tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("RESUMELOG")}
    left_out = shutil.ignore_patterns("out", "*.db*")
    shutil.copytree(ROOT / "examples" / "simulation", tmp_path / EXAMPLE, ignore=left_out)
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
        r"^```python\n([^`]*temporary_directory.*?)^```", EXPORTS, re.DOTALL | re.M
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


@pytest.mark.parametrize(
    "link",
    [
        *links("README.md"),
        *links("docs/exports.md"),
        *links("docs/scenes.md"),
        *links("docs/autopilot.md"),
        *links("docs/pilot.md"),
    ],
)
def test_every_file_and_heading_that_is_linked_is_there(link: str) -> None:
    file, _, heading = link.partition("#")
    assert (ROOT / file).is_file()
    assert not heading or heading in headings(ROOT / file)


def test_python_and_the_commands_use_one_log_in_the_examples() -> None:
    assert {
        *re.findall(r'open\("(?:sqlite:///)?([^"]*\.db)"', README + EXPORTS + SCENES + AUTOPILOT)
    } == {DEFAULT_URL}
