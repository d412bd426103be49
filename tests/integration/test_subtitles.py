"""Subtitles are read by ffmpeg as they were meant, and go on where they stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.logs import names_of
from support.media import cues, exporter, ffmpeg, version

from resumelog import JobPaused, ResumeLog, SrtExporter
from resumelog.infrastructure.media.film import Film, Scene

TRAPS = ["a\n\n7\n\n00:00:01,000 --> 00:00:02,000\nb", "雪 🌧\n<i>x</i>", "7", "-->", "", "x\n7"]


def test_ffmpeg_reads_what_is_written(tmp_path: Path) -> None:
    trapped = {"fps": 24, "scenes": [{"duration": 1, "text": text} for text in TRAPS]}
    srt = Path(SrtExporter().export(trapped, tmp_path / "字幕.srt"))
    assert ffmpeg("-i", srt, "-f", "srt", "-") == srt.read_bytes()
    assert [cue.begin for cue in cues(srt)] == [0, 1, 2, 3, 5]


def test_only_scenes_with_text_have_a_cue(log: ResumeLog, media: Path, tmp_path: Path) -> None:
    srt = SrtExporter().resume(log, version(media), tmp_path / "字幕.srt")
    assert [cue.lines for cue in cues(srt)] == [["雪停了"], ["a --> b", "", "c"], ["归途"]]


class PausesAtRoad(SrtExporter):
    """Is asked to pause while it makes the second scene."""

    log: ResumeLog

    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        if scene.key == "road":
            self.log.exports.pause("subtitles", reason="午休", actor="小王")
        super().make(film, scene, piece)


@pytest.mark.parametrize("change", [{}, {"fps": 50}], ids=["the same version", "another rate"])
def test_a_paused_export_goes_on(
    log: ResumeLog, media: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    pausing, output = PausesAtRoad(), tmp_path / "字幕.srt"
    pausing.log = log
    with pytest.raises(JobPaused, match="小王: 午休"):
        pausing.resume(log, version(media), output, key="subtitles")
    assert not output.exists()
    SrtExporter().resume(log, version(media, **change), output, key="subtitles")
    expected = exporter(".srt").export(version(media, **change), tmp_path / "whole.srt")
    assert output.read_bytes() == Path(expected).read_bytes()
    assert ("Restarted" in names_of(log, "subtitles")) == bool(change)
