"""One suite, every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.logs import Store


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new store of each kind."""
    urls = {"sqlite": lambda: f"sqlite:///{tmp_path / 'jobs.db'}", "memory": lambda: "memory:"}
    postgres = {"postgres": lambda: request.getfixturevalue("postgres_url")}
    store = Store((urls | postgres)[request.param](), tmp_path)
    yield store
    store.close()
