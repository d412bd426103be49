"""Old entries matched to scenes: taken where all agree, told where anything does not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue
from support.scene_files import enhanced, progress, said, scene, script

from resumelog.domain.plan import Plan
from resumelog.domain.scene_match import scenes_to_import
from resumelog.domain.scene_progress import ImportedScenes, SceneEntry, SceneText

AFTER = {"storyboard": None, "enhancement": "storyboard"}
SCENES: list[JsonValue] = [scene(index) for index in range(4)]
MERGED = "### 场景1：渡口\n…\n### 场景2：车站\n…"


def found(
    *entries: SceneEntry, plan: Any = None, trust_index: bool = False, **fields: Any
) -> ImportedScenes:
    file = progress(*entries, **fields)
    stages = scenes_to_import({"storyboard": file}, plan, AFTER, trust_index=trust_index)
    return stages["storyboard"]


def indexes(stage: ImportedScenes, scenes: list[JsonValue] = SCENES) -> list[int]:
    """Return which of the scenes got a result, which must be theirs."""
    plan = Plan(scenes)
    taken = [plan.index(key) for key in stage.results]
    assert [*stage.results.values()] == [script(index) for index in taken]
    return taken


def test_without_a_plan_the_entries_say_what_the_scenes_are() -> None:
    stage = found(said(0), said(1))
    assert [*stage.plan.values()] == SCENES[:2]
    assert (indexes(stage), stage.holes, stage.duplicates, stage.doubts) == ([0, 1], (), (), ())


def test_the_keys_are_those_that_a_worker_gets_for_the_same_scenes() -> None:
    assert [*found(said(0), said(1)).results] == [*Plan(SCENES[:2])]


def test_the_order_of_the_entries_does_not_count() -> None:
    assert [*found(said(1), said(0)).plan.values()] == SCENES[:2]


def test_with_a_plan_what_it_has_more_remains_to_be_done() -> None:
    stage = found(said(0), said(1), plan=SCENES)
    assert (len(stage.plan), indexes(stage), stage.doubts) == (4, [0, 1], ())


def test_a_hole_is_told_and_what_stands_around_it_is_taken() -> None:
    stage = found(said(0), said(3))
    assert (indexes(stage), stage.holes) == ([0, 3], (1, 2))
    assert stage.doubts == ("the content of scenes 1, 2 is not known; --plan tells",)
    assert found(said(0), said(3), plan=SCENES).doubts == ()


def test_a_hole_that_another_stage_knows_is_none_of_the_plan() -> None:
    files = {
        "storyboard": progress(said(0), said(2)),
        "enhancement": progress(said(1, enhanced(1))),
    }
    storyboard, enhancement = scenes_to_import(files, None, AFTER).values()
    assert [*storyboard.plan.values()] == [*enhancement.plan.values()] == SCENES[:3]
    assert (indexes(storyboard), storyboard.holes) == ([0, 2], (1,))
    assert [*enhancement.results.values()] == [enhanced(1)]
    assert (storyboard.after, enhancement.after) == (None, "storyboard")


def test_an_index_twice_with_one_result_is_taken_once() -> None:
    stage = found(said(0), said(1), said(1))
    assert (indexes(stage), stage.duplicates, stage.doubts) == ([0, 1], (1,), ())


def test_an_index_twice_with_two_results_is_not_taken() -> None:
    stage = found(said(0), said(1), said(1, "another"), trust_index=True)
    assert (indexes(stage), stage.duplicates) == ([0], (1,))
    assert stage.doubts == ("scene 1: 2 entries have different results; none is taken",)


def test_an_index_twice_for_two_scenes_is_taken_where_the_plan_tells_which() -> None:
    entries = (said(0), said(1, "another's", scene(7)), said(1))
    stage = found(*entries)
    assert indexes(stage) == [0]
    assert "scene 1: an entry is not taken: what its scene is is not known" in stage.doubts
    assert indexes(found(*entries, plan=SCENES)) == [0, 1]


def test_another_selection_does_not_get_the_old_results() -> None:
    stage = found(said(0), said(1), said(2), plan=[scene(0), scene(2), scene(1)])
    assert indexes(stage) == [0]
    what = "an entry is not taken: it says something else of its scene than the plan"
    assert stage.doubts == (f"scene 1: {what}", f"scene 2: {what}")


@pytest.mark.parametrize("own", [{"id": "s0"}, {"id": True}, {"key": "a\nb"}])
def test_an_entry_whose_scene_can_have_no_key_of_its_own_is_not_taken(own: Any) -> None:
    scenes: list[JsonValue] = [{"id": "s0", **scene(0)}, scene(2)]
    entries = (said(0, info=scenes[0]), said(1, info={**scene(1), **own}), said(2))
    stage = found(*entries)
    assert [*stage.results] == [*Plan(scenes)]
    assert "scene 1: an entry is not taken: what its scene is is not known" in stage.doubts


def test_with_trust_the_index_decides_and_every_such_entry_is_told() -> None:
    stage = found(said(0), said(1, info="渡口"), plan=SCENES, trust_index=True)
    assert indexes(stage) == [0, 1]
    assert stage.doubts[0].startswith("scene 1: an entry is taken all the same, by its index: ")


def test_an_entry_beyond_the_plan_is_not_taken() -> None:
    stage = found(said(0), said(3), plan=SCENES[:2], trust_index=True)
    assert indexes(stage) == [0]
    assert stage.doubts == ("scene 3: an entry is not taken: the plan has 2 scenes",)


@pytest.mark.parametrize("info", [None, "", "  ", {}, [], 0])
@pytest.mark.parametrize("plan", [None, SCENES])
def test_an_entry_that_says_nothing_of_its_scene_is_not_taken(info: Any, plan: Any) -> None:
    stage = found(said(0), said(1, info=info), plan=plan)
    assert indexes(stage) == [0]
    assert len(stage.doubts) >= 1


@pytest.mark.parametrize(
    ("info", "planned"),
    [
        (scene(0), {"id": "s1", **scene(0)}),
        (scene(0)["full_content"], scene(0)),
        (scene(0), scene(0)["full_content"]),
        ("渡口", "渡口"),
    ],
)
def test_an_entry_agrees_with_a_plan_that_says_the_same(info: Any, planned: Any) -> None:
    assert indexes(found(said(0, info=info), plan=[planned]), [planned]) == [0]


@pytest.mark.parametrize(
    ("info", "planned"),
    [
        ({"id": "s1", **scene(0)}, scene(0)),
        ("第1场", scene(0)),
        ({"scene_name": "第1场"}, {"scene_name": "第2场"}),
        ({"a": None}, {}),
        (None, None),
        ("", {"full_content": ""}),
    ],
)
def test_an_entry_does_not_agree_with_a_plan_that_says_less_or_other(
    info: Any, planned: Any
) -> None:
    assert indexes(found(said(0, info=info), plan=[planned]), [planned]) == []


@pytest.mark.parametrize(
    "merged",
    [
        said(0, info=[scene(0), scene(1)]),
        said(0, info=MERGED),
        said(0, info={"full_content": MERGED}),
        said(0, MERGED),
        said(
            0,
            enhanced(0, enhanced_details=[{"scene": "## 场景1：渡口"}, {"scene": "## 场景2：站"}]),
        ),
        said(0, "# Scene 1\n# Scene 2"),
    ],
)
@pytest.mark.parametrize("trust_index", [False, True])
def test_an_entry_that_stands_for_many_scenes_is_not_scene_0(
    merged: SceneEntry, trust_index: bool
) -> None:
    for plan in (None, SCENES):
        stage = found(merged, said(1), plan=plan, trust_index=trust_index)
        assert indexes(stage) == [1]
        assert any("it stands for many scenes that were merged" in doubt for doubt in stage.doubts)


def test_an_enhancement_of_another_storyboard_is_not_taken() -> None:
    files = {
        "storyboard": progress(said(0), said(1)),
        "enhancement": progress(
            said(0, enhanced(0)), said(1, enhanced(1, original_description="an older script"))
        ),
    }
    enhancement = scenes_to_import(files, None, AFTER)["enhancement"]
    assert [*enhancement.results.values()] == [enhanced(0)]
    (doubt,) = enhancement.doubts
    assert "scene 1: an entry is not taken: it was made from another storyboard" in doubt


def test_a_text_is_compared_and_never_taken() -> None:
    texts = tuple(
        SceneText(scene_index=index, name="渡口", script=text)
        for index, text in ((0, script(0)), (1, script(1)[:9]), (2, script(2)))
    )
    stage = found(said(0), said(1), plan=SCENES, texts=texts)
    assert indexes(stage) == [0, 1]
    assert stage.doubts == (
        "scene 1: its text differs from its entry; the entry is taken",
        "scene 2: its text is there, but no entry of it was taken",
    )


def test_the_doubts_stand_in_the_record_up_to_a_bound() -> None:
    stage = found(said(0), doubts=tuple(f"doubt {number}" for number in range(99)))
    assert len(stage.doubts) == 99
    assert stage.recorded == {"doubts": [f"doubt {number}" for number in range(50)]}
