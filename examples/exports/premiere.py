"""Export a version for Premiere, with its subtitles: premiere.py [FOLDER].

Needs the extra "media". Import way-home.xml and way-home.srt in Premiere, Resolve or Final Cut Pro 7.
"""

from __future__ import annotations

import sys
from pathlib import Path

import opentimelineio  # type: ignore[import-untyped]  # it has no types
from story import make_version  # type: ignore[import-not-found]  # it stands beside this script

import resumelog


def main(folder: Path) -> None:
    """Export twice over the same log, and read the timeline back."""
    version = make_version(folder)
    with resumelog.open(folder / "jobs.db") as log:
        timeline = resumelog.OtioExporter().resume(log, version, folder / "way-home.xml")
        subtitles = resumelog.SrtExporter().resume(log, version, folder / "way-home.srt")
    read = opentimelineio.adapters.read_from_file(str(timeline))
    for clip in read.find_clips():
        at, length = clip.trimmed_range_in_parent().start_time, clip.duration()
        print(f"{at.to_timecode()}  {length.value:3.0f} frames  {clip.name}")
    print(f"{timeline.name} and {subtitles.name} are in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("out")).absolute())
