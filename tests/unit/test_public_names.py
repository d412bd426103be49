"""The public API: every name is there, and costs nothing until it is used."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import resumelog
from resumelog.application import errors as of_application
from resumelog.domain import errors as of_domain
from resumelog.infrastructure.media import errors as of_media

ERRORS = {*vars(of_domain), *vars(of_application), *vars(of_media)} - {"Any", "ClassVar", "UUID"}
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


def documented(name: str) -> Iterator[str]:
    """Iterate over what the docstrings of a public name say, and of all that it has."""
    public = getattr(resumelog, name)
    yield inspect.getdoc(public) or ""
    for part, value in inspect.getmembers(public) if inspect.isclass(public) else ():
        if not part.startswith("_") or part in ("__init__", "__enter__", "__aenter__"):
            yield inspect.getdoc(value) or ""


@pytest.mark.parametrize("name", resumelog.__all__)
def test_errors_that_a_docstring_names_are_public(name: str) -> None:
    named = {word for text in documented(name) for word in re.findall(r"\b[A-Z]\w+", text)}
    assert named & ERRORS <= {*resumelog.__all__}


def test_every_public_name_has_a_home_and_every_home_a_name() -> None:
    assert {*resumelog.__all__} - {"__version__"} == {*resumelog._HOMES}


def test_no_error_names_its_job_a_second_time() -> None:
    modules = (of_domain, of_application, of_media)
    texts = {getattr(vars(module).get(name), "text", "") for module in modules for name in ERRORS}
    assert len(texts) > 50
    assert [text for text in texts if "{job}" in text] == []
