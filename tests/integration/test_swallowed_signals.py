"""A signal that the work itself catches is not forgotten: what it cut short is not finished."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support.logs import events_of

import resumelog
from resumelog import ResumeLog, resumable_export_context
from resumelog.application.errors import Terminated
from resumelog.application.export_session import ExportSession
from resumelog.domain.export_events import Completed, Interrupted

RAISES = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated, signal.SIGHUP: Terminated}
CAUSES = {
    signal.SIGINT: "KeyboardInterrupt",
    signal.SIGTERM: "Terminated: SIGTERM",
    signal.SIGHUP: "Terminated: SIGHUP",
}
every_signal = pytest.mark.parametrize("number", RAISES)
KEY = "成片"


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in RAISES}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Polite:
    """Catches the signal that comes after the first reports, goes on to `then`, and returns."""

    def __init__(
        self, number: signal.Signals, reports: tuple[float, ...], then: tuple[float, ...] = ()
    ) -> None:
        self.number, self.reports, self.then = number, reports, then

    def export(self, version: dict[str, Any], output_path: str) -> str:
        Path(output_path).write_bytes(b"half")
        for fraction in self.reports:
            version["_progress_callback"](fraction)
        try:
            signal.raise_signal(self.number)
        except (KeyboardInterrupt, SystemExit):
            for fraction in self.then:
                version["_progress_callback"](fraction)
        return output_path


def export(log: ResumeLog, exporter: Polite, output: Path) -> str:
    return resumelog.make_resumable(exporter, log=log).export({"title": "归途"}, str(output))


def ended_by(log: ResumeLog, key: str) -> str:
    (*_, last) = events_of(log, key)
    return last.cause if isinstance(last, Interrupted) else type(last).__name__


@every_signal
@pytest.mark.parametrize("reports", [(), (0.2,), (0.2, 0.4)])
def test_an_exporter_that_catches_a_signal_and_returns_early_is_interrupted(
    log: ResumeLog, output: Path, number: signal.Signals, reports: tuple[float, ...]
) -> None:
    with pytest.raises(RAISES[number]):
        export(log, Polite(number, reports), output)
    assert ended_by(log, str(output)) == CAUSES[number]
    assert not output.exists()


@every_signal
def test_one_that_goes_on_to_its_end_is_completed(
    log: ResumeLog, output: Path, number: signal.Signals
) -> None:
    export(log, Polite(number, (0.5,), then=(0.75, 1.0)), output)
    assert ended_by(log, str(output)) == Completed.__name__


def test_what_an_earlier_attempt_reported_says_nothing_of_this_one(
    log: ResumeLog, output: Path
) -> None:
    with (
        suppress(KeyboardInterrupt),
        log.exports.resume(output, inputs={"title": "归途"}, exporter="Polite") as job,
        job.output(keep_partial=True) as partial,
    ):
        partial.write_bytes(b"all but the end")
        job.save_progress(1.0)
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        export(log, Polite(signal.SIGINT, ()), output)
    assert ended_by(log, str(output)) == CAUSES[signal.SIGINT]


@every_signal
@pytest.mark.parametrize("reached", [None, 0.5])
def test_a_block_that_catches_a_signal_with_work_left_is_interrupted(
    log: ResumeLog, number: signal.Signals, reached: float | None
) -> None:
    def caught() -> None:
        with log.exports.resume(None, key=KEY) as job, suppress(KeyboardInterrupt, SystemExit):
            if reached is not None:
                job.save_progress(reached)
            signal.raise_signal(number)

    with pytest.raises(RAISES[number]):
        caught()
    assert ended_by(log, KEY) == CAUSES[number]


def test_a_block_that_catches_it_and_does_all_units_is_completed(log: ResumeLog) -> None:
    with log.exports.resume(None, key=KEY) as job:
        for unit in job.remaining(3):
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                job.save_progress(units_done=unit + 1)
    assert ended_by(log, KEY) == Completed.__name__


def test_a_block_that_says_how_it_ends_has_the_last_word(log: ResumeLog) -> None:
    with log.exports.resume(None, key=KEY) as job:
        job.save_progress(0.5)
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            job.leave("换班")
    assert ended_by(log, KEY) == "换班"


def test_the_old_context_raises_what_its_block_caught_unless_that_is_done(log: ResumeLog) -> None:
    def caught_at(progress: float) -> None:
        with resumable_export_context(KEY, log=log) as resumer:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                resumer.save_state(progress)

    with pytest.raises(KeyboardInterrupt):
        caught_at(0.4)
    assert ended_by(log, KEY) == CAUSES[signal.SIGINT]
    caught_at(1.0)
    assert ended_by(log, KEY) == Completed.__name__


def test_a_signal_of_an_earlier_attempt_is_over_with_it(log: ResumeLog) -> None:
    with pytest.raises(KeyboardInterrupt), log.exports.resume(None, key=KEY):
        signal.raise_signal(signal.SIGINT)
    with log.exports.resume(None, key=KEY) as job:
        job.save_progress(1.0)
    assert ended_by(log, KEY) == Completed.__name__
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@every_signal
@pytest.mark.parametrize("reached", [0.5, 1.0])
def test_a_signal_in_the_first_line_of_the_ending_waits_until_the_end_is_recorded(
    log: ResumeLog, number: signal.Signals, reached: float
) -> None:
    def comes(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is ExportSession.__exit__.__code__:
            sys.settrace(None)
            handler = signal.getsignal(number)
            assert callable(handler)
            handler(number, frame)

    def ends() -> None:
        with log.exports.resume(None, key=KEY) as job:
            job.save_progress(reached)
            sys.settrace(comes)

    before = sys.gettrace()
    try:
        with pytest.raises(RAISES[number]):
            ends()
    finally:
        sys.settrace(before)
    assert ended_by(log, KEY) == (CAUSES[number] if reached < 1 else Completed.__name__)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with log.exports.resume(None, key="下一个"):
        """The lease and the handlers are given back."""
