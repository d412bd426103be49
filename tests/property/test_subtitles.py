"""Subtitles that were written are read back: every text, at its time, as one cue."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.media import cues, seconds

from resumelog import SrtExporter
from resumelog.infrastructure.media.film import film_of
from resumelog.infrastructure.media.subtitles import INVISIBLE, timestamp

TRAPS = [
    "-->",
    "\n\n",
    "\r\n",
    "00:00:01,000 --> 00:00:02,000",
    "7",
    "\u2028",
    "雪停了",
    "<i>",
    "--->",
    " ",
]
LETTERS = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Z")), max_size=5
)
TEXTS = st.lists(st.sampled_from(TRAPS) | LETTERS, max_size=6).map("".join)
RATES = st.sampled_from([1, 12.5, 23.976, 24, 25, 29.97, 60, 240])
LENGTHS = st.floats(1, 400_000).map(lambda length: round(length, 3))
SCENES = st.lists(st.tuples(TEXTS, LENGTHS), min_size=1, max_size=6)


def exported(version: dict[str, Any]) -> list[Any]:
    with TemporaryDirectory() as folder:
        return cues(Path(SrtExporter().export(version, Path(folder, "字幕.srt"))))


def shown(text: str) -> list[str]:
    """What is to be seen of a text: spaces at the ends of lines are not, nor is what is invisible."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return [line.replace(INVISIBLE, "") for line in lines]


@given(SCENES, RATES)
def test_every_text_comes_back_as_one_cue_at_its_time(
    scenes: list[tuple[str, float]], fps: float
) -> None:
    version = {"fps": fps, "scenes": [{"text": text, "duration": s} for text, s in scenes]}
    film = film_of(version)
    expected = [scene for scene in film.scenes if scene.text.strip()]
    found = exported(version)
    assert [cue.lines for cue in found] == [shown(scene.text) for scene in expected]
    for cue, scene in zip(found, expected, strict=True):
        assert abs(cue.begin - film.seconds(scene.at)) <= Fraction(1, 2000)
        assert abs(cue.end - film.seconds(scene.end)) <= Fraction(1, 2000)


@given(st.fractions(0, 10**7))
def test_a_time_code_is_the_nearest_thousandth(time: Fraction) -> None:
    assert abs(seconds(timestamp(time)) - time) <= Fraction(1, 2000)


def test_hours_may_have_three_digits() -> None:
    assert timestamp(Fraction(360_000)) == "100:00:00,000"
    assert timestamp(Fraction(3599_9995, 10_000)) == "01:00:00,000"


@given(st.lists(LENGTHS, min_size=1, max_size=50), RATES)
def test_a_film_is_as_long_as_its_scenes_together(lengths: list[float], fps: float) -> None:
    film = film_of({"fps": fps, "scenes": [{"duration": length} for length in lengths]})
    exact = sum(Fraction(str(length)) for length in lengths) * film.fps
    assert abs(film.frames - exact) <= Fraction(1, 2)
    assert film.frames == sum(scene.frames for scene in film.scenes)
