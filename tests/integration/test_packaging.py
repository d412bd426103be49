"""The wheel holds resumelog and nothing else, and lives beside a host's own `domain`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "application", "infrastructure")
HOST = """
import domain, resumelog, resumelog.domain.export_job, resumelog.events
assert domain.WHOSE == "the host's", domain.__file__
with resumelog.open("jobs.db") as log, log.exports.resume("reel.mp4") as job:
    for unit in job.remaining(3):
        job.save_progress(units_done=unit + 1)
print(job.progress)
"""

pytestmark = pytest.mark.packaging


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    # a copy, so that no build folder of an earlier version is picked up
    left_out = shutil.ignore_patterns(".*", "build", "*.egg-info", "out")
    shutil.copytree(ROOT, source, symlinks=True, ignore=left_out)
    run(sys.executable, "-m", "build", "-q", "--wheel", "--no-isolation", "-o", str(folder), source)
    (built,) = folder.glob("*.whl")
    return built


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tracked(pattern: str) -> set[str]:
    return set(run("git", "ls-files", *(f"{each}/{pattern}" for each in FOLDERS), cwd=ROOT).split())


def test_the_wheel_holds_only_resumelog(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"resumelog"}


def test_the_wheel_holds_every_module(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"resumelog/{name}" for name in tracked("*.py")} <= names
    assert "resumelog/py.typed" in names


def test_every_folder_with_modules_is_named_as_a_package() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {"resumelog." + str(Path(name).parent).replace("/", ".") for name in tracked("*.py")}
    assert {"resumelog", *folders} == set(config["tool"]["setuptools"]["packages"])


def test_it_works_beside_a_host_with_a_domain_package_of_its_own(
    wheel: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python, host = tmp_path / "env/bin/python", tmp_path / "host"
    run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    (host / "domain").mkdir(parents=True)
    (host / "domain/__init__.py").write_text('WHOSE = "the host\'s"\n')
    (host / "main.py").write_text(HOST)
    assert run(python, "main.py", cwd=host) == "1.0\n"
    assert "reel.mp4" in run(tmp_path / "env/bin/resumelog", "jobs", "--db", "jobs.db", cwd=host)
