"""A version becomes a film: every scene in its place, in whole frames; or it is refused by name."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from resumelog.domain.errors import DuplicateScene
from resumelog.infrastructure.media.errors import BadVersion
from resumelog.infrastructure.media.film import Film, film_of
from resumelog.infrastructure.media.version import misspelt


def film(*scenes: object, fps: object = 24, **fields: object) -> Film:
    return film_of({"fps": fps, "scenes": [*scenes], **fields}, "reel.xml")


def places(film: Film) -> list[tuple[int, int]]:
    return [(scene.at, scene.frames) for scene in film.scenes]


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        (24, "24"),
        (25.0, "25"),
        ("12.5", "25/2"),
        (23.976, "24000/1001"),
        (23.98, "24000/1001"),
        (29.97, "30000/1001"),
        ("30000/1001", "30000/1001"),
        (59.94, "60000/1001"),
    ],
)
def test_a_rate_is_exact(given: object, exact: str) -> None:
    assert film({"duration": 1}, fps=given).fps == Fraction(exact)


def test_scenes_follow_each_other() -> None:
    assert places(film({"duration": 1}, {"duration_frames": 7}, {"duration": "0.5"})) == [
        (0, 24),
        (24, 7),
        (31, 12),
    ]


def test_a_scene_stands_where_it_starts_and_black_before_it() -> None:
    cut = film({"duration": 1}, {"duration": 1, "start": 1.5}, {"duration": 1, "start_frames": 80})
    assert places(cut) == [(0, 24), (36, 24), (80, 24)]
    assert [scene.gap for scene in cut.scenes] == [0, 12, 20]


def test_what_is_less_than_a_frame_too_early_was_rounded() -> None:
    assert places(film({"duration": 0.54}, {"duration": 0.48, "start": 0.52})) == [
        (0, 13),
        (13, 11),
    ]


def test_thousands_of_scenes_do_not_drift() -> None:
    cut = film(*[{"duration": 0.51}] * 10_000)
    assert {scene.frames for scene in cut.scenes} == {12, 13}
    assert cut.frames == 51 * 24 * 100


def test_frames_count_where_seconds_are_given_too() -> None:
    assert places(film({"duration": 9.99, "duration_frames": 3})) == [(0, 3)]


def test_other_keys_are_left_alone() -> None:
    cut = film(
        {"key": 7, "duration": 1, "prompt": object()}, title="归途", _progress_callback=print
    )
    assert (cut.title, cut.scenes[0].key, cut.scenes[0].name) == ("归途", "7", "7")


def test_media_is_named_by_path_or_by_url(tmp_path: Path) -> None:
    path, names = tmp_path / "雪 #1's.mov", [("clip.mov", Path("clip.mov").absolute())]
    names += [(str(path), path), (path.as_uri(), path)]
    for source, found in names:
        scene = film({"duration": 1, "source": source}).scenes[0]
        assert (scene.path, scene.url) == (found, found.as_uri())
    elsewhere = film({"duration": 1, "source": "https://example.org/a%20b.mov"}).scenes[0]
    assert elsewhere.url == "https://example.org/a%20b.mov"


ONE: dict[str, Any] = {"id": "dawn", "duration": 1}


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ({}, "the version, fps: it is missing (frames a second"),
        ({"fps": 24}, "the version, scenes: it is missing (the scenes in order"),
        ({"fps": 24, "scenes": []}, "the version, scenes: it needs 1 or more (the scenes"),
        ({"fps": 24, "scenes": "x"}, "the version, scenes: it is no list"),
        ({"fps": 24, "scenes": ["x"]}, "scene index 0: it is no object with fields"),
        ({"fps": 0, "scenes": [ONE]}, "the version, fps: it must be from 1 to 240"),
        ({"fps": "x", "scenes": [ONE]}, "the version, fps: 'x' is no number"),
        ({"fps": True, "scenes": [ONE]}, "the version, fps: True is no number"),
        ({"fps": 24, "scenes": [ONE, {}]}, "scene index 1: it has no length; give its duration"),
        ({"fps": 24, "scenes": [ONE | {"duration": -1}]}, "scene index 0 (dawn), duration: it must be"),
        ({"fps": 24, "scenes": [ONE | {"duration": "1e9"}]}, "scene index 0 (dawn), duration: '1e9' is no"),
        (
            {"fps": 24, "scenes": [ONE | {"duration": float("nan")}]},
            "scene index 0 (dawn), duration: nan is no number (its length in seconds)",
        ),
        ({"fps": 24, "scenes": [ONE | {"duration": 0.01}]}, "scene index 0 (dawn): it is shorter than one"),
        ({"fps": 24, "scenes": [ONE | {"duration_frames": 1.5}]}, "scene index 0 (dawn), duration_frames: it is no"),
        ({"fps": 24, "scenes": [ONE | {"name": "a\nb"}]}, "scene index 0 (dawn), name: it must stand on one"),
        ({"fps": 24, "scenes": [ONE | {"text": "\x00"}]}, "scene index 0 (dawn), text: it has the control"),
        ({"fps": 24, "scenes": [ONE | {"text": "\ud800"}]}, "scene index 0 (dawn), text: it is no text in Unicode"),
        ({"fps": 24, "scenes": [ONE | {"source": 7.5}]}, "scene index 0 (dawn), source: it is no text"),
        ({"fps": 24, "scenes": [{"id": True, "duration": 1}]}, "scene index 0 (True), id: it is no text"),
        (
            {"fps": 24, "scenes": [ONE, {"id": "road", "duration": 1, "start": 0.5}]},
            "scene index 1 (road): it starts at frame 12, but the scene before it ends at frame 24",
        ),
    ],
)  # fmt: skip
def test_a_bad_version_is_refused_by_scene_and_field(version: dict[str, Any], told: str) -> None:
    with pytest.raises(BadVersion) as refused:
        film_of(version, "reel.xml")
    assert str(refused.value).startswith(f"reel.xml: {told}")


def test_two_scenes_of_one_id_are_refused() -> None:
    with pytest.raises(
        DuplicateScene, match="scene index 0 and scene index 2 both have the key 'a'"
    ):
        film({"id": "a", "duration": 1}, {"duration": 1}, {"key": "a", "duration": 1})


def test_a_key_that_is_nearly_a_field_is_told_once_where_the_scene_lacks_that() -> None:
    scenes = [
        {"id": "dawn", "duraton": 2, "prompt": "x"},
        {"duraton": 2},
        {"duraton": 1, "duration": 1},
    ]
    assert [*misspelt({"fps": 24, "scenes": scenes})] == [
        "scene index 0 (dawn): 'duraton' is left alone; is 'duration' meant?"
    ]
    assert not [*misspelt({"fps": 24, "scenes": scenes[2:]})]
    assert not [*misspelt({"fps": 24, "scenes": [{"starts": [1], "start": 2, "end": 3}]})]


def test_a_time_is_rounded_to_the_nearest_frame_a_half_to_the_even_one() -> None:
    assert places(film({"duration": 2.5}, {"duration": 2.5}, fps=25)) == [(0, 62), (62, 63)]
    assert places(film({"duration": 2.5}, fps=24)) == [(0, 60)]
