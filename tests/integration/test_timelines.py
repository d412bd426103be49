"""Timelines are read back by OpenTimelineIO: every scene, in order, frame by frame."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio  # type: ignore[import-untyped]  # it has no types
import pytest

from resumelog import OtioExporter, ResumeLog
from resumelog.infrastructure.media.errors import NoExtra, NotInFormat

pytestmark = pytest.mark.filterwarnings("ignore:Testing an element's truth value")
"""FCPXML's adapter does, on Python 3.12 and later."""

ADAPTERS = {".otio": "otio_json", ".xml": "fcp_xml", ".fcpxml": "fcpx_xml", ".edl": "cmx_3600"}
every_format = pytest.mark.parametrize("suffix", ADAPTERS)

SCENES: list[dict[str, Any]] = [
    {"id": "a", "name": "黎明 & <dawn>", "source": "/m/雪 1's.mov", "duration_frames": 7, "text": "雪"},
    {"id": "b", "name": "road", "source": "/m/road.mov", "source_start_frames": 10, "duration_frames": 13},
    {"id": "c", "name": "road", "source": "/m/road.mov", "start_frames": 25, "duration_frames": 20},
    {"id": "d", "name": "home", "source": "/m/home.mov", "duration_frames": 1801},
]  # fmt: skip


def version(fps: object = 24, *scenes: dict[str, Any]) -> dict[str, Any]:
    return {"title": "归途's film", "fps": fps, "scenes": [*(scenes or SCENES)]}


def read(path: Path, rate: float) -> Any:
    options = {"rate": rate} if path.suffix == ".edl" else {}
    found = otio.adapters.read_from_file(str(path), ADAPTERS[path.suffix], **options)
    if isinstance(found, otio.schema.SerializableCollection):  # FCPXML's clips and its project
        (found,) = (each for each in found if isinstance(each, otio.schema.Timeline))
    return found


def exported(folder: Path, suffix: str, version: dict[str, Any]) -> Path:
    return Path(OtioExporter().export(version, folder / f"成片{suffix}"))


def clips(timeline: Any) -> list[tuple[str, float, float, str]]:
    """Name, first frame in the film, length, and media of every clip."""
    found = []
    for clip in timeline.find_clips():
        at = timeline.tracks[0].trimmed_range_of_child(clip).start_time.value
        url = getattr(clip.media_reference, "target_url", "")
        found.append((clip.name, at, clip.source_range.duration.value, url))
    return found


EXPECTED = [
    ("黎明 & <dawn>", 0, 7, "file:///m/%E9%9B%AA%201%27s.mov"),
    ("road", 7, 13, "file:///m/road.mov"),
    ("road", 25, 20, "file:///m/road.mov"),
    ("home", 45, 1801, "file:///m/home.mov"),
]


@every_format
def test_every_scene_comes_back_in_its_place(tmp_path: Path, suffix: str) -> None:
    timeline = read(exported(tmp_path, suffix, version()), 24)
    assert (timeline.name, len(timeline.tracks)) == ("归途's film", 1)
    assert clips(timeline) == EXPECTED
    starts = [clip.source_range.start_time.value for clip in timeline.find_clips()]
    assert starts == [0, 10, 0, 0]


@pytest.mark.parametrize("fps", [24, 25, 30, 48, 50, 60, 23.976, 29.97, 59.94])
@pytest.mark.parametrize("suffix", [".otio", ".xml", ".edl"])
def test_every_rate_is_exact(tmp_path: Path, suffix: str, fps: float) -> None:
    exact = {23.976: 24000 / 1001, 29.97: 30000 / 1001, 59.94: 60000 / 1001}.get(fps, fps)
    timeline = read(exported(tmp_path, suffix, version(fps)), exact)
    assert clips(timeline) == EXPECTED
    assert {clip.source_range.duration.rate for clip in timeline.find_clips()} == {exact}


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_fcpxml_has_exact_times(tmp_path: Path, fps: int) -> None:
    """OpenTimelineIO itself reads some of them a frame short: it divides them as floats."""
    root = ElementTree.parse(exported(tmp_path, ".fcpxml", version(fps))).getroot()
    times: list[tuple[object, ...]] = [
        tuple(
            Fraction(clip.get(each, "").removesuffix("s")) * fps for each in ("offset", "duration")
        )
        for clip in root.iter("clip")
    ]
    assert times == [(at, frames) for _, at, frames, _ in EXPECTED]


