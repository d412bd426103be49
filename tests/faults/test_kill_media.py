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

SCENES = 4
FILMS_KILLED = 10
"""To render takes longer: so many moments, spread over all of them."""


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
    step = max(1, touches // FILMS_KILLED) if suffix == ".mp4" else 1
    for moment in range(1, touches + 1, step):
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
        made = [each.message for each in caplog.records if each.message.endswith(" made")]
        assert len(made) <= SCENES - recorded
        assert units_of(log, job) == [*range(1, SCENES + 1)]
        assert names_of(log, job)[-1] == "Completed"
