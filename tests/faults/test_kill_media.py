"""SIGKILL before every file that an exporter of media touches: the output is that of no kill at all."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.evidence import units_of
from support.forks import Forks
from support.logs import names_of
from support.media import exporter, version

import resumelog
from resumelog.domain.export_job import ExportJob

pytestmark = pytest.mark.faults

SCENES = ("dawn", "road", "sign", "home")
MOMENTS = {".srt": 100, ".xml": 15, ".mp4": 7}
"""At most so many, spread over all of them: .srt at each, films take longer."""


@pytest.mark.parametrize("suffix", [".srt", ".xml", ".mp4"])
def test_a_kill_at_any_moment_changes_nothing(
    children: Forks, tmp_path: Path, media: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "resumelog")
    whole = tmp_path / "whole"
    whole.mkdir()
    (told,) = children.start("export_media", suffix, media, 0, folder=whole).succeeded()
    expected = (whole / f"film{suffix}").read_bytes()
    touches = int(told)
    for moment in range(1, touches + 1, -(-touches // MOMENTS[suffix])):
        folder = tmp_path / str(moment)
        folder.mkdir()
        killed = children.start("export_media", suffix, media, moment, folder=folder)
        assert killed.wait() == -signal.SIGKILL, killed.stderr()
        caplog.clear()
        require_the_rest_only(folder, suffix, media, caplog)
        assert (folder / f"film{suffix}").read_bytes() == expected
        assert not (folder / f".film{suffix}.pieces").exists()
        assert not [*folder.glob("*.partial-*")]


def require_the_rest_only(
    folder: Path, suffix: str, media: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Go on; no scene that the log has as done is made again."""
    with resumelog.open(folder / "jobs.db", root=folder) as log:
        job = ExportJob.named("film")
        recorded = len(units_of(log, job)) if log.log.recover(job).version else 0
        exporter(suffix).resume(log, version(media), f"film{suffix}", key="film")
        told = [each.message.split() for each in caplog.records]
        made = [words[-2] for words in told if words[-1] == "made"]
        assert made == [scene for scene in SCENES[recorded:] if scene in made]
        assert units_of(log, job) == [*range(1, len(SCENES) + 1)]
        assert names_of(log, job)[-1] == "Completed"
