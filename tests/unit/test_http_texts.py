"""The tables of texts and of errors: whole, and the same in both languages."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest

from resumelog.application import errors as application
from resumelog.domain import errors as domain
from resumelog.domain.errors import ResumelogError
from resumelog.infrastructure.http import errors as http
from resumelog.infrastructure.http.problems import (
    CODES_OF_FIELDS,
    INTERNAL,
    PROBLEMS,
    body_of,
    problem_of,
)
from resumelog.infrastructure.http.texts import MESSAGES, TROUBLES, Language, Text, language_of

STATUSES = {kind: problem.status for kind, problem in PROBLEMS}
TEXTS = {
    **MESSAGES,
    **{f"{code}: what": trouble.message for code, trouble in TROUBLES.items()},
    **{f"{code}: next": trouble.recovery for code, trouble in TROUBLES.items()},
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_fills_in_the_same_facts_in_both_languages(name: str) -> None:
    facts = [{field for _, field, _, _ in Formatter().parse(each) if field} for each in TEXTS[name]]
    assert facts[0] == facts[1]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_in_the_language_that_it_is_said_to_be(name: str) -> None:
    text: Text = TEXTS[name]
    assert text.en.isascii()
    assert re.search("[\u4e00-\u9fff]", text.zh) or name == "method_not_allowed: next"


def test_every_error_has_its_words_and_every_words_their_error() -> None:
    codes = {problem.error_code for _, problem in PROBLEMS} | {*CODES_OF_FIELDS.values()}
    assert codes | {INTERNAL.error_code} == {*TROUBLES}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_error_of_a_request_can_be_told(language: Language) -> None:
    facts: dict[str, Any] = {
        "what": "",
        "extra": "",
        "given": "",
        "field": "x",
        "host": "",
        "allowed": "GET",
        "limit": 1,
        "limit_s": 1.5,
    }
    for kind in vars(http).values():
        if isinstance(kind, type) and issubclass(kind, ResumelogError) and kind.text:
            assert body_of(kind(**facts), language)["status_code"] == STATUSES.get(kind, 500)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (domain.BadKey(what="", key="", why=""), 400, "bad_simulation_id"),
        (domain.LeaseLost(epoch=1, current=2), 503, "busy"),
        (domain.TooLarge(what="", size=1, limit=1), 400, "refused"),
        (domain.BrokenStream(before=1, after=3), 500, "log_damaged"),
        (application.ClosedLog(), 503, "log_unavailable"),
        (application.Contended(attempts=3), 503, "busy"),
        (application.DamagedView(why="/secret"), 500, "log_damaged"),
        (application.CommandFailed(why="/secret"), 500, "internal"),
        (KeyError("secret"), 500, "internal"),
    ],
)
def test_an_error_is_told_by_its_kind(error: Exception, status: int, code: str) -> None:
    assert problem_of(error) == (status, code)
    assert "secret" not in str(body_of(error, "en"))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("ZH-hans", "zh"),
        ("zh;q=0", "en"),
        ("en;q=0.4, zh;q=0.6", "zh"),
        ("zh, en", "en"),
        ("zhx", "en"),
        ("zh;q=nonsense", "en"),
        ("zh;q=nan", "en"),
        (",,;", "en"),
    ],
)
def test_a_header_chooses_the_language(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
