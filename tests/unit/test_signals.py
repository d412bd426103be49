"""SIGTERM and SIGHUP raise while work is going on, and are what they were before and after."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest
from support.logs import events_of

from resumelog import ResumeLog
from resumelog.application.errors import Terminated
from resumelog.infrastructure.signals import SIGNALS, Terminable

every_signal = pytest.mark.parametrize("number", SIGNALS)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@every_signal
def test_a_signal_raises_in_the_block_and_its_handler_is_put_back(number: signal.Signals) -> None:
    with pytest.raises(Terminated) as ended, Terminable():
        signal.raise_signal(number)
    assert (ended.value.code, str(ended.value)) == (128 + number, number.name)
    assert signal.getsignal(number) is signal.SIG_DFL


@every_signal
@pytest.mark.parametrize("own", [signal.SIG_IGN, lambda *_: None])
def test_a_handler_of_the_programs_own_stays(number: signal.Signals, own: signal.Handlers) -> None:
    signal.signal(number, own)
    with Terminable():
        assert signal.getsignal(number) is own
        signal.raise_signal(number)
    assert signal.getsignal(number) is own


def test_a_handler_that_the_program_installs_meanwhile_stays() -> None:
    def own(*_: object) -> None:
        """Take it."""

    with Terminable():
        signal.signal(signal.SIGTERM, own)
    assert signal.getsignal(signal.SIGTERM) is own


def test_it_holds_until_the_last_has_left_in_whatever_order() -> None:
    terminable = Terminable()
    terminable.__enter__()
    terminable.__enter__()
    terminable.__exit__()
    with pytest.raises(Terminated):
        signal.raise_signal(signal.SIGTERM)
    terminable.__exit__()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_nothing_is_installed_outside_the_main_thread() -> None:
    found: list[object] = []

    def look() -> None:
        with Terminable():
            found.extend(map(signal.getsignal, SIGNALS))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL, signal.SIG_DFL]


def test_a_terminated_export_says_so_and_the_exception_goes_on(log: ResumeLog) -> None:
    def terminated() -> None:
        with log.exports.resume(None, key="成片") as job:
            job.save_progress(0.5)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Terminated):
        terminated()
    (*_, last) = events_of(log, "成片")
    assert getattr(last, "cause", None) == "Terminated: SIGTERM"
