"""Tests made from tables: a history, a command, and what it appends or how it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from support.canonical import NOW
from support.scenario import A, Command, given, refusal, when

from resumelog.domain.aggregate import Draft
from resumelog.domain.errors import Refused

History = tuple[Command[A], ...]
Test = Any


def appends(
    kind: type[A], table: Mapping[str, tuple[History[A], Command[A], Sequence[Draft]]]
) -> Test:
    """Return a test of what commands append, by a sentence for each."""

    @pytest.mark.parametrize(("past", "command", "drafts"), table.values(), ids=table)
    def test(past: History[A], command: Command[A], drafts: Sequence[Draft]) -> None:
        state = given(kind, *past)
        assert when(state, command) == state.new(NOW, *drafts)

    return test


def appends_nothing(kind: type[A], table: Mapping[str, tuple[History[A], Command[A]]]) -> Test:
    """Return a test of commands that have taken effect already, by a sentence for each."""

    @pytest.mark.parametrize(("past", "command"), table.values(), ids=table)
    def test(past: History[A], command: Command[A]) -> None:
        assert when(given(kind, *past), command) == ()

    return test


def refuses(
    kind: type[A],
    rows: Iterable[tuple[History[A], Command[A], type[Refused], dict[str, Any]]],
) -> Test:
    """Return a test of impossible commands, each refused by a named error with its data."""
    table = [*rows]
    ids = [f"{error.__name__} {data}" for *_, error, data in table]

    @pytest.mark.parametrize(("past", "command", "error", "data"), table, ids=ids)
    def test(
        past: History[A], command: Command[A], error: type[Refused], data: dict[str, Any]
    ) -> None:
        assert refusal(given(kind, *past), command) == (error, data)

    return test
