"""The command line in a folder of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """`resumelog` with three scenes to do."""
    cli = Cli(tmp_path)
    cli.scenes(1, 2, 3)
    return cli


@pytest.fixture
def bound() -> Sequence[str]:
    """What runs a program so that permissions bind it, even where the tests run as root."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("permissions don't bind root, and there is no setpriv to change that")
    capabilities = "-dac_override,-dac_read_search"
    return ("setpriv", f"--bounding-set={capabilities}", f"--inh-caps={capabilities}")


@pytest.fixture
def bare(tmp_path: Path) -> Cli:
    """`resumelog` in an empty folder."""
    return Cli(tmp_path)
