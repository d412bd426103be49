"""A real service under more than a thousand requests made from its own description."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import PATIENCE_S
from support.served import serving_host

CASES = 1000
SCHEMATHESIS = Path(sys.executable).with_name("st")
CONFIG = """
[[operations]]
include-path-regex = "/(start|pause|resume)$"
# as the contract has it: what the run's status refuses is a 400
checks.positive_data_acceptance.expected-statuses = ["200", "400"]
"""


@pytest.mark.kills
def test_no_request_made_from_the_description_is_answered_otherwise(tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with serving_host(tmp_path) as served:
        config = ("--config-file", tmp_path / "schemathesis.toml")
        options = ("--max-examples", 60, "--no-color")
        command = (SCHEMATHESIS, *config, "run", f"{served.url}/openapi.json", *options)
        ran = subprocess.run(
            [*map(str, command)],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=5 * PATIENCE_S,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout
    made = re.search(r"([\d,]+) generated, ([\d,]+) passed", ran.stdout)
    assert made, ran.stdout
    assert made.group(1) == made.group(2)
    assert int(made.group(1).replace(",", "")) >= CASES
