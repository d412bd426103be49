"""Ctrl+C at any moment of a save, beside a thread that goes on saving."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.children import child, finished

ROUNDS = 1500


@pytest.mark.parametrize("seed", [1, 2])
def test_an_interrupted_save_stops_no_other_and_loses_nothing_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    with child("interrupted_saves", "jobs.db", seed, ROUNDS, cwd=tmp_path) as process:
        code, out, err = finished(process)
    assert code == 0, err
    acknowledged, lost = map(int, out.split())
    assert lost == 0
    assert acknowledged > ROUNDS / 10
