"""The command line in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """`resumelog` with three scenes to do."""
    cli = Cli(tmp_path)
    cli.scenes(1, 2, 3)
    return cli
