"""Films rendered by ffmpeg: a segment for each scene, and all segments joined without loss.

Each segment has as many frames as its scene and the black before it, in H.264, and as many samples of
sound, uncompressed. All have the same picture size, rate, colours and encoder, so joining copies the
pictures; only the sound is encoded then, in one piece, since AAC can't be cut at a frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from resumelog.domain.values import validation_text
from resumelog.infrastructure.media.errors import BadOption, FfmpegFailed, MissingSource
from resumelog.infrastructure.media.ffmpeg import Ffmpeg
from resumelog.infrastructure.media.film import Film, Scene
from resumelog.infrastructure.media.scene_exporter import SceneExporter

STILLS = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
SAMPLES_PER_SECOND = 48_000
SEEK_EARLY_S = Fraction(1, 1000)
"""Media may keep times in milliseconds: a frame must not be missed because it was rounded down."""
SCALED_COLOURS = "out_color_matrix=bt709:out_range=tv"
COLOURS = "range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
SAME_BYTES = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact")
"""No versions and dates in the file: the same scene makes the same segment."""

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


class FfmpegExporter(SceneExporter):
    """Renders the scenes' media into one film in H.264 and AAC: `.mp4` or `.mov`.

    Media of another shape gets black bars, media of another rate is converted, pictures stand for as
    long as their scene, and where there is no sound there is silence. `size` is in pixels, both even;
    `crf` is x264's quality, 0 (lossless) to 51; `ffmpeg` the path of one. Raises BadOption.
    """

    name = "ffmpeg"
    suffixes = (".mp4", ".mov")
    piece_suffix = ".mov"
    durable_pieces = True

    def __init__(
        self,
        *,
        size: tuple[int, int] = (1280, 720),
        crf: int = 20,
        preset: Preset = "medium",
        ffmpeg: str | Path | None = None,
    ) -> None:
        """Take the options; ffmpeg is looked for when it is first needed."""
        try:
            self.picture = Picture(size=size, crf=crf, preset=preset)
        except ValidationError as error:
            raise BadOption(why=validation_text(error)) from None
        self._path = ffmpeg

    @cached_property
    def ffmpeg(self) -> Ffmpeg:
        """The ffmpeg that renders."""
        return Ffmpeg(self._path)

    def require(self, film: Film, job: str) -> None:
        """Refuse scenes whose media is not there."""
        for scene in film.scenes:
            if not scene.source:
                raise MissingSource(job, scene=scene.key, why="it names no source")
            if not scene.path.is_file():
                raise MissingSource(job, scene=scene.key, why=f"there is no file {scene.path}")

    def facts(self, film: Film, scene: Scene) -> JsonValue:
        """Return what ffmpeg is told, and which file it reads."""
        stat = scene.path.stat()
        told = [
            self.ffmpeg.version,
            *_input(film, scene),
            *self._filters(film, scene),
            *self._encoder,
        ]
        return [*told, stat.st_size, stat.st_mtime_ns]

    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        """Render the black before a scene, and the scene."""
        silent = _is_still(scene) or not self.ffmpeg.has_audio(scene.path)
        silence = ["-f", "lavfi", "-i", f"anullsrc=r={SAMPLES_PER_SECOND}:cl=stereo"]
        sound = (
            [*silence, "-map", "0:v:0", "-map", "1:a:0"]
            if silent
            else ["-map", "0:v:0", "-map", "0:a:0"]
        )
        pictures, sounds = self._filters(film, scene)
        arguments = [*_input(film, scene), *sound, "-vf", pictures, "-af", sounds, *self._encoder]
        wanted = scene.gap + scene.frames
        what = f"scene {scene.key}"
        frames = self.ffmpeg.run([*arguments, str(piece)], what)
        if frames != wanted:
            why = f"{scene.path} gave {frames} of {wanted} frames; make the scene shorter"
            raise FfmpegFailed(what=what, why=why)

    def join(self, film: Film, pieces: Sequence[Path], output: Path) -> None:
        """Copy the pictures of all segments and encode the sound."""
        listed = pieces[0].with_name("pieces.ffconcat")
        listed.write_text("\n".join(("ffconcat version 1.0", *_listed(film, pieces))))
        streams = ["-map", "0:v:0", "-map", "0:a:0", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k"]
        named = ["-metadata", f"title={film.title}", "-movflags", "+faststart"]
        arguments = ["-f", "concat", "-i", str(listed), *streams, *SAME_BYTES, *named, str(output)]
        frames = self.ffmpeg.run(arguments, "joining the scenes")
        if frames != film.frames:
            why = f"the film has {frames} frames, its scenes {film.frames}"
            raise FfmpegFailed(what="joining the scenes", why=why)

    @property
    def _encoder(self) -> list[str]:
        x264 = ["-c:v", "libx264", "-preset", self.picture.preset, "-crf", str(self.picture.crf)]
        return [*x264, "-c:a", "pcm_s16le", *SAME_BYTES]

    def _filters(self, film: Film, scene: Scene) -> tuple[str, str]:
        """Return what makes pictures and sound exactly as long as the scene and the black before it."""
        width, height = self.picture.size
        frames, rate = scene.gap + scene.frames, SAMPLES_PER_SECOND
        samples, late = (round(film.seconds(count) * rate) for count in (frames, scene.gap))
        pictures = (
            f"fps={film.fps}:start_time=0",
            f"scale={width}:{height}:force_original_aspect_ratio=decrease:{SCALED_COLOURS}",
            f"pad={width}:{height}:-1:-1,setsar=1,format=yuv420p,setparams={COLOURS}",
            f"tpad=start={scene.gap}:color=black,trim=end_frame={frames}",
        )
        sounds = (
            f"aresample={rate}:async=1:first_pts=0",
            "aformat=sample_fmts=s16:channel_layouts=stereo",
            f"adelay={late}S:all=1,apad,atrim=end_sample={samples}",
        )
        return ",".join(pictures), ",".join(sounds)


def _is_still(scene: Scene) -> bool:
    return scene.path.suffix.lower() in STILLS


def _input(film: Film, scene: Scene) -> list[str]:
    if _is_still(scene):
        as_is = ["-f", "image2", "-pattern_type", "none"]  # a % in the name is a %
        options = [*as_is, "-loop", "1", "-framerate", str(film.fps)]
    else:
        seek = max(Fraction(0), film.seconds(scene.source_at) - SEEK_EARLY_S)
        options = ["-ss", _decimal(seek)]
    return [*options, "-i", str(scene.path)]


def _listed(film: Film, pieces: Iterable[Path]) -> Iterable[str]:
    """Say how long each piece is, as differences of exact places: what is rounded never adds up."""
    places = [0, *(round(film.seconds(scene.end) * 1_000_000) for scene in film.scenes)]
    for piece, begin, end in zip(pieces, places, places[1:], strict=False):
        yield f"file {piece.name}\nduration {_decimal(Fraction(end - begin, 1_000_000))}"


def _decimal(seconds: Fraction) -> str:
    return f"{round(seconds * 1_000_000) / 1_000_000:.6f}"
