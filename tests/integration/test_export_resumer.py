"""The names of the old exporter system, working on the log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from support.clocks import StillClock
from support.logs import names_of

from resumelog import (
    AlreadyRunning,
    ExportItem,
    ResumeLog,
    get_export_resumer,
    open,  # noqa: A004 - its public name
    resumable_export_context,
)
from resumelog.application.errors import NoResumer
from resumelog.domain.errors import BadKey, NotRunning, ProgressFell, ProgressOutOfRange


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reported(fractions: Iterable[float], error: BaseException) -> None:
    with resumable_export_context("reel") as resumer:
        for fraction in fractions:
            resumer.save_state(fraction)
        raise error


def left_at(progress: float) -> None:
    with suppress(KeyboardInterrupt):
        reported([progress], KeyboardInterrupt())


def test_it_begins_at_0_and_goes_on_where_it_was_left() -> None:
    with resumable_export_context("reel") as resumer:
        assert resumer.progress == 0.0
        resumer.save_state(0.25)
    with resumable_export_context("reel") as resumer:
        assert resumer.progress == 0.25


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), ValueError()], ids=repr)
def test_what_was_reported_last_is_never_lost_to_the_throttle(error: BaseException) -> None:
    with pytest.raises(type(error)):
        reported((hundredth / 100 for hundredth in range(60)), error)
    with resumable_export_context("reel") as resumer:
        assert resumer.progress == 0.59
    with open("resumelog.db") as log:
        assert names_of(log, "reel").count("ProgressSaved") == 2


def test_a_finished_export_begins_at_0_again() -> None:
    with resumable_export_context("reel") as resumer:
        resumer.save_state(1.0)
    with resumable_export_context("reel") as resumer:
        assert resumer.progress == 0.0


def test_whoever_begins_a_finished_export_at_the_same_moment_ends_nobody(log: ResumeLog) -> None:
    clock = StillClock()
    with resumable_export_context("reel", log=log) as resumer:
        resumer.save_state(1.0)
    with open("jobs.db", clock=clock) as late, ExitStack() as first:
        context = resumable_export_context("reel", log=log)
        clock.meanwhile = [lambda: first.enter_context(context)]  # `late` has seen it finished
        with pytest.raises(AlreadyRunning), resumable_export_context("reel", log=late):
            pass
        get_export_resumer().save_state(0.5)
    assert names_of(log, "reel")[-4:] == ["Restarted", "Started", "ProgressSaved", "Interrupted"]


def test_a_handler_finds_the_last_resumer() -> None:
    left_at(0.4)
    assert get_export_resumer().progress == 0.4


def test_the_outer_resumer_is_the_one_again_once_the_inner_was_left() -> None:
    with resumable_export_context("film") as outer:
        with suppress(KeyboardInterrupt), resumable_export_context("reel") as inner:
            assert get_export_resumer() is inner
            raise KeyboardInterrupt
        assert get_export_resumer() is outer
    with resumable_export_context("reel") as last:
        pass
    assert get_export_resumer() is last


def test_each_thread_and_task_has_its_own() -> None:
    left_at(0.4)
    with ThreadPoolExecutor(1) as pool, pytest.raises(NoResumer):
        pool.submit(get_export_resumer).result()

    async def of_a_task(key: str, progress: float) -> float:
        with resumable_export_context(key) as resumer:
            resumer.save_state(progress)
            await asyncio.sleep(0.01)
        return get_export_resumer().progress

    async def both() -> list[float]:
        return [*await asyncio.gather(of_a_task("a", 0.1), of_a_task("b", 0.2))]

    assert asyncio.run(both()) == [0.1, 0.2]
    assert get_export_resumer().progress == 0.4


def test_it_works_without_an_argument_in_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resumable_export_context() as resumer:
        resumer.save_state(0.25)
    with resumable_export_context(state_file=".export_state") as resumer:
        assert resumer.progress == 0.25
    assert [path.name for path in folder.iterdir()] == ["resumelog.db"]
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    with resumable_export_context() as resumer:
        assert resumer.progress == 0.0


def test_two_exports_never_touch_each_others_progress() -> None:
    with resumable_export_context("a") as first, resumable_export_context("b") as second:
        first.save_state(0.6)
        assert second.progress == 0.0
        second.save_state(0.1)
        assert (first.progress, second.progress) == (0.6, 0.1)
        with pytest.raises(AlreadyRunning), resumable_export_context("a"):
            pass


def test_a_cleared_state_begins_at_0() -> None:
    with resumable_export_context("reel") as resumer:
        resumer.save_state(0.6)
        resumer.clear_state()
        assert resumer.progress == resumer.load_state() == 0.0
        resumer.save_state(0.1)
    with resumable_export_context("reel") as resumer:
        assert resumer.progress == 0.1


def test_what_is_on_disk_is_told_apart_from_what_was_reported() -> None:
    with resumable_export_context("reel") as resumer:
        assert resumer.save_state(0.1).on_disk
        saved = resumer.save_state(0.2)
        assert (saved.throttled, resumer.progress, resumer.load_state()) == (True, 0.2, 0.1)
        resumer.save_interval = 0.0
        assert resumer.check_integrity()


def test_an_interval_of_the_callers_own() -> None:
    with resumable_export_context("reel", save_interval=0) as resumer:
        assert all(resumer.save_state(tenth / 10).on_disk for tenth in range(10))


def test_a_bad_progress_is_refused() -> None:
    with resumable_export_context("reel") as resumer:
        resumer.save_state(0.5)
        with pytest.raises(ProgressOutOfRange):
            resumer.save_state(7.5)
        with pytest.raises(ProgressFell, match="clear_state"):
            resumer.save_state(0.4)
    assert get_export_resumer().progress == 0.5


def test_a_first_report_below_where_it_was_resumed_begins_again() -> None:
    left_at(0.5)
    with resumable_export_context("reel") as resumer:
        assert resumer.progress == 0.5
        resumer.save_state(0.1)
        assert resumer.progress == 0.1
        with pytest.raises(ProgressFell):
            resumer.save_state(0.05)
    with open("resumelog.db") as log:
        assert names_of(log, "reel").count("Restarted") == 1


@pytest.mark.parametrize("bad", [None, float("nan"), -0.1])
def test_a_first_report_that_is_no_fraction_forgets_nothing(bad: Any) -> None:
    left_at(0.5)
    with resumable_export_context("reel") as resumer:
        with pytest.raises(ProgressOutOfRange):
            resumer.save_state(bad)
        assert resumer.progress == 0.5


@pytest.mark.parametrize("key", ["", "   ", "\u3000"])
def test_a_name_that_nobody_can_read_is_refused(log: ResumeLog, key: str) -> None:
    with pytest.raises(BadKey), resumable_export_context(key, log=log):
        pass
    with pytest.raises(BadKey):
        log.exports.resume("a.mp4", key=key)
    with pytest.raises(BadKey):
        log.exports.run_all([ExportItem("a", "a.mp4", key)], lambda *_: None)
    assert log.queries.count() == 0


def test_a_process_that_stands_in_its_own_way_is_told_so() -> None:
    with (
        resumable_export_context("reel"),
        pytest.raises(AlreadyRunning, match=r"this very process .*of no use"),
        resumable_export_context("reel"),
    ):
        pass


def test_a_log_that_is_open_can_be_used(log: ResumeLog, folder: Path) -> None:
    with resumable_export_context("reel", log=log) as resumer:
        resumer.save_state(0.5)
    assert names_of(log, "reel")[-1] == "Interrupted"
    assert not (folder / "resumelog.db").exists()


def test_once_its_context_was_left_a_resumer_reads_and_its_job_is_restarted_by_the_log(
    log: ResumeLog,
) -> None:
    with resumable_export_context("reel", log=log) as resumer:
        resumer.save_state(0.5)
    with pytest.raises(NotRunning, match=r"can't clear the state .* its context was left"):
        resumer.clear_state()
    assert (resumer.load_state(), resumer.check_integrity()) == (0.5, True)
    log.exports.restart("reel", "it was cleared")
    with resumable_export_context("reel", log=log) as resumer:
        assert resumer.progress == 0.0
