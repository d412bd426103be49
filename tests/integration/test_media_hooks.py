"""What make_resumable asks of an exporter for media: what it is made from, and to tidy up at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.media import SIZE, exporter, version

from resumelog import FfmpegExporter, ResumeLog, make_resumable
from resumelog.application.ports import PARTIAL_MARK
from resumelog.infrastructure.media.errors import BadVersion, MissingSource, SourceIsOutput

each_suffix = pytest.mark.parametrize("suffix", [".mp4", ".srt", ".otio"])


@each_suffix
def test_pieces_stay_until_the_job_is_completed(media: Path, tmp_path: Path, suffix: str) -> None:
    partial, output = tmp_path / f".reel{PARTIAL_MARK}0123abcd{suffix}", tmp_path / f"reel{suffix}"
    exporter(suffix).export(version(media), partial)
    partial.rename(output)
    pieces = tmp_path / f".reel{suffix}.pieces"
    assert len([*pieces.glob(f"*{exporter(suffix).piece_suffix}")]) == 4
    exporter(suffix).finished(str(output))
    exporter(suffix).finished(output)
    assert [*tmp_path.iterdir()] == [output]


def test_without_a_log_pieces_are_removed_once_the_output_is_in_its_place(
    media: Path, tmp_path: Path
) -> None:
    output = tmp_path / "reel.srt"
    exporter(".srt").export(version(media), output)
    assert [*tmp_path.iterdir()] == [output]


@each_suffix
def test_the_same_version_has_the_same_inputs(media: Path, suffix: str) -> None:
    told = exporter(suffix).inputs(version(media))
    assert told == exporter(suffix).inputs(version(media, _progress_callback=print))
    assert told != exporter(suffix).inputs(version(media, fps=50))


@pytest.mark.parametrize("options", [{"size": (80, 36)}, {"crf": 30}, {"preset": "superfast"}])
def test_another_option_is_another_input(media: Path, options: dict[str, Any]) -> None:
    told = exporter(".mp4").inputs(version(media))
    changed = FfmpegExporter(**{"size": SIZE, "preset": "ultrafast", **options})
    assert changed.inputs(version(media)) != told


def test_media_that_was_replaced_is_another_input(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.write_bytes(b"red")
    named = {"fps": 25, "scenes": [{"source": str(clip), "duration": 1}]}
    told = exporter(".mp4").inputs(named)
    at = clip.stat().st_mtime
    clip.write_bytes(b"blu")
    os.utime(clip, (at + 1, at + 1))
    assert exporter(".mp4").inputs(named) != told
    clip.unlink()
    with pytest.raises(MissingSource):
        exporter(".mp4").inputs(named)


def test_a_version_that_says_nothing_is_refused() -> None:
    with pytest.raises(BadVersion):
        exporter(".srt").inputs({"scenes": []})


LONG = "长" * 75
"""Of two names that begin so a temporary one has room for no difference."""


def test_outputs_with_long_names_have_pieces_of_their_own(log: ResumeLog, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stops(done: float) -> None:
        if done == 0.5:
            raise Stopped

    named = {"fps": 25, "scenes": [{"text": text, "duration": 1} for text in "ab"]}
    outputs = [tmp_path / f"{LONG}{last}.srt" for last in "甲乙"]
    making = make_resumable(exporter(".srt"), log=log)
    for output in outputs:
        with pytest.raises(Stopped):
            making.export({**named, "title": output.name}, str(output), stops)
    folders = [*tmp_path.glob(".*.pieces")]
    assert [len([*each.iterdir()]) for each in folders] == [1, 1]
    for output in outputs:
        making.export({**named, "title": output.name}, str(output))
    assert not [*tmp_path.glob(".*.pieces")]


@pytest.mark.parametrize("chars", [80, 83])
def test_an_output_with_a_name_as_long_as_can_be_is_made(tmp_path: Path, chars: int) -> None:
    output = tmp_path / f"{'长' * chars}.srt"
    exporter(".srt").export({"fps": 25, "scenes": [{"text": "a", "duration": 1}]}, output)
    assert [*tmp_path.iterdir()] == [output]


def test_a_source_with_a_long_name_is_not_overwritten_either(tmp_path: Path) -> None:
    media, partial = tmp_path / f"{LONG}甲.mp4", tmp_path / f".cut{PARTIAL_MARK}0123abcd.mp4"
    media.write_bytes(b"hours of work")
    named = {"fps": 25, "scenes": [{"source": str(media), "duration": 1}]}
    with pytest.raises(SourceIsOutput):
        exporter(".mp4").export({**named, "_final_path": str(media)}, partial)
