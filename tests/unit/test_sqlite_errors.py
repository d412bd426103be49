"""What SQLite's errors are called here, and what is advised."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from resumelog.infrastructure.storage.sqlite.errors import translation


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_no_room_is_asked_for_where_there_can_be_none() -> None:
    with pytest.raises(sqlite3.OperationalError) as refused:
        sqlite3.connect("/proc/x.db").execute("SELECT 1 FROM x")
    told = str(translation("/proc/x.db", refused.value))
    assert "free space" not in told
    assert "holds no files of yours); choose another folder" in told
