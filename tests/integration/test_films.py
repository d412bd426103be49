"""Films that ffmpeg rendered are decoded: every scene once, in order, with each of its frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from support.logs import names_of
from support.media import FILM, SIZE, exporter, ffmpeg, samples, seen, stream, times, version

import resumelog
from resumelog import FfmpegExporter, ResumeLog
from resumelog.infrastructure.media.errors import BadOption, FfmpegFailed, MissingSource
from resumelog.infrastructure.media.film import Film, Scene

SILENT = 40
"""Below this a sample of sixteen bits is no sound: the encoder leaves some."""


@pytest.fixture(scope="module")
def film(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of four scenes."""
    output = tmp_path_factory.mktemp("film") / "成片🎬.mp4"
    return Path(exporter(".mp4").export(version(media), output))


def test_every_scene_is_seen_once_in_its_place(film: Path) -> None:
    assert seen(film) == FILM


def test_no_frame_is_early_or_late(film: Path) -> None:
    assert times(film) == [Fraction(frame, 25) for frame in range(33)]


def test_colours_are_told(film: Path) -> None:
    assert "h264" in stream(film)
    assert "yuv420p(tv, bt709, progressive)" in stream(film)


def test_sound_belongs_to_its_scene_and_the_rest_is_silent(film: Path) -> None:
    heard = samples(film)
    assert len(heard) == 33 * 48_000 // 25
    loud = [
        max(map(abs, heard[frame * 1920 : frame * 1920 + 1920])) > SILENT for frame in range(33)
    ]
    # red has sound, yellow has some until its second ends; the encoder smears into a frame nearby
    assert all(loud[:7])
    assert not any(loud[8:24])
    assert all(loud[25:33])


def test_nothing_else_is_left(film: Path) -> None:
    assert [*film.parent.iterdir()] == [film]


@pytest.mark.parametrize("fps", ["24", "24000/1001", "30000/1001", "60"])
def test_other_rates_are_exact_too(media: Path, tmp_path: Path, fps: str) -> None:
    film = Path(exporter(".mp4").export(version(media, fps=fps), tmp_path / "film.mov"))
    frames = times(film)
    assert frames == [frame / Fraction(fps) for frame in range(len(frames))]
    assert [name for name, _ in seen(film)] == [name for name, _ in FILM]
    assert abs(len(samples(film)) - len(frames) * 48_000 / Fraction(fps)) < 2


def test_the_same_version_makes_the_same_bytes(film: Path, media: Path, tmp_path: Path) -> None:
    again = Path(exporter(".mp4").export(version(media), tmp_path / "film.mp4"))
    assert again.read_bytes() == film.read_bytes()


def test_rounding_may_ask_for_a_frame_more_than_there_is(tmp_path: Path) -> None:
    short = tmp_path / "short.mov"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x36:r=100:d=0.51", short)
    scenes = [{"source": str(short), "duration": 0.51} for _ in range(5)]
    film = exporter(".mp4").export({"fps": 24, "scenes": scenes}, tmp_path / "film.mp4")
    assert len(times(Path(film))) == round(5 * 0.51 * 24)


# Going on


def interrupted_after(scenes: int, media: Path, output: Path) -> list[float]:
    """Leave by an exception of the callback once some scenes are done."""
    told: list[float] = []

    def report(fraction: float) -> None:
        told.append(fraction)
        if len(told) == scenes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporter(".mp4").export(version(media, _progress_callback=report), output)
    return told


@pytest.mark.parametrize("scenes", [1, 3])
def test_without_a_log_it_goes_on_too(film: Path, media: Path, tmp_path: Path, scenes: int) -> None:
    output = tmp_path / "film.mp4"
    told = interrupted_after(scenes, media, output)
    assert not output.exists()
    resume = {"progress": told[-1], "output_path": str(output), "timestamp": 0.0}
    handed = version(media, _progress_callback=told.append, _resume_info=resume)
    assert exporter(".mp4").export(handed, str(output)) == str(output)
    assert told == [0.25, 0.5, 0.75, 1.0]
    assert output.read_bytes() == film.read_bytes()


