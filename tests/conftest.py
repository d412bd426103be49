"""Every test begins with an environment that names no store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("support")  # their asserts explain themselves as a test's do

from support.logs import Store  # noqa: E402 - only what is imported later is rewritten

from resumelog import ResumeLog  # noqa: E402 - as above

CONFIGURING = ("PERSISTENCE_", "SQLITE_", "CIPHER_", "COMPRESSOR_", "MAPPER_", "APPLICATION_")


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.removeprefix("RESUMELOG_").startswith(CONFIGURING) or name.startswith("RESUMELOG_"):
            monkeypatch.delenv(name)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new database file; contract tests have every store in its place."""
    store = Store(str(tmp_path / "jobs.db"), tmp_path)
    yield store
    store.close()


@pytest.fixture
def log(store: Store) -> ResumeLog:
    """The log."""
    return store.open()


@pytest.fixture
def other(store: Store) -> ResumeLog:
    """Another handle on the same log."""
    return store.open()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where an export writes."""
    return tmp_path / "成片🎬.mp4"
