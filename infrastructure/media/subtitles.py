"""Subtitles: a cue for each scene that has text, as SubRip (.srt)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pydantic import JsonValue

from resumelog.infrastructure.media.film import Film, Scene
from resumelog.infrastructure.media.scene_exporter import SceneExporter

INVISIBLE = "\u200b"
"""Stands in an empty line, which would end the cue, and in an arrow, which would begin another."""


class SrtExporter(SceneExporter):
    """Writes a version's texts as SubRip in UTF-8: scenes without text have no cue."""

    name = "srt"
    suffixes = (".srt",)
    piece_suffix = ".srt"

    def facts(self, film: Film, scene: Scene) -> JsonValue:
        """Return the cue without its number, which depends on the scenes before."""
        return _cue(film, scene)

    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        """Write the cue without its number."""
        piece.write_text(_cue(film, scene), encoding="utf-8", newline="")

    def join(self, film: Film, pieces: Sequence[Path], output: Path) -> None:
        """Number the cues from 1."""
        del film
        number = 0
        with output.open("w", encoding="utf-8", newline="") as file:
            for piece in pieces:
                if cue := piece.read_text(encoding="utf-8"):
                    number += 1
                    file.write(f"{number}\n{cue}\n\n")


def _cue(film: Film, scene: Scene) -> str:
    text = _shown(scene.text)
    begin, end = (film.seconds(frame) for frame in (scene.at, scene.end))
    return f"{timestamp(begin)} --> {timestamp(end)}\n{text}" if text else ""


def _shown(text: str) -> str:
    """Keep blank lines and arrows from being read as what they mean in the format."""
    lines = (line.rstrip() or INVISIBLE for line in text.strip().splitlines())
    return "\n".join(lines).replace("-->", f"--{INVISIBLE}>")


def timestamp(seconds: Fraction) -> str:
    """Return hours:minutes:seconds,milliseconds; hours have two digits or more."""
    minutes, thousandths = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{thousandths // 1000:02},{thousandths % 1000:03}"
