"""Twelve scenes become twelve pictures, twelve clips and one film: reel.py FOLDER.

Kill it whenever you like and start it again: what is recorded is skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]  # it has no types

import resumelog

HERE = Path(__file__).resolve().parent
STORY = HERE / "story.jsonl"
RESUMELOG = Path(sysconfig.get_path("scripts"), "resumelog")
FADES = "fade=in:0:8,fade=out:40:8"


def noted(stage: str, scene: str) -> list[str]:
    """Return the beginning of a command that is to stand in the diary."""
    return [sys.executable, str(HERE / "noted.py"), "made.jsonl", stage, scene]


def run_stage(stage: str, artifact: str, script: str, *arguments: str) -> None:
    """Let `resumelog run` make one file for each scene that has none on record."""
    what = ["run", str(STORY), "--project", "reel", "--stage", stage, "--artifact", artifact]
    command = [*noted(stage, "{id}"), sys.executable, str(HERE / script), *arguments]
    subprocess.run([RESUMELOG, *what, "--db", "jobs.db", "--", *command], check=True)


def ffmpeg(*arguments: str) -> list[str]:
    """Return an ffmpeg command that says nothing but errors."""
    return [get_ffmpeg_exe(), "-v", "error", "-y", *arguments]


def fade(scene: str, clip: Path, faded: Path) -> None:
    """Let a clip fade in and out; the file is whole and on disk when this returns."""
    faded.parent.mkdir(exist_ok=True)
    partial = faded.with_name(f".{faded.name}")
    options = ["-i", str(clip), "-vf", FADES, "-c:v", "libx264", "-f", "mp4"]
    subprocess.run([*noted("film", scene), *ffmpeg(*options, str(partial))], check=True)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(faded)


def concatenate(parts: list[Path], film: Path) -> None:
    """Join the parts as they are."""
    listed = parts[0].with_name("parts.txt")
    listed.write_text("".join(f"file {part.name}\n" for part in parts), encoding="utf-8")
    options = ["-f", "concat", "-i", str(listed), "-c", "copy", "-movflags", "+faststart"]
    subprocess.run(ffmpeg(*options, str(film)), check=True)


def export_film(scenes: list[str]) -> None:
    """Export the film: one unit is one clip that fades, and at the end all are joined."""
    clips = [Path("clips", f"{scene}.mp4") for scene in scenes]
    parts = [Path("faded", f"{scene}.mp4") for scene in scenes]
    hashes = [hashlib.sha256(clip.read_bytes()).hexdigest() for clip in clips]
    with (
        resumelog.open("jobs.db") as log,
        log.exports.resume("reel.mp4", key="reel.mp4", inputs=[*hashes], exporter=FADES) as job,
    ):
        for unit in job.remaining(len(clips)):
            fade(scenes[unit], clips[unit], parts[unit])
            job.save_progress(units_done=unit + 1)
            print(f"[{unit + 1}/{len(clips)}] faded   {scenes[unit]}", file=sys.stderr)
        if not job.is_completed:
            with job.output() as film:
                concatenate(parts, film)


def main(folder: str) -> int:
    """Do what remains; return the exit code of what failed."""
    os.chdir(folder)
    lines = STORY.read_text(encoding="utf-8").splitlines()
    try:
        run_stage("image", "images/{id}.png", "draw.py", "{line}", "{artifact}")
        run_stage("video", "clips/{id}.mp4", "render.py", "images/{id}.png", "{artifact}", "{move}")
        export_film([json.loads(line)["id"] for line in lines])
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
