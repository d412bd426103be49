"""The process that the children of these tests are forked from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.forks import Forks, forks


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Children that start at once."""
    with forks(tmp_path_factory.mktemp("forks")) as children:
        yield children
