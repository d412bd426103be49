"""Timelines for editing programs, written by OpenTimelineIO and its adapters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from resumelog.infrastructure.media.errors import NoExtra
from resumelog.infrastructure.media.film import Film, Scene
from resumelog.infrastructure.media.scene_exporter import SceneExporter
from resumelog.infrastructure.media.timeline_formats import FORMATS, media_name, reels


class OtioExporter(SceneExporter):
    """Writes a version as a timeline with one video track; the output's suffix says in which format.

    `.otio` is OpenTimelineIO's own and keeps each scene's id and text as metadata, which the others
    lose: `.xml` is Final Cut Pro 7's, which Premiere and Resolve read, `.fcpxml` that of Final Cut
    Pro X, `.edl` CMX 3600. What a format can't hold is refused with NotInFormat. Media is named and
    not read: it may be missing.
    """

    name = "otio"
    suffixes = tuple(FORMATS)
    piece_suffix = ".otio"

    def require(self, film: Film, job: str) -> None:
        """Refuse what the format can't hold, and a format whose adapter is not installed."""
        chosen = FORMATS[Path(job).suffix.lower()]
        if chosen.adapter not in _otio().adapters.available_adapter_names():
            raise NoExtra(job, what=f"the adapter {chosen.adapter} of OpenTimelineIO")
        chosen.require(film, job)

    def facts(self, film: Film, scene: Scene) -> JsonValue:
        """Return what the clip says; its place follows from those before it."""
        return [str(film.fps), *scene._replace(at=0), scene.url]

    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        """Write the clip, after the gap before it."""
        otio = _otio()
        items = [_clip(otio, film, scene)]
        if scene.gap:
            items.insert(0, otio.schema.Gap(source_range=_range(otio, film, 0, scene.gap)))
        otio.schema.SerializableCollection(children=items).to_json_file(str(piece))

    def join(self, film: Film, pieces: Sequence[Path], output: Path) -> None:
        """Put all clips on one track and write the timeline."""
        otio, rate = _otio(), float(film.fps)
        timeline = otio.schema.Timeline(
            film.title, global_start_time=otio.opentime.RationalTime(0, rate)
        )
        track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
        timeline.tracks.append(track)
        for piece in pieces:
            track.extend(otio.adapters.read_from_file(str(piece), "otio_json"))
        _tell_media(otio, film, track)
        chosen = FORMATS[output.suffix.lower()]
        otio.adapters.write_to_file(timeline, str(output), chosen.adapter)


def _clip(otio: Any, film: Film, scene: Scene) -> Any:
    media = otio.schema.MissingReference()
    if scene.url:
        media = otio.schema.ExternalReference(target_url=scene.url)
        media.name = media_name(scene.url)
    return otio.schema.Clip(
        scene.name,
        media_reference=media,
        source_range=_range(otio, film, scene.source_at, scene.frames),
        metadata={"resumelog": {"id": scene.key, "text": scene.text}},
    )


def _range(otio: Any, film: Film, start: int, frames: int) -> Any:
    """Whole frames at the film's rate are exact: nothing is ever added up in seconds."""
    times = (otio.opentime.RationalTime(count, float(film.fps)) for count in (start, frames))
    return otio.opentime.TimeRange(*times)


def _tell_media(otio: Any, film: Film, track: Any) -> None:
    """Say of all media how much of it there is at least, and on which reel."""
    used: dict[str, int] = {}
    for scene in film.scenes:
        used[scene.url] = max(used.get(scene.url, 0), scene.source_at + scene.frames)
    named = reels(film)
    for scene, clip in zip(film.scenes, track.find_clips(), strict=True):
        clip.metadata["cmx_3600"] = {"reel": named[scene.url]}
        if scene.url:
            clip.media_reference.available_range = _range(otio, film, 0, used[scene.url])


def _otio() -> Any:
    try:
        import opentimelineio  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise NoExtra(what="OpenTimelineIO") from error
    return opentimelineio
