"""The plan of a batch: keys, order and fingerprints."""

from __future__ import annotations

from typing import Any

import pytest

from resumelog.domain.errors import BadKey, DuplicateScene, NotJson, TooLarge, TooManyScenes
from resumelog.domain.plan import Plan
from resumelog.domain.values import SCENES_MAX


def test_scenes_keep_their_order_and_their_content() -> None:
    plan = Plan([{"id": "b"}, {"id": "a"}])
    assert ([*plan], plan["a"], plan.index("a"), len(plan)) == (["b", "a"], {"id": "a"}, 1, 2)


@pytest.mark.parametrize(
    ("scene", "key"),
    [
        ({"id": "雨夜"}, "雨夜"),
        ({"key": "k"}, "k"),
        ({"id": "i", "key": "k"}, "i"),
        ({"id": None, "key": "k"}, "k"),
        ({"id": 0}, "0"),
        ({"id": "cafe\u0301"}, "caf\u00e9"),
    ],
)
def test_a_scene_is_known_by_its_own_key(scene: Any, key: str) -> None:
    assert [*Plan([scene])] == [key]


def test_a_scene_without_a_key_is_known_by_its_content_wherever_it_stands() -> None:
    (rain,) = Plan(["雨夜"])
    assert [*Plan(["雨夜", "晴天", "雨夜"])][::2] == [rain, f"{rain}.2"]
    assert [*Plan(["晴天", "雨夜"])][1] == rain
    assert len(rain) == 32


@pytest.mark.parametrize("key", ["", "x" * 513, "a\n", 1.5, True, ["a"]])
def test_a_scene_with_a_key_that_can_name_nothing_is_refused(key: Any) -> None:
    with pytest.raises(BadKey, match="the scene's id"):
        Plan([{"id": key}])


def test_two_scenes_with_one_key_are_refused() -> None:
    with pytest.raises(DuplicateScene) as refused:
        Plan([{"id": "a"}, {"id": 1}, {"id": "1"}])
    assert refused.value.data == {"scene": "1", "first": 1, "second": 2}


def test_more_than_a_million_scenes_are_refused() -> None:
    with pytest.raises(TooManyScenes) as refused:
        Plan([None] * (SCENES_MAX + 1))
    assert refused.value.data == {"count": 1_000_001, "limit": 1_000_000}


def test_a_million_scenes_are_looked_at() -> None:
    not_json: Any = object()
    with pytest.raises(NotJson):
        Plan([not_json] * SCENES_MAX)


def test_params_take_64_kib_at_most() -> None:
    with pytest.raises(TooLarge, match="the params"):
        Plan(["a"], params={"style": "x" * 65_536})


@pytest.mark.parametrize(
    "other",
    [
        Plan([{"id": "a", "text": "晴"}], {"style": "油画"}),
        Plan([{"id": "b", "text": "雨"}], {"style": "油画"}),
        Plan([{"id": "a", "text": "雨"}], {"style": "水墨"}),
        Plan([{"id": "a", "text": "雨"}, {"id": "b"}], {"style": "油画"}),
    ],
    ids=["content", "key", "params", "number"],
)
def test_plans_differ_by_every(other: Plan) -> None:
    plan = Plan([{"id": "a", "text": "雨"}], {"style": "油画"})
    assert plan.sha256 != other.sha256


def test_the_context_is_kept_and_makes_no_other_plan() -> None:
    plain, told = Plan([{"id": "a"}]), Plan([{"id": "a"}], context={"world": "江湖"})
    assert plain.sha256 == told.sha256
    assert told.payload.value() == {"scenes": ["a"], "context": {"world": "江湖"}}


def test_a_scene_is_another_one_with_other_content_params_or_earlier_results() -> None:
    plan = Plan([{"id": "a", "text": "雨"}], {"style": "油画"})
    prints = {
        plan.fingerprint("a"),
        plan.fingerprint("a", {"storyboard": "…"}),
        Plan([{"id": "a", "text": "晴"}], {"style": "油画"}).fingerprint("a"),
        Plan([{"id": "a", "text": "雨"}], {"style": "水墨"}).fingerprint("a"),
    }
    assert len(prints) == 4


def test_a_scene_stays_the_same_when_others_come_and_go() -> None:
    alone, among = Plan([{"id": "a"}]), Plan([{"id": "z"}, {"id": "a"}])
    assert alone.fingerprint("a") == among.fingerprint("a")
