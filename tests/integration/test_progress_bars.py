"""What people see of exports: bars on a real terminal, lines elsewhere."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from support.children import PATIENCE_S, child, finished
from support.logs import UNITS, make_units, names_of
from support.terminals import in_a_terminal

import resumelog
from resumelog import ProgressBars, ResumeLog
from resumelog.application.progress_meter import ProgressFacts
from resumelog.infrastructure.progress_text import described

NEVER_S, ALWAYS_S = 1e9, 0.0


def shown(tmp_path: Path, *task: object) -> list[str]:
    """Return what a child drew on its terminal, line by line."""
    with in_a_terminal("support.bar_workers", *task, cwd=tmp_path) as terminal:
        text = terminal.ends()
        assert terminal.process.returncode == 0, text
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


# On a terminal


def test_a_bar_tells_how_far_it_is_how_fast_and_how_long_yet(tmp_path: Path) -> None:
    lines = shown(tmp_path, "tracked", 99)
    assert re.fullmatch(r"成片 �\[31m ━+ 0 %", lines[0])
    moving = next(line for line in lines if "70 %" in line)
    assert re.fullmatch(r"成片 �\[31m ━+.━+ 70 % · 7 of 10 · [\d.]+/s · \d+\.\d s left", moving)
    assert re.fullmatch(r"成片 �\[31m ━+ 100 % · 10 of 10 · .* · took \d+\.\d s", lines[-1])


def test_a_bar_tells_where_the_attempt_resumed(
    log: ResumeLog, output: Path, tmp_path: Path
) -> None:
    make_units(log, output, until=6)
    lines = shown(tmp_path, "tracked", 99)
    assert lines[0].endswith("60 % · 6 of 10 · resumed at 60 %")
    assert lines[-1].endswith(" · resumed at 60 %")


def test_a_bar_of_a_finished_export_says_so(log: ResumeLog, output: Path, tmp_path: Path) -> None:
    make_units(log, output)
    assert shown(tmp_path, "tracked", 99)[-1].endswith("100 % · 10 of 10 · finished already")


def test_while_nothing_is_reported_the_time_left_on_the_bar_grows(tmp_path: Path) -> None:
    lines = shown(tmp_path, "idle")
    left = [float(found[1]) for line in lines if (found := re.search(r"([\d.]+) s left", line))]
    assert left == sorted(left)
    assert left[-1] > left[0]


def test_bars_of_many_exports_stand_together_and_the_oldest_become_lines(tmp_path: Path) -> None:
    lines = shown(tmp_path, "several", 12)
    ended = {line.split()[0].rstrip(":") for line in lines if "100 %" in line}
    assert ended == {f"{number}.mp4" for number in range(12)}
    assert len([line for line in lines if re.match(r"\d+\.mp4: 100 % · ", line)]) == 2
    assert len([line for line in lines[-10:] if re.match(r"\d+\.mp4 +━+ 100 %", line)]) == 10


# Elsewhere


def screen() -> tuple[Console, io.StringIO]:
    """Return a console that is no terminal, and what stands on it."""
    written = io.StringIO()
    return Console(file=written, soft_wrap=True, highlight=False), written


def render(log: ResumeLog, output: Path, line_every_s: float, *, until: int = UNITS) -> list[str]:
    """Make the units that are left, and return the lines about them without their times."""
    console, written = screen()
    with (
        ProgressBars(console=console, line_every_s=line_every_s) as bars,
        log.exports.resume(output, on_progress=bars.show("成片")) as job,
    ):
        for unit in job.remaining(UNITS):
            if unit == until:
                break
            job.save_progress(units_done=unit + 1)
    return [re.sub(r"[\d.]+/s|[\d.]+ s", "…", line) for line in written.getvalue().splitlines()]


def test_elsewhere_there_is_a_line_now_and_then_and_one_at_the_end(
    log: ResumeLog, output: Path
) -> None:
    assert render(log, output, NEVER_S) == ["成片: 100 % · 10 of 10 · … · took …"]


def test_elsewhere_a_line_says_how_far_it_is(log: ResumeLog, output: Path) -> None:
    lines = render(log, output, ALWAYS_S, until=2)
    assert lines == [f"成片: {n}0 % · {n} of 10 · … · … left" for n in (1, 2)]


def test_elsewhere_a_line_says_where_it_resumed(log: ResumeLog, output: Path) -> None:
    make_units(log, output, until=6)
    assert render(log, output, NEVER_S)[0] == "成片: resumed at 60 %"


def test_elsewhere_a_finished_export_says_so(log: ResumeLog, output: Path) -> None:
    make_units(log, output)
    assert render(log, output, NEVER_S) == ["成片: finished already"]


def test_a_bar_that_is_left_early_says_where(log: ResumeLog, output: Path) -> None:
    console, written = screen()
    bars = ProgressBars(console=console)
    with bars, log.exports.resume(output) as job, bars.showing(job):
        job.save_progress(0.3)
    assert re.fullmatch(r"成片🎬.mp4: 30 % · .* left\n", written.getvalue())


def test_what_is_disabled_shows_nothing(
    log: ResumeLog, output: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with log.exports.resume(output) as job, resumelog.progress_bar(job, disable=True):
        for _ in resumelog.track(job, 20, save=True, disable=True):
            pass
    assert capfd.readouterr() == ("", "")


def test_everything_goes_to_standard_error(tmp_path: Path) -> None:
    with child("tracked", 99, cwd=tmp_path, module="support.bar_workers") as process:
        code, out, err = finished(process)
    assert (code, out) == (0, "")
    assert re.fullmatch(r"成片 �\[31m: 100 % · 10 of 10 · .*\n", err)


def test_the_work_goes_on_when_nobody_reads_any_more(
    log: ResumeLog, output: Path, tmp_path: Path
) -> None:
    with child("unread", cwd=tmp_path, module="support.bar_workers") as process:
        assert process.stderr
        assert process.stdin
        process.stderr.close()
        process.stdin.write("go\n")
        process.stdin.close()
        process.wait(timeout=PATIENCE_S)
    assert names_of(log, str(output)) == ["Started", *["ProgressSaved"] * UNITS, "Completed"]


def test_an_export_on_asyncio_is_shown_the_same_way(log: ResumeLog, output: Path) -> None:
    console, written = screen()
    bars = ProgressBars(console=console)

    async def work() -> None:
        async with log.exports.resume(output) as job:
            with bars.showing(job, "成片"):
                async for unit in job.remaining(2):
                    await job.save_progress(units_done=unit + 1)

    with bars:
        asyncio.run(work())
    assert written.getvalue().startswith("成片: 100 % · 2 of 2")


# In words


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (ProgressFacts(0, None, None, None, 0, None, 0), "0 %"),
        (ProgressFacts(0.29, None, None, 0.005, 58, 142, 0), "29 % · 30 %/min · 0:02:22 left"),
        (ProgressFacts(0.5, None, None, 0.05, 10, 10, 0), "50 % · 5.0 %/s · 0:00:10 left"),
        (
            ProgressFacts(0.999, 999, 1000, 2.5, 400, 0.4, 0),
            "99 % · 999 of 1000 · 2.5/s · 0.4 s left",
        ),
        (
            ProgressFacts(0.5, 1, 2, 1 / 95, 95, 95, 0),
            "50 % · 1 of 2 · 0:01:35 each · 0:01:35 left",
        ),
        (
            ProgressFacts(0.1, 1, 10, 1e-9, 1e9, 9e9, 0),
            "10 % · 1 of 10 · over 100 days each · over 100 days left",
        ),
        (ProgressFacts(1, 2, 2, 2, 3725, 0, 0), "100 % · 2 of 2 · 2.0/s · took 1:02:05"),
    ],
)
def test_facts_in_words(facts: ProgressFacts, text: str) -> None:
    assert described(facts) == text
