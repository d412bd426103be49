"""What a caller calls a version is the same JSON in every process, or refused."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from resumelog.application.jsonable import jsonable
from resumelog.domain.errors import NotJson

TAGS = [f"标签{number}" for number in range(8)]


@dataclass
class Scene:
    """A dataclass as a caller has it."""

    tags: set[str] = field(default_factory=lambda: {*TAGS})


class Film(BaseModel):
    """A model as a caller has it."""

    tags: set[str] = {*TAGS}
    at: Path = Path("a")
    scenes: list[Scene] = [Scene()]


IN_A_PROCESS = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}
from test_jsonable import Film, Scene, jsonable
print(jsonable([Scene(), Film(), {{Scene: 1 for Scene in [frozenset(Scene().tags)]}}]))
"""


def test_sets_are_the_same_in_every_process_wherever_they_stand() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", IN_A_PROCESS],
            env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Scene(), {"tags": TAGS}),
        (Film(), {"tags": TAGS, "at": "a", "scenes": [{"tags": TAGS}]}),
        (deque([{"b", "a"}]), [["a", "b"]]),
        ({1: "x", None: "y"}, {"1": "x", "None": "y"}),
        ((Path("a"), 1.5, None), ["a", 1.5, None]),
    ],
)
def test_a_value_becomes_what_json_has(value: Any, plain: Any) -> None:
    assert jsonable(value) == plain


CIRCLE: dict[str, Any] = {"scenes": [{}]}
CIRCLE["scenes"][0]["of"] = CIRCLE


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"logo": b"\xff\xd8"}, r"the version\.logo can't"),
        ({"scenes": [{}, {"raw": bytearray(b"\xff")}]}, r"the version\.scenes\.1\.raw can't"),
        ({b"\xff": 1}, "the version.a key can't"),
        (CIRCLE, r"the version\.scenes\.0\.of can't .*in a circle"),
        ({"clip": object()}, r"the version\.clip can't"),
    ],
)
def test_what_json_does_not_have_is_named_by_its_key(value: Any, where: str) -> None:
    with pytest.raises(NotJson, match=where):
        jsonable(value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({1: "x", "1": "y"}, "rename one"),
        ([iter("a")], "give a list"),
        ({"closure": object()}, "leave it out"),
        ({object(): 1}, "leave it out"),
    ],
)
def test_what_can_not_be_told_apart_or_again_is_refused(value: Any, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        jsonable(value)
