"""Versions to export, media made by ffmpeg itself, and what stands in what was exported."""

from __future__ import annotations

import re
import subprocess
from array import array
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from resumelog import FfmpegExporter, OtioExporter, SrtExporter
from resumelog.infrastructure.media.ffmpeg import Ffmpeg
from resumelog.infrastructure.media.scene_exporter import SceneExporter
from resumelog.infrastructure.media.subtitles import INVISIBLE

SIZE = (64, 36)
COLOURS = {
    "red": (255, 0, 0),
    "lime": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "black": (0, 0, 0),
}
SOURCES = {
    "red.mp4": ("color=red:s=64x36:r=25:d=2", "sine=440:d=2"),
    "lime.mp4": ("color=lime:s=48x48:r=30000/1001:d=2", ""),
    "blue %03d.png": ("color=blue:s=100x60", ""),
    "100% yellow's.mov": ("color=yellow:s=64x36:r=24:d=2", "sine=880:d=1"),
}
"""Pictures and sound: of other rates and shapes, without sound, a still, a name that needs quoting."""


def ffmpeg(*arguments: object) -> bytes:
    """Run ffmpeg and return what it wrote to standard output; errors are none of it."""
    command = [Ffmpeg().path, "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def make_sources(folder: Path) -> Path:
    """Make all media below a folder."""
    folder.mkdir(exist_ok=True)
    for name, (picture, sound) in SOURCES.items():
        inputs = [word for each in (picture, sound) if each for word in ("-f", "lavfi", "-i", each)]
        length = ["-frames:v", 1, "-update", 1] if name.endswith(".png") else []
        made = folder / f"made{Path(name).suffix}"
        ffmpeg(*inputs, *length, made)
        made.rename(folder / name)
    return folder


def version(media: Path, **fields: Any) -> dict[str, Any]:
    """Return a version of four scenes, 7, 9, 5 and 8 frames long, with 4 frames of black in it."""
    scenes = [
        {"id": "dawn", "name": "黎明", "source": "red.mp4", "duration": 0.28, "text": "雪停了"},
        {"id": "road", "source": "lime.mp4", "source_start": 0.4, "duration_frames": 9},
        {"id": "sign", "source": "blue %03d.png", "duration": 0.2, "subtitle": "a --> b\n\nc"},
        {
            "id": "home",
            "source": "100% yellow's.mov",
            "source_start": 0.6,
            "start": 1.0,
            "duration": 0.32,
            "text": "归途",
        },
    ]
    for scene in scenes:
        scene["source"] = str(media / str(scene["source"]))
    return {"title": "归途", "fps": 25, "scenes": scenes, **fields}


FILM = [("red", 7), ("lime", 9), ("blue", 5), ("black", 4), ("yellow", 8)]
"""What is to be seen of it."""


def exporter(suffix: str) -> SceneExporter:
    """Return what exports to such a file."""
    if suffix == ".mp4":
        return FfmpegExporter(size=SIZE, preset="ultrafast")
    return SrtExporter() if suffix == ".srt" else OtioExporter()


def seen(film: Path) -> list[tuple[str, int]]:
    """Decode a film; return its colours in order, each with how many frames it stands."""
    rgb = ffmpeg("-i", film, "-map", "0:v", "-vf", "scale=1:1:in_color_matrix=bt709,format=rgb24",
                 "-fps_mode", "passthrough", "-f", "rawvideo", "-")  # fmt: skip
    names = [nearest(*rgb[at : at + 3]) for at in range(0, len(rgb), 3)]
    return [(name, len([*frames])) for name, frames in groupby(names)]


def nearest(*pixel: int) -> str:
    """Return the colour that a pixel is meant to be."""
    return min(COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(pixel, COLOURS[name])))  # noqa: B905 - three each


def times(film: Path) -> list[Fraction]:
    """Return when each frame is shown, in seconds."""
    table = ffmpeg("-i", film, "-map", "0:v", "-f", "framecrc", "-").decode().splitlines()
    (base,) = (Fraction(line.split()[-1]) for line in table if line.startswith("#tb 0:"))
    return [int(line.split(",")[2]) * base for line in table if line[0] != "#"]


def stream(film: Path) -> str:
    """Return what ffmpeg says of the pictures in a file."""
    command = [Ffmpeg().path, "-hide_banner", "-i", str(film)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return next(line for line in told.splitlines() if "Video:" in line)


def samples(film: Path) -> array[int]:
    """Decode the sound; return the samples of the first channel."""
    return array(
        "h", ffmpeg("-i", film, "-map", "0:a", "-af", "pan=mono|c0=c0", "-f", "s16le", "-")
    )


class Cue(NamedTuple):
    """A subtitle: seconds and lines."""

    begin: Fraction
    end: Fraction
    lines: list[str]


_TIME = r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3})"


def seconds(stamp: str) -> Fraction:
    """Read a time code."""
    found = re.fullmatch(_TIME, stamp)
    assert found, stamp
    hours, minutes, whole, thousandths = map(int, found.groups())
    return hours * 3600 + minutes * 60 + whole + Fraction(thousandths, 1000)


def cues(srt: Path) -> list[Cue]:
    """Read subtitles as the format is defined: blocks between blank lines, numbered from 1."""
    blocks = srt.read_bytes().decode().split("\n\n")
    assert blocks.pop() == ""
    read = []
    for number, block in enumerate(blocks, 1):
        first, span, *lines = block.split("\n")
        assert first == str(number)
        begin, arrow, end = span.partition(" --> ")
        assert arrow
        assert not any("-->" in line for line in lines)
        shown = [line.replace(INVISIBLE, "") for line in lines]
        read.append(Cue(seconds(begin), seconds(end), shown))
    return read
