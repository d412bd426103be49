"""SIGTERM and SIGHUP raise while work is going on, and are what they were before and after."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.logs import events_of

from resumelog import ResumeLog
from resumelog.application.errors import Terminated
from resumelog.domain.export_events import Interrupted
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


def test_a_second_signal_while_the_first_is_recorded_loses_nothing(
    log: ResumeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = log.log.recorder.insert_events

    def again(*arguments: Any, **options: Any) -> object:
        monkeypatch.undo()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
        return insert(*arguments, **options)

    def terminated() -> None:
        with log.exports.resume(None, key="成片") as job:
            job.save_progress(0.1)
            job.save_progress(0.5)
            monkeypatch.setattr(log.log.recorder, "insert_events", again)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Terminated):
        terminated()
    (*_, last) = events_of(log, "成片")
    assert isinstance(last, Interrupted)
    assert (last.cause, last.progress) == ("Terminated: SIGTERM", 0.5)


@every_signal
def test_once_all_have_left_the_next_signal_counts_again(number: signal.Signals) -> None:
    terminable = Terminable()
    for _ in range(2):
        with pytest.raises(Terminated), terminable:
            signal.raise_signal(number)


def in_a_thread(call: Callable[[], object]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_what_was_entered_in_a_thread_and_closed_in_the_main_one_takes_nothing_from_others(
    log: ResumeLog,
) -> None:
    def units() -> Iterator[int]:
        with log.exports.resume(None, key="别的") as job:
            yield from job.remaining(5)

    abandoned = units()
    in_a_thread(lambda: next(abandoned))
    with log.exports.resume(None, key="成片"):
        abandoned.close()  # type: ignore[attr-defined] # it is a generator
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with pytest.raises(Terminated), log.exports.resume(None, key="再来"):
        signal.raise_signal(signal.SIGTERM)


def test_what_was_left_in_another_thread_leaves_no_handler_that_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminable, raised = Terminable(), list[int]()
    hold = terminable.held()
    hold.__enter__()
    in_a_thread(hold.__exit__)
    with terminable, pytest.raises(Terminated):
        signal.raise_signal(signal.SIGTERM)
    hold.__enter__()
    in_a_thread(hold.__exit__)
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    assert callable(handler)
    handler(signal.SIGTERM, None)
    assert (raised, signal.getsignal(signal.SIGTERM)) == ([signal.SIGTERM], signal.SIG_DFL)


def test_an_interrupt_while_handlers_are_installed_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install = signal.signal

    def interrupted(number: signal.Signals, handler: signal.Handlers) -> None:
        monkeypatch.undo()
        install(number, handler)
        raise KeyboardInterrupt

    terminable = Terminable()
    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt), terminable.held():
        pass
    assert [*map(signal.getsignal, SIGNALS)] == [signal.SIG_DFL, signal.SIG_DFL]
    with pytest.raises(Terminated), terminable:
        signal.raise_signal(signal.SIGTERM)