def test_made_resumable_it_goes_on_too(
    log: ResumeLog, film: Path, media: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output, told = tmp_path / "film.mp4", list[float]()

    def leaves_at_half(fraction: float) -> None:
        told.append(fraction)
        if fraction == 0.5:
            raise KeyboardInterrupt

    resumable = resumelog.make_resumable(exporter(".mp4"), log=log)
    with pytest.raises(KeyboardInterrupt):
        resumable.export(version(media), output, leaves_at_half)
    caplog.set_level("INFO", "resumelog")
    assert resumable.export(version(media), output, told.append) == str(output)
    assert (told, made(caplog)) == ([0.25, 0.5, 0.75, 1.0], ["sign", "home"])
    assert output.read_bytes() == film.read_bytes()
    assert "Restarted" not in names_of(log, str(output))
    assert {path.suffix for path in tmp_path.iterdir() if "film" in path.name} == {".mp4"}


def made(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the scenes that were made, as the log for people tells."""
    told = [record.message.split() for record in caplog.records]
    return [words[-2] for words in told if words[-1] == "made"]


def test_a_changed_scene_alone_is_rendered_again(
    log: ResumeLog, media: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "film.mp4"
    interrupted_after(4, media, output)
    changed = version(media)
    changed["scenes"][1]["source"] = changed["scenes"][0]["source"]
    caplog.set_level("INFO", "resumelog")
    exporter(".mp4").resume(log, changed, output)
    assert made(caplog) == ["road"]
    assert seen(output) == [("red", 16), *FILM[2:]]


def test_what_is_finished_is_skipped(
    log: ResumeLog, media: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "film.mp4"
    exporter(".mp4").resume(log, version(media), output)
    caplog.set_level("INFO", "resumelog")
    assert exporter(".mp4").resume(log, version(media), output) == output
    assert made(caplog) == []
    assert not (tmp_path / ".film.mp4.pieces").exists()


class LeavesAtHome(FfmpegExporter):
    """Is interrupted in the last scene."""

    def make(self, film: Film, scene: Scene, piece: Path) -> None:
        if scene.key == "home":
            raise KeyboardInterrupt
        super().make(film, scene, piece)


@pytest.mark.parametrize("lost", [slice(1), slice(None)], ids=["one", "all"])
def test_segments_that_are_lost_are_made_again(
    log: ResumeLog, film: Path, media: Path, tmp_path: Path, lost: slice
) -> None:
    output = tmp_path / "film.mp4"
    with pytest.raises(KeyboardInterrupt):
        LeavesAtHome(size=SIZE, preset="ultrafast").resume(log, version(media), output)
    segments = [*(tmp_path / ".film.mp4.pieces").iterdir()]
    assert len(segments) == 3
    for segment in segments[lost]:
        segment.unlink()
    exporter(".mp4").resume(log, version(media), output)
    assert output.read_bytes() == film.read_bytes()
    assert names_of(log, str(output)).count("ProgressSaved") == 4
    assert "Restarted" not in names_of(log, str(output))


# What goes wrong


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": ""}, "scene road has no media to render: it names no source"),
        ({"source": "/gone.mov"}, "scene road has no media to render: there is no file /gone.mov"),
        ({"source": "https://example.org/a.mov"}, "scene road has no media to render: there is no"),
    ],
)
def test_missing_media_is_refused_before_anything_is_written(
    log: ResumeLog, media: Path, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    bad = version(media)
    bad["scenes"][1] |= change
    with pytest.raises(MissingSource) as refused:
        exporter(".mp4").resume(log, bad, tmp_path / "film.mp4")
    assert told in str(refused.value)
    assert log.queries.jobs() == []


def test_media_that_is_too_short_is_told(log: ResumeLog, media: Path, tmp_path: Path) -> None:
    bad = version(media)
    bad["scenes"][1]["source_start"] = 1.9
    with pytest.raises(
        FfmpegFailed, match=r"lime.mp4 gave \d+ of 9 frames; make the scene shorter"
    ):
        exporter(".mp4").resume(log, bad, tmp_path / "film.mp4")
    assert [(job.status, job.done) for job in log.queries.jobs()] == [("failed", 1)]


def test_what_ffmpeg_says_is_told(media: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    bad = version(media)
    bad["scenes"][1]["source"] = str(broken)
    with pytest.raises(
        FfmpegFailed, match=r"scene road: exit code \d+\n(.*\n)*.*Invalid data found"
    ):
        exporter(".mp4").export(bad, tmp_path / "film.mp4")


@pytest.mark.parametrize(
    "options", [{"size": (1281, 720)}, {"size": (0, 0)}, {"crf": 52}, {"preset": "best"}]
)
def test_options_that_make_no_film_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadOption, match=next(iter(options))) as refused:
        FfmpegExporter(**options)
    assert "Input should" not in str(refused.value)


def test_a_picture_with_an_odd_side_is_refused_in_plain_words() -> None:
    with pytest.raises(BadOption, match="the width in size: it is no multiple of 2"):
        FfmpegExporter(size=(1281, 720))


def test_a_key_that_is_nearly_a_field_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scenes = [{"duration": 1, "txet": "a"}, {"duration": 1, "subtitel": "b"}]
    exporter(".srt").export({"fps": 25, "scenes": scenes}, tmp_path / "reel.srt")
    assert "scene index 1: 'subtitel' is left alone; is 'subtitle' meant?" in caplog.text
