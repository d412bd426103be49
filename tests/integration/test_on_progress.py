"""Callbacks that are told how far an export is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clocks import StillClock
from support.logs import UNITS, events_of, make_units, names_of

import resumelog
from resumelog import ProgressFacts, ResumeLog
from resumelog.domain.errors import ProgressFell
from resumelog.domain.export_events import Interrupted

PATIENCE_S = 60


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def log(tmp_path: Path, clock: StillClock) -> Iterator[ResumeLog]:
    """A log whose clock stands still."""
    with resumelog.open(tmp_path / "jobs.db", clock=clock, root=tmp_path) as log:
        yield log


def test_each_unit_is_told_with_speed_and_time_left_and_the_end(
    log: ResumeLog, output: Path, clock: StillClock
) -> None:
    told: list[ProgressFacts] = []
    with log.exports.resume(output, on_progress=told.append) as job:
        for unit in job.remaining(3):
            clock.seconds += 2
            job.save_progress(units_done=unit + 1)
    assert told == [
        pytest.approx((0.0, None, None, None, 0.0, None, 0.0)),
        pytest.approx((1 / 3, 1, 3, 0.5, 2.0, 4.0, 0.0)),
        pytest.approx((2 / 3, 2, 3, 0.5, 4.0, 2.0, 0.0)),
        pytest.approx((1.0, 3, 3, 0.5, 6.0, 0.0, 0.0)),
    ]


def test_a_throttled_report_is_told_too(log: ResumeLog, output: Path) -> None:
    told: list[float] = []
    with log.exports.resume(output) as job:
        job.on_progress(lambda facts: told.append(facts.fraction))
        for fraction in (0.1, 0.2, 0.3):
            job.save_progress(fraction)
        job.complete()
    assert told == [0.0, 0.1, 0.2, 0.3, 1.0]
    assert names_of(log, str(output)).count("ProgressSaved") == 2


def test_units_and_fractions_agree_though_the_throttle_keeps_most(
    log: ResumeLog, output: Path
) -> None:
    told: list[tuple[float, int | None, int | None]] = []
    with log.exports.resume(output, on_progress=lambda facts: told.append(facts[:3])) as job:
        for unit in job.remaining(5):
            job.save_progress((unit + 1) / 5)
    assert told == [
        (0.0, None, None),
        (0.2, 1, 5),
        (0.4, 2, 5),
        (0.6, 3, 5),
        (0.8, 4, 5),
        (1.0, 5, 5),
    ]


def test_what_the_throttle_keeps_is_neither_repeated_nor_left_out_of_the_record(
    log: ResumeLog, output: Path
) -> None:
    with log.exports.resume(output) as job:
        job.save_progress(0.1)
        job.save_progress(0.6)
        for unit in job.remaining(10):
            assert unit == 6
            break
    (*_, last) = events_of(log, str(output))
    assert isinstance(last, Interrupted)
    assert (last.cause, last.progress) == ("left with 6 of 10 units done", 0.6)


def test_an_attempt_that_goes_on_begins_at_what_was_done(
    log: ResumeLog, output: Path, clock: StillClock
) -> None:
    make_units(log, output, until=6)
    clock.seconds += 1000
    told: list[ProgressFacts] = []
    with log.exports.resume(output, on_progress=told.append) as job:
        for unit in job.remaining(UNITS):
            clock.seconds += 5
            job.save_progress(units_done=unit + 1)
    assert told[0] == (0.6, 6, UNITS, None, 0.0, None, 0.6)
    assert told[1] == pytest.approx((0.7, 7, UNITS, 0.2, 5.0, 15.0, 0.6))
    assert told[-1].fraction == 1.0


def test_units_that_a_fraction_covers_are_told_as_done(log: ResumeLog, output: Path) -> None:
    with log.exports.resume(output) as job:
        job.save_progress(0.6)
        job.leave("午休")
    told: list[ProgressFacts] = []
    with log.exports.resume(output) as job:
        for unit in job.remaining(UNITS):
            job.on_progress(told.append)()
            job.save_progress(units_done=unit + 1)
    assert told[0][:3] == (0.6, 6, UNITS)


def test_a_finished_export_is_told_once(log: ResumeLog, output: Path) -> None:
    make_units(log, output)
    told: list[ProgressFacts] = []
    with log.exports.resume(output, on_progress=told.append):
        pass
    assert told == [(1.0, UNITS, UNITS, None, 0.0, 0.0, 1.0)]


def test_an_exporter_that_begins_again_is_told_from_0(log: ResumeLog, output: Path) -> None:
    told: list[float] = []
    with log.exports.resume(output) as job:
        job.save_progress(0.5)
        job.on_progress(lambda facts: told.append(facts.fraction))
        job.begin_again("it lost its frames")
        job.save_progress(0.1)
        job.complete()
    assert told == [0.5, 0.0, 0.1, 1.0]


def test_a_report_that_is_refused_is_not_told(log: ResumeLog, output: Path) -> None:
    told: list[float] = []
    with log.exports.resume(output, on_progress=lambda facts: told.append(facts.fraction)) as job:
        job.save_progress(0.5)
        with pytest.raises(ProgressFell):
            job.save_progress(0.4)
        assert told == [0.0, 0.5]


def test_nothing_is_told_any_more_once_it_was_ended(log: ResumeLog, output: Path) -> None:
    told: list[float] = []
    with log.exports.resume(output) as job:
        end = job.on_progress(lambda facts: told.append(facts.fraction))
        end()
        end()
        job.save_progress(0.5)
    assert told == [0.0]


def test_a_callback_that_raises_spoils_nothing_and_is_warned_of_once(
    log: ResumeLog, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[float] = []
    with log.exports.resume(output, on_progress=lambda _: 1 / 0) as job:
        job.on_progress(lambda facts: told.append(facts.fraction))
        for unit in job.remaining(3):
            job.save_progress(units_done=unit + 1)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["ZeroDivisionError" in (warning.exc_text or "") for warning in warnings] == [True]
    assert told[-1] == 1.0
    assert names_of(log, str(output))[-1] == "Completed"


def press_ctrl_c(facts: ProgressFacts) -> None:
    if facts.fraction == 0.5:
        raise KeyboardInterrupt


def test_ctrl_c_in_a_callback_interrupts_the_export(log: ResumeLog, output: Path) -> None:
    session = log.exports.resume(output, on_progress=press_ctrl_c)
    with pytest.raises(KeyboardInterrupt), session as job:
        job.save_progress(units_done=1, units_total=2)
    assert names_of(log, str(output)) == ["Started", "ProgressSaved", "Interrupted"]


def test_a_callback_may_wait_for_another_thread_that_saves(log: ResumeLog, output: Path) -> None:
    """It holds no lock that the other needs."""
    with log.exports.resume(output) as job:

        def wait_for_another(facts: ProgressFacts) -> None:
            if facts.done == 1:
                other = threading.Thread(
                    target=lambda: job.save_progress(units_done=2, units_total=2)
                )
                other.start()
                other.join(PATIENCE_S)
                assert not other.is_alive()

        job.on_progress(wait_for_another)
        job.save_progress(units_done=1, units_total=2)
        assert job.units_done == 2


def test_facts_can_be_asked_for_while_a_save_is_made(
    log: ResumeLog, output: Path, clock: StillClock
) -> None:
    with log.exports.resume(output) as job:
        job.save_progress(units_done=1, units_total=4)
        seen: list[ProgressFacts] = []

        def look_from_another_thread() -> None:
            other = threading.Thread(target=lambda: seen.append(job.progress_facts()), daemon=True)
            other.start()
            other.join(PATIENCE_S)

        clock.meanwhile.append(look_from_another_thread)
        job.save_progress(units_done=2, units_total=4)
        assert [facts.done for facts in seen] == [1]
        job.save_progress(units_done=4, units_total=4)
