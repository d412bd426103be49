"""Films rendered by ffmpeg: a segment for each scene, and all segments joined at the end.

Segments hold H.264 and uncompressed sound. Joining copies the pictures; only the sound is encoded then,
in one piece, since AAC can't be cut at a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from pydantic import JsonValue, ValidationError

from resumelog.infrastructure.media.encoding import (
    Picture,
    Preset,
    is_still,
    joining,
    listed,
    media_input,
    streams,
)
from resumelog.infrastructure.media.errors import BadOption, FfmpegFailed, MissingSource
from resumelog.infrastructure.media.ffmpeg import Ffmpeg
from resumelog.infrastructure.media.film import Film, Scene
from resumelog.infrastructure.media.scene_exporter import SceneExporter
from resumelog.infrastructure.media.wording import in_words


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
            raise _bad_option(error) from None
        self._path = ffmpeg

    @cached_property
    def ffmpeg(self) -> Ffmpeg:
        """The ffmpeg that renders."""
        return Ffmpeg(self._path)

    def require(self, film: Film, job: str) -> None:
        """Refuse scenes whose media is not there."""
        for scene in film.scenes:
            _require_media(scene, job)

    def facts(self, film: Film, scene: Scene) -> JsonValue:
        """Return what ffmpeg is told, and which file it reads."""
        _require_media(scene)
        stat = scene.path.stat()
        read: list[JsonValue] = [*media_input(film, scene), stat.st_size, stat.st_mtime_ns]
        return [self.ffmpeg.version, *read, *self._written(film, scene)]

    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        """Render the black before a scene, and the scene."""
        silent = is_still(scene) or not self.ffmpeg.has_audio(scene.path)
        taken = [*media_input(film, scene), *streams(silent=silent)]
        what, wanted = f"scene {scene.key}", scene.gap + scene.frames
        frames = self.ffmpeg.run([*taken, *self._written(film, scene), str(piece)], what)
        if frames != wanted:
            why = f"{scene.path} gave {frames} of {wanted} frames; make the scene shorter"
            raise FfmpegFailed(what=what, why=why)

    def join(self, film: Film, pieces: Sequence[Path], output: Path) -> None:
        """Copy the pictures of all segments and encode the sound."""
        names = pieces[0].with_name("pieces.ffconcat")
        names.write_text("\n".join(listed(film, pieces)))
        what = "joining the scenes"
        read = ["-f", "concat", "-i", str(names)]
        frames = self.ffmpeg.run([*read, *joining(film.title), str(output)], what)
        if frames != film.frames:
            why = f"the film has {frames} frames, its scenes {film.frames}"
            raise FfmpegFailed(what=what, why=why)

    def _written(self, film: Film, scene: Scene) -> list[str]:
        return [*self.picture.filters(film, scene), *self.picture.encoder()]


def _bad_option(error: ValidationError) -> BadOption:
    found = error.errors(include_url=False, include_input=False)[0]
    name, *place = found["loc"]
    side = {"0": "the width in ", "1": "the height in "}.get("".join(map(str, place)), "")
    return BadOption(why=f"{side}{name}: {in_words(found)}")


def _require_media(scene: Scene, job: str = "") -> None:
    if not scene.source:
        raise MissingSource(job, scene=scene.key, why="it names no source")
    if not scene.path.is_file():
        raise MissingSource(job, scene=scene.key, why=f"there is no file {scene.path}")
