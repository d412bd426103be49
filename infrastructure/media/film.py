"""A film: the scenes of a version in their exact places, in whole frames.

A scene begins where the one before it ended, or at its `start`; what lies between is black. Places are
rounded from exact sums to the nearest frame, a half to the even one, so that thousands of scenes don't
drift: of two scenes of 0.51 s at 24 frames a second, one has 12 frames and one 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from resumelog.domain.errors import DuplicateScene
from resumelog.infrastructure.media.errors import BadVersion
from resumelog.infrastructure.media.version import SceneFields, named, read_version


class Scene(NamedTuple):
    """A scene in its place: `at` frames from the film's beginning, `gap` frames of black before it.

    `source_at` is where it begins in its media, in frames of the film.
    """

    key: str
    name: str
    text: str
    source: str
    at: int
    frames: int
    gap: int
    source_at: int

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.at + self.frames

    @property
    def url(self) -> str:
        """The URL of its media; empty where it has none."""
        is_path = self.source and "://" not in self.source
        return Path(self.source).absolute().as_uri() if is_path else self.source

    @property
    def path(self) -> Path:
        """Where its media is, if that is a file."""
        is_url = self.source.startswith("file://")
        return Path(unquote(urlsplit(self.source).path) if is_url else self.source).absolute()


class Film(NamedTuple):
    """Scenes in order, none over another, at an exact rate."""

    title: str
    fps: Fraction
    scenes: tuple[Scene, ...]

    @property
    def frames(self) -> int:
        """How long it is."""
        return self.scenes[-1].end

    def seconds(self, frames: int) -> Fraction:
        """Return a time in seconds."""
        return frames / self.fps


def film_of(version: Mapping[str, Any], job: str = "") -> Film:
    """Return the film that a version describes. Raises BadVersion, DuplicateScene."""
    fields = read_version(version, job)
    scenes: list[Scene] = []
    end, exact_end = 0, Fraction(0)
    for key, scene in _keyed(fields.scenes, job).items():
        try:
            placed, exact_end = _placed(key, scene, fields.fps, end, exact_end)
        except ValueError as error:
            raise BadVersion(job, where=named(len(scenes), key), why=str(error)) from None
        scenes.append(placed)
        end = placed.end
    return Film(fields.title or "Untitled", fields.fps, tuple(scenes))


def _keyed(scenes: tuple[SceneFields, ...], job: str) -> dict[str, SceneFields]:
    keyed: dict[str, SceneFields] = {}
    for index, scene in enumerate(scenes):
        key = scene.id or str(index + 1)
        if key in keyed:
            raise DuplicateScene(job, scene=key, first=[*keyed].index(key), second=index)
        keyed[key] = scene
    return keyed


def _placed(
    key: str, fields: SceneFields, fps: Fraction, before: int, exact_before: Fraction
) -> tuple[Scene, Fraction]:
    """Return a scene in its place after what ends at `before`, and its exact end in frames."""
    length = fields.frames("duration", fps)
    if length is None:
        raise ValueError("it has no length; give its duration in seconds, or duration_frames")
    start, source_start = fields.frames("start", fps), fields.frames("source_start", fps)
    begin = exact_before if start is None else start
    if begin <= exact_before - 1:  # less than a frame is the rounding of whoever wrote it
        ends = f"the scene before it ends at frame {before}"
        raise ValueError(f"it starts at frame {round(begin)}, but {ends}; move one of them")
    at, end = max(round(begin), before), round(begin + length)
    if end <= at:
        raise ValueError("it is shorter than one frame; make it longer, or leave it out")
    placed = (at, end - at, at - before, round(source_start or 0))
    return Scene(key, fields.name or key, fields.text, fields.source, *placed), begin + length
