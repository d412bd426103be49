"""What a commit asks of the disk, in its order: the file, its name, its folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.tracing import calls, not_here

pytestmark = pytest.mark.faults

COMMITS = """
from pathlib import Path
from resumelog.infrastructure.artifacts import FileArtifacts

files = FileArtifacts(Path.cwd())
partial = files.partial(Path("reel.mp4"))
partial.write_bytes(b"frames")
files.commit(partial, Path("reel.mp4"))
"""


def test_a_file_is_on_disk_before_it_has_its_name_and_its_folder_after(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        not_here("there is no strace here")
    log, folder = tmp_path / "strace.log", tmp_path / "out"
    folder.mkdir()
    traced = ["strace", "-f", "-y", "-o", str(log), "-e", "trace=fsync,fdatasync,rename,renameat2"]
    subprocess.run([*traced, sys.executable, "-c", COMMITS], cwd=folder, check=True, timeout=120)
    asked = [
        call for call in calls(log) if str(folder) in call.arguments or "reel" in call.arguments
    ]
    synced, renamed, *_, folder_synced = asked
    assert (synced.name, renamed.name, folder_synced.name) == ("fsync", "rename", "fsync")
    assert ".partial-" in synced.arguments
    assert synced.returned < renamed.began
    assert folder_synced.arguments.endswith(f"<{folder}>")
