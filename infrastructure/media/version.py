"""A version, as video tools write it: its fields, and what is refused by scene and field.

    {"title": "归途", "fps": 24, "scenes": [{"id": "dawn", "source": "dawn.mov", "duration": 2.5}]}

Times are seconds, or whole frames where the key ends in `_frames`. A scene begins and ends at the frame
nearest to its exact times, a half being rounded to the even one: 2.5 s are 60 frames at 24 a second, and
62 or 63 at 25. Keys that are not named here are left alone; one that is nearly a name is warned of.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fractions import Fraction
from math import isfinite
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
)

from resumelog.domain.values import KEY_CHARS_MAX, SCENES_MAX, TEXT_CHARS_MAX
from resumelog.infrastructure.media.errors import BadVersion
from resumelog.infrastructure.media.wording import in_words

FPS_MAX = 240
SECONDS_MAX = 10_000_000
NUMBER = re.compile(r"\d{1,9}(?:[./]\d{1,9})?")
NTSC_BASES = (24, 30, 48, 60, 120)
ALIKE = 0.85
"""So much of a key must be that of a field to be taken for a slip."""
NTSC_ROUNDING = Fraction(1, 200)
"""How far 23.98 or 29.97 may be from the exact 24000/1001 or 30000/1001."""


def _exact(value: object) -> Fraction:
    """Take a number as it is written: 0.1 is a tenth, not the nearest binary number."""
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return Fraction(value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, float) and isfinite(value):
        return Fraction(str(float(value)))
    raise ValueError(f"{value!r} is no number")


def _fps(value: object) -> Fraction:
    fps = _exact(value)
    if not 1 <= fps <= FPS_MAX:
        raise ValueError(f"it must be from 1 to {FPS_MAX}")
    exact = (Fraction(base * 1000, 1001) for base in NTSC_BASES)
    return next((rate for rate in exact if abs(rate - fps) < NTSC_ROUNDING), fps)


def _seconds(value: object) -> Fraction | None:
    if value is None:
        return None
    seconds = _exact(value)
    if not 0 <= seconds <= SECONDS_MAX:
        raise ValueError(f"it must be from 0 to {SECONDS_MAX} seconds")
    return seconds


def _as_text(value: object) -> object:
    """Let paths and whole numbers stand for their text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _printable(text: str) -> str:
    """Refuse what breaks lists and markup: XML has no place for it."""
    for char in text:
        is_control = unicodedata.category(char) == "Cc" and char not in "\n\r\t"
        if is_control or char in "\ufffe\uffff":
            raise ValueError(f"it has the control character {char!r}")
    return text


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1 or "\t" in text:
        raise ValueError("it must stand on one line, without tabs")
    return text


Fps = Annotated[Fraction, PlainValidator(_fps)]
Seconds = Annotated[Fraction | None, PlainValidator(_seconds)]
Frames = Annotated[int | None, Field(strict=True, ge=0, le=SECONDS_MAX * FPS_MAX)]
Text = Annotated[str, StringConstraints(max_length=TEXT_CHARS_MAX), AfterValidator(_printable)]
Line = Annotated[
    str,
    StringConstraints(max_length=KEY_CHARS_MAX, strip_whitespace=True),
    BeforeValidator(_as_text),
    AfterValidator(_printable),
    AfterValidator(_one_line),
]


class _Fields(BaseModel):
    """Keys that are not named here are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, loc_by_alias=False)


class SceneFields(_Fields):
    """One scene of a version. Where seconds and frames are both given, the frames count."""

    id: Line = Field(
        "",
        validation_alias=AliasChoices("id", "key"),
        description="text or a whole number, unlike any other scene's; by default its place",
    )
    name: Line = Field("", description="what people call it, on one line; by default its id")
    text: Text = Field(
        "", validation_alias=AliasChoices("subtitle", "text"), description="its subtitle"
    )
    source: Line = Field("", description="the path or URL of its media")
    duration: Seconds = Field(None, description="its length in seconds")
    duration_frames: Frames = Field(None, description="its length in whole frames")
    start: Seconds = Field(None, description="its place in the film, in seconds")
    start_frames: Frames = Field(None, description="its place in the film, in whole frames")
    source_start: Seconds = Field(None, description="where it begins in its media, in seconds")
    source_start_frames: Frames = Field(
        None, description="where it begins in its media, in whole frames of the film"
    )

    def frames(self, what: str, fps: Fraction) -> Fraction | None:
        """Return a time in exact frames; None where it is not given."""
        whole, seconds = getattr(self, f"{what}_frames"), getattr(self, what)
        if whole is not None:
            return Fraction(whole)
        return None if seconds is None else seconds * fps


class VersionFields(_Fields):
    """A version: what all exporters for media take. Its times are not yet rounded to frames."""

    title: Line = Field(
        "Untitled",
        validation_alias=AliasChoices("title", "name"),
        description="the film's name, on one line",
    )
    fps: Fps = Field(description="frames a second, as 24, 23.976 or '24000/1001'")
    scenes: tuple[SceneFields, ...] = Field(
        min_length=1, max_length=SCENES_MAX, description="the scenes in order, one or more"
    )


_FIELD_NAMES = {
    "id", "key", "name", "text", "subtitle", "source",
    *(f"{what}{end}" for what in ("duration", "start", "source_start") for end in ("", "_frames")),
}  # fmt: skip


def read_version(version: Mapping[str, Any], job: str = "") -> VersionFields:
    """Return the version's fields. Raises BadVersion, naming `job`."""
    try:
        return VersionFields.model_validate(dict(version))
    except ValidationError as error:
        raise _bad_version(version, error, job) from None


def misspelt(version: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over the keys that are nearly a field which their scene lacks, each once, as a sentence."""
    known = set(_FIELD_NAMES)
    for index, scene in enumerate(version["scenes"]):
        for key in scene.keys() - known if isinstance(scene, Mapping) else ():
            known.add(key)
            for meant in get_close_matches(str(key), _FIELD_NAMES - scene.keys(), 1, ALIKE):
                where = named(index, _raw_key(version, index))
                yield f"{where}: {key!r} is left alone; is {meant!r} meant?"


def named(index: int, key: str) -> str:
    """Return a scene as people find it: by its index, from 0, and the key it was given."""
    return f"scene index {index}" + (f" ({key})" if key not in ("", str(index + 1)) else "")


def _bad_version(version: Mapping[str, Any], error: ValidationError, job: str) -> BadVersion:
    """Name the first fault: which scene, which field, and what belongs there."""
    found = error.errors(include_url=False, include_input=False)
    place, what = found[0]["loc"], in_words(found[0])
    fields: type[BaseModel] = VersionFields
    where = "the version"
    if len(place) > 1 and isinstance(index := place[1], int):
        where, place, fields = named(index, _raw_key(version, index)), place[2:], SceneFields
    field = fields.model_fields.get(str(place[0])) if place else None
    if field:
        where, what = f"{where}, {place[0]}", f"{what} ({field.description})"
    more = f"; {len(found) - 1} more like this" if len(found) > 1 else ""
    return BadVersion(job, where=where, why=what + more)


def _raw_key(version: Mapping[str, Any], index: int) -> str:
    scenes = version["scenes"]
    scene = scenes[index] if isinstance(scenes, list | tuple) else None
    return str(scene.get("id") or scene.get("key") or "") if isinstance(scene, Mapping) else ""
