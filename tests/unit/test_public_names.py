"""The public API: every name is there, and costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import resumelog

HEAVY = ("asyncio", "eventsourcing", "pydantic", "rich", "sqlite3")


@pytest.mark.parametrize("name", resumelog.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(resumelog, name)


def test_the_import_alone_brings_nothing_heavy() -> None:
    program = f"import sys, resumelog; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
