"""Every test begins with an environment that names no store."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("support")  # their asserts explain themselves as a test's do

from support import postgres  # noqa: E402 - only what is imported later is rewritten
from support.logs import Store  # noqa: E402 - as above
from support.media import make_sources  # noqa: E402 - as above

from resumelog import ResumeLog  # noqa: E402 - as above

POSTGRES_FOLDER = pytest.StashKey[str]()
CONFIGURING = (
    "PERSISTENCE_",
    "SQLITE_",
    "CIPHER_",
    "COMPRESSOR_",
    "MAPPER_",
    "APPLICATION_",
    "POSTGRES_",
)


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.removeprefix("RESUMELOG_").startswith(CONFIGURING) or name.startswith("RESUMELOG_"):
            monkeypatch.delenv(name)


def pytest_configure(config: pytest.Config) -> None:
    """Make room for one server, which all workers of the session share."""
    if hasattr(config, "workerinput"):
        config.stash[POSTGRES_FOLDER] = config.workerinput["postgres"]
    else:
        folder = postgres.new_folder()
        config.stash[POSTGRES_FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)
        config.add_cleanup(lambda: postgres.killed(Path(folder.name)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where that is."""
    node.workerinput["postgres"] = node.config.stash[POSTGRES_FOLDER]


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A schema that there is not yet, on a real server."""
    if postgres.ELSEWHERE:
        url = postgres.new_schema(postgres.ELSEWHERE)
        yield url
        postgres.drop_schema(url)
    else:
        folder = Path(request.config.stash[POSTGRES_FOLDER])
        yield postgres.new_schema(postgres.running(folder).get_uri())


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


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short films and a picture, made by ffmpeg."""
    return make_sources(tmp_path_factory.mktemp("media"))


@pytest.fixture(autouse=True)
def _signals_are_put_back() -> Iterator[None]:
    """Let no test leave a handler behind, which another one would take for the process's own."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before
