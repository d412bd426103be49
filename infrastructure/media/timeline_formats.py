"""What each format for timelines can hold, measured by reading back what OpenTimelineIO wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from resumelog.infrastructure.media.errors import NotInFormat
from resumelog.infrastructure.media.film import Film

NTSC = tuple(Fraction(base * 1000, 1001) for base in (24, 30, 60))
FCPXML_RATES = (24, 25, 30, 50, 60)
EDL_RATES = (24, 25, 30, 48, 50, 60, *NTSC)
EDL_EVENTS_MAX = 999
EDL_HOURS_MAX = 24
REEL_CHARS_MAX = 8
UNKNOWN_REEL = "AX"

Fault = tuple[str, str]
"""What a format can't hold, and what to do about it."""


class Format(NamedTuple):
    """A format: its adapter of OpenTimelineIO, and what is wrong with a film that it can't hold."""

    name: str
    adapter: str
    faults: Callable[[Film], Iterator[Fault]]

    def require(self, film: Film, job: str) -> None:
        """Raise NotInFormat for the first fault."""
        for what, advice in self.faults(film):
            raise NotInFormat(job, format=self.name, what=what, advice=advice)


def _no_faults(film: Film) -> Iterator[Fault]:
    del film
    yield from ()


def _fcp7_faults(film: Film) -> Iterator[Fault]:
    """A rate is a whole number of frames and a flag for NTSC."""
    if film.fps.denominator != 1 and (film.fps * 1001 / 1000).denominator != 1:
        yield f"{film.fps} frames a second", "choose a whole rate, or one of NTSC"


def _fcpxml_faults(film: Film) -> Iterator[Fault]:
    """The adapter writes NTSC's rates as none, or off the frames; it looks names up by XPath."""
    if film.fps not in FCPXML_RATES:
        yield (
            f"{film.fps} frames a second",
            f"choose one of {FCPXML_RATES}, or export .xml or .otio",
        )
    for scene in film.scenes:
        if not scene.source:
            yield (
                f"the scene {scene.key} without a source",
                "name its media, or export .xml or .otio",
            )
        if "'" in scene.name:
            yield f"the apostrophe in the name {scene.name!r}", "write ’ instead, or export .xml"


def _edl_faults(film: Film) -> Iterator[Fault]:
    """An edit list has three digits for an event and timecodes below 24 hours."""
    if film.fps not in EDL_RATES:
        yield f"{film.fps} frames a second", "choose a rate that has a timecode, or export .otio"
    if len(film.scenes) > EDL_EVENTS_MAX:
        many = f"{len(film.scenes)} scenes, the limit is {EDL_EVENTS_MAX}"
        yield many, "split the version, or export .xml or .otio"
    for scene in film.scenes:
        last = max(scene.end, scene.source_at + scene.frames)
        if film.seconds(last) >= EDL_HOURS_MAX * 3600:
            yield f"the scene {scene.key} that ends after 24 hours", "split it, or export .otio"


FORMATS = {
    ".otio": Format("OpenTimelineIO", "otio_json", _no_faults),
    ".xml": Format("FCP7 XML", "fcp_xml", _fcp7_faults),
    ".fcpxml": Format("FCPXML", "fcpx_xml", _fcpxml_faults),
    ".edl": Format("an EDL", "cmx_3600", _edl_faults),
}


def media_name(url: str) -> str:
    """Return the file's name in a URL, as people read it."""
    return PurePosixPath(unquote(urlsplit(url).path)).name


def reels(film: Film) -> dict[str, str]:
    """Return the reel of each URL: the file's stem if that is one, else REEL and a number."""
    reels = {"": UNKNOWN_REEL}
    for url in (scene.url for scene in film.scenes):
        if url not in reels:
            stem = PurePosixPath(media_name(url)).stem.upper()
            fits = re.fullmatch(rf"[A-Z0-9]{{3,{REEL_CHARS_MAX}}}", stem)
            reels[url] = stem if fits and stem not in reels.values() else f"REEL{len(reels):04}"
    return reels
