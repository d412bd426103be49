"""What people see of batches: facts for callbacks, bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from rich.console import Console
from support.async_batches import opened
from support.clocks import StillClock
from support.logs import scenes
from support.terminals import in_a_terminal

import resumelog
from resumelog import BadArgument, BatchFacts, ProgressBars, ResumeLog, Scene, track
from resumelog.infrastructure.progress_text import described

FOUR = scenes(*range(1, 5))
NEVER_S, ALWAYS_S = 1e9, 0.0


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def log(tmp_path: Path, clock: StillClock) -> Iterator[ResumeLog]:
    """A log whose clock stands still."""
    with resumelog.open(tmp_path / "jobs.db", clock=clock, root=tmp_path) as log:
        yield log


# Facts


def test_each_scene_is_told_with_speed_and_time_left(log: ResumeLog, clock: StillClock) -> None:
    told: list[BatchFacts] = []
    with opened(log, FOUR) as batch:
        end = batch.on_progress(told.append)
        for scene in batch.remaining():
            clock.seconds += 2
            batch.complete(scene)
            if scene.key == "3":
                end()
    assert told == [
        (0, 0, 0, 4, 4, None, None, 0, 0.0, 0),
        (1, 0, 0, 3, 4, 0.5, 6.0, 0, 2.0, 0),
        (2, 0, 0, 2, 4, 0.5, 4.0, 0, 4.0, 0),
        (3, 0, 0, 1, 4, 0.5, 2.0, 0, 6.0, 0),
    ]


def test_before_a_run_has_made_a_scene_earlier_durations_tell_the_time_left(
    log: ResumeLog,
) -> None:
    with opened(log, FOUR) as batch:
        for scene in batch.remaining(["1", "2"]):
            batch.complete(scene, elapsed_s=10.0)
    told: list[BatchFacts] = []
    with opened(log, FOUR) as batch:
        batch.on_progress(told.append)
        batch.run(lambda scene: scene.key, workers=2)
    assert (told[0].rate, told[0].left_s, told[0].skipped) == (None, 20.0, 2)
    assert told[1][:5] == (2, 0, 2, 2, 4)
    assert told[1].left_s == 10.0  # by two workers
    assert told[-1][:4] == (4, 0, 0, 0)


def test_a_scene_that_failed_counts_its_time_and_is_not_waited_for(
    log: ResumeLog, clock: StillClock
) -> None:
    with opened(log, FOUR) as batch:
        clock.seconds += 3
        batch.fail("1", "空")
        clock.seconds += 3
        batch.complete("2")
        facts = batch.progress_facts()
    assert (facts.done, facts.failed, facts.remaining) == (1, 1, 3)
    assert (facts.rate, facts.left_s) == (1 / 6, 12.0)


def test_what_is_retried_is_waited_for(log: ResumeLog, clock: StillClock) -> None:
    seen: list[BatchFacts] = []
    with opened(log, FOUR) as batch:
        for key in ("1", "2"):
            clock.seconds += 4
            batch.complete(key)
        for key in ("3", "4"):
            batch.fail(key, "空")
        assert batch.progress_facts().left_s == 0.0
        again = [*batch.failed()]
        batch.on_progress(seen.append)
        for scene in again:
            batch.begun(scene)
        for scene in again:
            clock.seconds += 4
            batch.complete(scene)
    assert [facts.left_s for facts in seen if facts.done == 3] == [4.0]


def test_while_a_scene_is_made_the_time_left_runs_down_to_that_of_the_next_ones(
    log: ResumeLog, clock: StillClock
) -> None:
    with opened(log, FOUR) as batch:
        clock.seconds += 10
        batch.complete("1")
        left = []
        for _ in range(4):
            left.append(batch.progress_facts().left_s)
            clock.seconds += 5
        assert left == [30.0, 25.0, 20.0, 25.0]  # overdue from then on


def test_a_scene_that_is_made_again_on_purpose_is_waited_for(
    log: ResumeLog, clock: StillClock
) -> None:
    with opened(log, FOUR) as batch:
        for key in ("1", "2"):
            clock.seconds += 1
            batch.complete(key)
        batch.regenerate(["1"])
        assert batch.progress_facts()[:5] == (1, 0, 0, 3, 4)


def test_a_callback_that_raises_spoils_nothing_and_is_warned_of_once(
    log: ResumeLog, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(log, FOUR) as batch:
        batch.on_progress(lambda _: 1 / 0)
        assert batch.run(lambda scene: scene.key).is_complete
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["ZeroDivisionError" in (warning.exc_text or "") for warning in warnings] == [True]


# Lines


def lines_of(
    log: ResumeLog, every_s: float, plan: list[JsonValue] = FOUR, **of_run: Any
) -> list[str]:
    """Make what remains, and return the lines about it without their times."""
    written = io.StringIO()
    console = Console(file=written, soft_wrap=True, highlight=False)
    with (
        opened(log, plan) as batch,
        ProgressBars(console=console, line_every_s=every_s) as bars,
        bars.showing(batch, "分镜"),
    ):
        batch.run(**{"function": lambda scene: scene.key, **of_run})
    return [re.sub(r"[\d.]+/s|[\d.]+ s", "…", line) for line in written.getvalue().splitlines()]


def test_elsewhere_there_is_a_line_at_the_end(log: ResumeLog) -> None:
    assert lines_of(log, NEVER_S) == ["分镜: 4 of 4 · took …"]
    assert lines_of(log, NEVER_S) == ["分镜: finished already"]


def test_elsewhere_a_line_says_what_was_done_before_and_what_failed(log: ResumeLog) -> None:
    with opened(log, FOUR) as batch:
        batch.complete("1")

    def fails(scene: Scene) -> str:
        if scene.key == "3":
            raise ValueError("空")
        return scene.key

    assert lines_of(log, NEVER_S, function=fails) == [
        "分镜: 1 done before",
        "分镜: 3 of 4 · 1 failed · 1 remaining",
    ]


def test_a_batch_without_scenes_is_finished(log: ResumeLog) -> None:
    assert lines_of(log, ALWAYS_S, []) == ["分镜: finished already"]


HELD = BatchFacts(30, 0, 4, 30, 60, 2.0, 15.0, 3, 15.0, 0)


def test_a_save_that_waits_for_the_disk_is_said_at_once_and_first() -> None:
    written = io.StringIO()
    console = Console(file=written, soft_wrap=True, highlight=False)
    with ProgressBars(console=console, line_every_s=NEVER_S) as bars:
        show = bars.show("分镜")
        for facts in (HELD._replace(held=0), HELD, HELD._replace(held=4)):
            show(facts)
    said = "3 saves not on disk · 30 of 60 · 4 running · 0:00:15 left · 30 remaining · 2.0/s"
    assert written.getvalue() == f"分镜: {said}\n"
    assert described(HELD) == said


# Bars


def test_a_bar_tells_what_is_done_failed_running_and_left(tmp_path: Path) -> None:
    title = "很长的名字" * 3
    with in_a_terminal("support.bar_workers", "batch", title, cwd=tmp_path) as terminal:
        text = terminal.ends()
        assert terminal.process.returncode == 0, text
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    assert any("6 of 10 · 1 failed · 1 running · " in line for line in lines), lines
    assert re.search(r"━+.━* 9 of 10 · 1 failed · 1 remaining", lines[-1])


def test_a_hundred_thousand_scenes_move_a_bar_a_few_times_a_second() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    facts = BatchFacts(0, 0, 8, 100_000, 100_000, None, None, 0, 0.0, 0)
    with ProgressBars(console=console) as bars:
        show = bars.show("分镜")
        began = time.perf_counter()
        for done in range(100_000):
            show(facts._replace(done=done))
        took_s = time.perf_counter() - began
        moved = bars._progress.tasks[0]._progress
        assert len(moved) <= took_s / 0.1 + 2


# The loop over what is left


def test_the_scenes_that_remain_are_tracked(log: ResumeLog) -> None:
    with opened(log, FOUR) as batch:
        batch.complete("2")
        for scene in track(batch, disable=True):
            batch.complete(scene)
        assert batch.counts().done == 4
        with pytest.raises(BadArgument, match="a batch knows its scenes"):
            track(batch, 4)  # type: ignore[call-overload]  # the test is about that
