"""Render a picture into a clip of two seconds: render.py PICTURE CLIP.mp4 in|out|left|right."""

from __future__ import annotations

import subprocess
import sys

from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]  # it has no types

FRAMES, FPS, SIZE = 48, 24, "640x360"
ZOOM, DONE = 0.08, f"on/{FRAMES}"
MIDDLE, EDGE = "(iw-iw/zoom)/2", "(iw-iw/zoom)"
CAMERA = {
    "in": (f"1+{ZOOM}*{DONE}", MIDDLE),
    "out": (f"{1 + ZOOM}-{ZOOM}*{DONE}", MIDDLE),
    "right": (f"{1 + ZOOM}", f"{EDGE}*{DONE}"),
    "left": (f"{1 + ZOOM}", f"{EDGE}*(1-{DONE})"),
}
"""How far the camera is in and where its left edge stands, over the frames."""


def render(picture: str, clip: str, move: str) -> int:
    """Run ffmpeg and return its exit code; the picture is enlarged so that slow moves are smooth."""
    zoom, x = CAMERA[move]
    camera = f"zoompan=z='{zoom}':x='{x}':y='{MIDDLE.replace('w', 'h')}'"
    pan = f"scale=3840:-1,{camera}:d={FRAMES}:s={SIZE}:fps={FPS},format=yuv420p"
    options = ["-v", "error", "-y", "-i", picture, "-vf", pan, "-c:v", "libx264", clip]
    return subprocess.run([get_ffmpeg_exe(), *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(render(*sys.argv[1:4]))