@pytest.mark.parametrize("suffix", [".xml", ".edl"])
def test_hundreds_of_scenes_do_not_drift(tmp_path: Path, suffix: str) -> None:
    many = [{"source": "/m/a.mov", "duration": 1.37} for _ in range(400)]
    timeline = read(exported(tmp_path, suffix, version(29.97, *many)), 30000 / 1001)
    exact = Fraction("1.37") * Fraction(30000, 1001)
    found = clips(timeline)
    assert [at for _, at, *_ in found] == [round(exact * number) for number in range(400)]


# What the formats lose


@pytest.mark.parametrize("suffix", [".otio", ".xml", ".edl"])
def test_only_otio_keeps_id_and_text(tmp_path: Path, suffix: str) -> None:
    timeline = read(exported(tmp_path, suffix, version(24, SCENES[0])), 24)
    (clip,) = timeline.find_clips()
    kept = dict(clip.metadata.get("resumelog", {}))
    assert kept == ({"id": "a", "text": "雪"} if suffix == ".otio" else {})


@pytest.mark.parametrize("suffix", [".otio", ".xml", ".edl"])
def test_a_scene_without_media_stays_without(tmp_path: Path, suffix: str) -> None:
    (clip,) = read(exported(tmp_path, suffix, version(24, {"duration": 1})), 24).find_clips()
    assert isinstance(clip.media_reference, otio.schema.MissingReference)


def test_reels_tell_media_apart(tmp_path: Path) -> None:
    names = ("/m/road.mov", "/n/road.mov", "/m/雪.mov", "/m/road.mov", "/m/a-long-name.mov")
    scenes = [{"source": name, "duration": 1} for name in names]
    timeline = read(exported(tmp_path, ".edl", version(24, *scenes)), 24)
    reels = [clip.metadata["cmx_3600"]["reel"] for clip in timeline.find_clips()]
    assert reels == ["ROAD", "REEL0002", "REEL0003", "ROAD", "REEL0004"]


# What is refused


@pytest.mark.parametrize(
    ("suffix", "fps", "scenes", "told"),
    [
        (".fcpxml", 23.976, SCENES, "FCPXML can't hold 24000/1001 frames a second; choose one of"),
        (".fcpxml", 24, [{"duration": 1}], "FCPXML can't hold the scene 1 without a source"),
        (".fcpxml", 24, [{"source": "a", "name": "it's", "duration": 1}], "FCPXML can't hold the apo"),
        (".xml", 12.5, SCENES, "FCP7 XML can't hold 25/2 frames a second"),
        (".edl", 12.5, SCENES, "an EDL can't hold 25/2 frames a second"),
        (".edl", 24, [{"duration": 1}] * 1000, "an EDL can't hold 1000 scenes, the limit is 999"),
        (".edl", 24, [{"id": "z", "duration": 86_400}], "an EDL can't hold the scene z that ends after"),
        (".aaf", 24, SCENES, "the exporter otio can't hold '.aaf'; name the output *.otio, *.xml"),
        ("", 24, SCENES, "the exporter otio can't hold a file without a suffix"),
    ],
)  # fmt: skip
def test_what_a_format_cannot_hold_is_refused_before_anything_is_written(
    log: ResumeLog, tmp_path: Path, suffix: str, fps: float, scenes: list[Any], told: str
) -> None:
    before = {*tmp_path.iterdir()}
    output = tmp_path / f"成片{suffix}"
    for export in (OtioExporter().export, lambda *given: OtioExporter().resume(log, *given)):
        with pytest.raises(NotInFormat) as refused:
            export(version(fps, *scenes), output)
        assert str(refused.value).startswith(f"{output}: {told}")
    assert {*tmp_path.iterdir()} == before
    assert log.queries.jobs() == []


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(NoExtra, match=r"pip install 'resumelog\[media\]'"):
        exported(tmp_path, ".xml", version())
    assert [*tmp_path.iterdir()] == []
