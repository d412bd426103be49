"""What ffmpeg is told: how a scene becomes a segment that can be joined to any other.

All segments have the same picture size, rate, colours and encoder, as many frames as the scene and the
black before it, and as many samples of sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from resumelog.infrastructure.media.film import Film, Scene

STILLS = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
SAMPLES_PER_SECOND = 48_000
SEEK_EARLY_S = Fraction(1, 1000)
"""Media may keep times in milliseconds: a frame must not be missed because it was rounded down."""
HELD_FRAMES = 2
"""So long the last frame may stand: rounding asks for a frame more than there is."""
SCALED_COLOURS = "out_color_matrix=bt709:out_range=tv"
COLOURS = "range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
SAME_BYTES = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact")
"""No versions and dates in the file: the same scene makes the same segment."""
SILENCE = ("-f", "lavfi", "-i", f"anullsrc=r={SAMPLES_PER_SECOND}:cl=stereo")

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
Even = Annotated[int, Field(ge=16, le=8192, multiple_of=2)]


class Picture(BaseModel):
    """How a film is encoded: its size in pixels, x264's constant quality and its preset."""

    model_config = ConfigDict(frozen=True)

    size: tuple[Even, Even]
    crf: int = Field(ge=0, le=51)
    preset: Preset

    def encoder(self) -> list[str]:
        """Return the options of a segment: H.264, and sound as it is."""
        x264 = ["-c:v", "libx264", "-preset", self.preset, "-crf", str(self.crf)]
        return [*x264, "-c:a", "pcm_s16le", *SAME_BYTES]

    def filters(self, film: Film, scene: Scene) -> list[str]:
        """Return what makes pictures and sound of the right shape, rate and length."""
        width, height = self.size
        frames, rate = scene.gap + scene.frames, SAMPLES_PER_SECOND
        samples, late = (round(film.seconds(count) * rate) for count in (frames, scene.gap))
        fit = f"force_original_aspect_ratio=decrease:{SCALED_COLOURS}"
        pictures = (
            f"fps={film.fps}:start_time=0",
            f"scale={width}:{height}:{fit},pad={width}:{height}:-1:-1,setsar=1",
            f"format=yuv420p,setparams={COLOURS}",
            f"tpad=start={scene.gap}:color=black:stop={HELD_FRAMES}:stop_mode=clone",
            f"trim=end_frame={frames}",
        )
        sounds = (
            f"aresample={rate}:async=1:first_pts=0",
            "aformat=sample_fmts=s16:channel_layouts=stereo",
            f"adelay={late}S:all=1,apad,atrim=end_sample={samples}",
        )
        return ["-vf", ",".join(pictures), "-af", ",".join(sounds)]


def is_still(scene: Scene) -> bool:
    """Tell whether a scene's media is one picture."""
    return scene.path.suffix.lower() in STILLS


def media_input(film: Film, scene: Scene) -> list[str]:
    """Return how a scene's media is read, from where the scene begins in it."""
    if is_still(scene):
        as_is = ["-f", "image2", "-pattern_type", "none"]  # a % in the name is a %
        options = [*as_is, "-loop", "1", "-framerate", str(film.fps)]
    else:
        seek = max(Fraction(0), film.seconds(scene.source_at) - SEEK_EARLY_S)
        options = ["-ss", _decimal(seek)]
    return [*options, "-i", str(scene.path)]


def streams(*, silent: bool) -> list[str]:
    """Return which pictures and which sound are taken after the media's input."""
    sound = [*SILENCE, "-map", "1:a:0"] if silent else ["-map", "0:a:0"]
    return [*sound, "-map", "0:v:0"]


def listed(film: Film, segments: Iterable[Path]) -> Iterator[str]:
    """Iterate over the lines of a list for ffmpeg's concat, in the folder of the segments.

    Lengths are differences of exact places: what is rounded never adds up.
    """
    yield "ffconcat version 1.0"
    begin = 0
    for segment, scene in zip(segments, film.scenes, strict=True):
        end = round(film.seconds(scene.end) * 1_000_000)
        yield f"file {segment.name}"
        yield f"duration {_decimal(Fraction(end - begin, 1_000_000))}"
        begin = end


def joining(title: str) -> list[str]:
    """Return the options of the film: pictures as they are, sound encoded in one piece."""
    codecs = ["-map", "0:v:0", "-map", "0:a:0", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k"]
    return [*codecs, *SAME_BYTES, "-metadata", f"title={title}", "-movflags", "+faststart"]


def _decimal(seconds: Fraction) -> str:
    return f"{float(seconds):.6f}"
