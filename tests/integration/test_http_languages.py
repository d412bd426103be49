"""Messages in the language that the client asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support.hosts import AT_ONCE, SIM, SmallHost
from support.http import ADAPTERS, Client, client_of

import resumelog
from resumelog.infrastructure.http.pilot_routes import PREFIX

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(params=ADAPTERS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with resumelog.open("memory:") as log:
        yield client_of(request.param, log.autopilot(SmallHost(), AT_ONCE))


@pytest.mark.parametrize("accepted", ["zh", "zh-CN,zh;q=0.9,en;q=0.8", "fr, zh-TW"])
def test_chinese_is_told_to_whoever_prefers_it(client: Client, accepted: str) -> None:
    body = {"simulation_id": SIM, "mode": "auto"}
    got = client("POST", f"{PREFIX}/config", body, accept_language=accepted)
    assert CHINESE.search(got.data["message"])
    refused = client("POST", f"{PREFIX}/pause", body, accept_language=accepted)
    assert refused.error_code == "not_active"
    told = [refused.document[name] for name in ("error", "message", "recovery_suggestion")]
    assert all(CHINESE.search(text) for text in told)
    assert {got.headers["content-language"], refused.headers["content-language"]} == {"zh"}


@pytest.mark.parametrize("accepted", ["", "en", "en-GB, zh;q=0.5", "fr", "*", ";;q=,"])
def test_english_is_told_to_everybody_else(client: Client, accepted: str) -> None:
    got = client("POST", f"{PREFIX}/pause", {"simulation_id": SIM}, accept_language=accepted)
    assert got.document["message"].isascii()
    assert got.headers["content-language"] == "en"
