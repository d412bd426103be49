"""An export never takes the place of what it is made from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.media import exporter

import resumelog
from resumelog import ResumeLog
from resumelog.infrastructure.media.errors import SourceIsOutput

ORIGINAL = b"hours of work"


def link_to(media: Path) -> Path:
    link = media.with_name(f"link{media.suffix}")
    link.symlink_to(media)
    return link


def other_name_of(media: Path) -> Path:
    other = media.with_name(f"other{media.suffix}")
    os.link(media, other)
    return other


def way_around(media: Path) -> Path:
    return media.parent / "." / ".." / media.parent.name / media.name


NAMES = [lambda media: media, way_around, link_to, other_name_of, Path.as_uri]
each_suffix = pytest.mark.parametrize("suffix", [".mp4", ".srt", ".otio", ".xml"])


def made_from(source: object) -> dict[str, Any]:
    return {"fps": 25, "scenes": [{"id": "dawn", "source": str(source), "duration": 1}]}


@pytest.fixture
def media(tmp_path: Path, suffix: str) -> Path:
    media = tmp_path / "cut" / f"in{suffix}"
    media.parent.mkdir()
    media.write_bytes(ORIGINAL)
    return media


@each_suffix
@pytest.mark.parametrize("name", NAMES, ids=["path", "way", "link", "hard link", "url"])
def test_a_source_that_is_the_output_is_refused_before_anything_is_written(
    log: ResumeLog, media: Path, suffix: str, name: Callable[[Path], object]
) -> None:
    version, names = made_from(name(media)), {*media.parent.iterdir()}
    with pytest.raises(SourceIsOutput, match="the media of scene dawn, which would be lost"):
        exporter(suffix).export(version, media)
    with pytest.raises(SourceIsOutput):
        exporter(suffix).resume(log, version, media)
    with pytest.raises(SourceIsOutput):
        resumelog.make_resumable(exporter(suffix), log=log).export(version, media)
    assert log.queries.jobs() == []
    assert {*media.parent.iterdir()} == names
    assert media.read_bytes() == ORIGINAL


@pytest.mark.parametrize("suffix", [".otio"])
def test_an_output_below_the_root_of_the_log_is_meant_too(media: Path) -> None:
    with (
        resumelog.open(":memory:", root=media.parent) as log,
        pytest.raises(SourceIsOutput),
    ):
        exporter(".otio").resume(log, made_from(media), media.name)
    assert media.read_bytes() == ORIGINAL
