"""What `resumelog export` makes of reports: bad ones, cursors, a command that begins at 0, ffmpeg."""

from __future__ import annotations

import re

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import pytest
from support.cli import Cli, finished, wait_for
from support.exporting import (
    COUNTED,
    INTO_OUTPUT,
    KEY,
    exported,
    recorded,
    reports,
    says,
    whys,
)

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
FAILS_FIRST = "if [ ! -e again ]; then touch again; echo progress 0.42; exit 1; fi\n"
NO_THROTTLE = ("--save-interval", 0)
CLIP = "clip.mp4"


def ffmpeg(*options: str, seconds: int) -> list[str]:
    """Return a command that encodes a test picture of 25 frames a second."""
    source = ["-f", "lavfi", "-i", f"testsrc=duration={seconds}:rate=25:size=64x64"]
    tells = ["-v", "error", "-nostdin", "-stats_period", "0.01", "-progress", "pipe:1"]
    return [FFMPEG, *tells, *options, *source, INTO_OUTPUT]


def test_bad_reports_are_told_once_a_kind_and_counted_and_the_work_goes_on(bare: Cli) -> None:
    bad = ["units 3/30", "units 9x", "progress 0.9", "units 4", "units 21", "units 99"]
    ran = exported(bare, says("units 5", *bad, "units 20"), *COUNTED, "--json")
    assert ran.code == 0
    assert ran.document["bad_reports"] == {"BadReport": 3, "UnitsOutOfRange": 2, "ProgressFell": 1}
    told = "the report 'units 4' is ignored: export reel.txt: progress fell from 0.25 to 0.2; "
    assert told in ran.err
    assert ran.err.count("is ignored: ") == 3
    told = "3 that can't be used, 1 below an earlier one, 2 out of range"
    assert f"reports that were ignored: {told}\n" in ran.err
    assert not re.search("BadReport|OutOfRange", ran.err)
    assert "units 9x\n" in ran.err
    assert [report.units_done for report in reports(bare)] == [5, 20]


def test_units_of_which_none_was_reported_are_told_where_they_are_missed(bare: Cli) -> None:
    ran = exported(bare, "echo Units: 20; [ -e go ]", *COUNTED)
    assert (ran.code, ran.out) == (1, "Units: 20\n")
    assert "none of the 20 units was reported: it begins at 0 again" in ran.err
    bare.write("go", "")
    done = exported(bare, "echo Units: 20; [ -e go ]", *COUNTED)
    assert (done.code, "none of" in done.err) == (0, False)
    assert bare.names(KEY)[-1] == "Completed"


@pytest.mark.parametrize("last", ["", "; exit 1"], ids=["well", "failing"])
def test_fractions_are_enough_where_a_total_is_named(bare: Cli, last: str) -> None:
    ran = exported(bare, f"echo progress 0.5{last}", *COUNTED)
    assert "none of" not in ran.err
    assert bare.names(KEY)[-1] == ("Failed" if last else "Completed")


def test_a_command_that_begins_at_0_again_is_recorded_as_that(bare: Cli) -> None:
    script = "if [ -e again ]; then echo units 2; else echo units 9; touch again; fi; exit 1"
    exported(bare, script, *COUNTED)
    ran = exported(bare, script, *COUNTED)
    why = "it reported 2 of 20 units after a resume at 9 of 20 units"
    assert f"begins again at 0: {why}" in ran.err
    assert whys(bare)[1] == why
    assert recorded(bare) == 2


# ffmpeg


@pytest.mark.parametrize(
    ("known", "at_the_end"),
    [(("--duration", 4), 0.98), (("--total", 100), 1.0)],  # the last frame begins at 3.92 s
    ids=["time", "frames"],
)
def test_ffmpeg_reports_in_its_own_format(
    bare: Cli, known: tuple[str, int], at_the_end: float
) -> None:
    ran = bare("export", CLIP, *known, *NO_THROTTLE, "--", *ffmpeg(seconds=4))
    assert (ran.code, ran.out) == (0, "")
    saved = [report.progress for report in reports(bare, CLIP)]
    assert saved == sorted(saved)
    assert saved[-1] == at_the_end
    assert "units" not in ran.err
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(bare.folder / CLIP))
    assert frames == 100


def test_a_film_with_fewer_frames_than_were_estimated_is_done_all_the_same(bare: Cli) -> None:
    told = ["export", CLIP, "--total", 30, *NO_THROTTLE, "--", *ffmpeg(seconds=1)]
    ran = bare(*told)
    assert ran.code == 0
    assert ran.err.splitlines()[-1].startswith(f"{CLIP}: complete (")
    assert recorded(bare, CLIP) == 25 / 30
    assert bare.names(CLIP)[-1] == "Completed"
    assert "is intact: skipped" in bare(*told).err


def test_ffmpeg_that_is_interrupted_says_end_and_is_not_done(bare: Cli) -> None:
    told = ["export", CLIP, "--duration", 60, *NO_THROTTLE, "--", *ffmpeg("-re", seconds=60)]
    with bare.started(*told) as process:
        wait_for(lambda: recorded(bare, CLIP), "a report")
        process.terminate()
        ran = finished(process)
    assert ran.code == 3
    assert not (bare.folder / CLIP).exists()
    assert whys(bare, CLIP) == ["Terminated: SIGTERM"]
