"""Whatever stands in a scene file: what is whole is read as it was written, and nothing is raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.scene_files import FOLDER, content, document, entry, read
from support.strategies import JSON_VALUES

from resumelog.domain.scene_match import scenes_to_import

STAGES = ("storyboard", "enhancement")
AFTER = {"storyboard": None, "enhancement": "storyboard"}


def small(stage: str) -> bytes:
    document_of = document(stage, *(entry(index, stage) for index in range(3)), total_scenes=30)
    return content(document_of)


@pytest.mark.parametrize("stage", STAGES)
def test_a_file_torn_at_any_byte_gives_its_first_whole_entries(stage: str) -> None:
    torn_at, whole = small(stage), read(small(stage), stage)
    counts = []
    for size in range(len(torn_at)):
        file = read(torn_at[:size], stage)
        assert file.entries == whole.entries[: len(file.entries)]
        assert file.context.items() <= whole.context.items()
        assert file.claimed.items() <= whole.claimed.items()
        assert file.recorded_at in (None, whole.recorded_at)
        assert file.doubts
        counts.append(len(file.entries))
    assert counts == sorted(counts)
    assert {*counts} == {0, 1, 2, 3}


@pytest.mark.parametrize("stage", STAGES)
def test_an_entry_is_read_from_its_last_byte_on(stage: str) -> None:
    torn = small(stage)
    text = torn.decode()
    end = len(text[: text.index("    }\n  ]") + len("    }")].encode())
    assert len(read(torn[: end - 1], stage).entries) == 2
    assert len(read(torn[:end], stage).entries) == 3


@given(st.binary())
def test_any_bytes_are_read_without_an_error(found: bytes) -> None:
    assert read(found).entries == ()


@given(st.integers(0, 5000), st.binary(max_size=8))
@example(923, b" ")  # in the name of total_scenes
def test_bytes_put_over_others_give_entries_or_doubts(at: int, altered: bytes) -> None:
    whole = small("storyboard")
    at %= len(whole)
    file = read(whole[:at] + altered + whole[at + len(altered) :])
    assert file.doubts  # total_scenes is wrong already, and a fault comes before that
    assert len(file.entries) <= 3


@given(st.lists(JSON_VALUES | st.builds(entry, st.integers(0, 5)), max_size=6), JSON_VALUES)
def test_any_json_is_matched_without_an_error(entries: list[object], other: object) -> None:
    text = json.dumps(
        {"storyboard_results": entries, "total_scenes": other, "timestamp": other}
    ).encode()
    file = read(text)
    (stage,) = scenes_to_import({"storyboard": file}, None, AFTER).values()
    known = {json.dumps(each.result) for each in file.entries}
    assert {json.dumps(result) for result in stage.results.values()} <= known
    assert len(stage.results) <= len({each.scene_index for each in file.entries})


def test_the_samples_are_what_the_old_scene_writer_left() -> None:
    for stage in STAGES:
        path = FOLDER / "project_9of12" / f"{stage}_progress.json"
        assert path.read_bytes() == content(json.loads(path.read_bytes()))
