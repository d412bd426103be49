"""A version of six scenes, as a video tool has it, and media for it that ffmpeg makes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]  # it has no types

SCENES = {
    "dawn": ("gradients=c0=#203060:c1=#ffd0a0:s=320x180:r=25:d=1.2", "雪停了"),
    "road": ("testsrc2=s=320x180:r=25:d=1.2", "路还很长"),
    "wood": ("mandelbrot=s=320x180:r=25,trim=duration=1.2", ""),
    "rain": ("life=s=320x180:r=25:mold=10:ratio=0.1,trim=duration=1.2", "下雨了 🌧"),
    "town": ("smptebars=s=320x180:r=25:d=1.2", "到了"),
    "home": ("gradients=c0=#401020:c1=#ffd0a0:s=320x180:r=25:d=1.2", "归途"),
}
"""Each scene's pictures, as ffmpeg's own sources describe them, and its text."""


def make_version(folder: Path) -> dict[str, Any]:
    """Make the media that is missing, and return the version."""
    media = folder / "media"
    media.mkdir(parents=True, exist_ok=True)
    scenes = []
    for number, (name, (pictures, text)) in enumerate(SCENES.items()):
        clip = media / f"{name}.mp4"
        if not clip.exists():
            make_clip(clip, pictures, 220 + 55 * number)
        scenes.append({"id": name, "source": str(clip), "duration": 1.0, "text": text})
    return {"title": "The way home", "fps": 25, "scenes": scenes}


def make_clip(clip: Path, pictures: str, hertz: int) -> None:
    """Let ffmpeg make a clip with a tone."""
    partial = clip.with_name(f".{clip.name}")
    inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", f"sine={hertz}:d=1.2"]
    command = [get_ffmpeg_exe(), "-v", "error", "-y", *inputs, "-shortest", str(partial)]
    subprocess.run(command, check=True)
    partial.replace(clip)
