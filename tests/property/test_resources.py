"""Whatever is registered, fails and interrupts: each is released once, in its order, and all is told."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.logs import leave_by

from resumelog import ReleaseFailed, Resources
from resumelog.application import releases

FAILURES = (None, None, OSError, KeyboardInterrupt, SystemExit)
ENDS = (None, None, ValueError, KeyboardInterrupt, SystemExit, GeneratorExit)


class Borrowed(NamedTuple):
    """One resource: how it is registered, and what its release raises."""

    kind: str
    priority: int
    raises: type[BaseException] | None


BORROWED = st.builds(
    Borrowed,
    st.sampled_from(["callback", "rollback", "entered"]),
    st.integers(-1, 1),
    st.sampled_from(FAILURES),
)


class Work:
    """Resources of one piece of work, and the numbers of those that were released."""

    def __init__(self, borrowed: list[Borrowed]) -> None:
        self.borrowed, self.released = borrowed, list[int]()
        self.resources = Resources()
        for number, one in enumerate(borrowed):
            self.register(number, one)

    def register(self, number: int, one: Borrowed) -> None:
        if one.kind == "entered":
            self.resources.enter(self.entered(number), priority=one.priority)
        else:
            rolls_back = one.kind == "rollback"
            self.resources.callback(
                self.release, number, priority=one.priority, only_on_failure=rolls_back
            )

    def release(self, number: int) -> None:
        self.released.append(number)
        if raises := self.borrowed[number].raises:
            raise raises(f"of {number}")

    @contextmanager
    def entered(self, number: int) -> Iterator[None]:
        try:
            yield
        finally:
            self.release(number)

    def ended(self, error: BaseException | None) -> BaseException | None:
        """Let the work end, and return what goes on."""
        try:
            with self.resources:
                leave_by(error)
        except BaseException as raised:  # noqa: BLE001 - it is what is looked at
            return raised
        return None

    def in_order(self, *kinds: str) -> list[int]:
        numbers = [number for number, one in enumerate(self.borrowed) if one.kind in kinds]
        return sorted(numbers, key=lambda number: (-self.borrowed[number].priority, -number))

    def expected(self, *, failed: bool) -> list[int]:
        if failed:
            return self.in_order("callback", "entered", "rollback")
        spoilt = any(one.raises for one in self.borrowed if one.kind == "entered")
        rolled_back = self.in_order("rollback") if spoilt else []
        return self.in_order("callback", "entered") + rolled_back


def ends(error: BaseException | None) -> bool:
    return error is not None and not isinstance(error, Exception)


@given(st.lists(BORROWED, max_size=8), st.sampled_from(ENDS))
def test_each_is_released_once_in_its_order_and_told(
    borrowed: list[Borrowed], end: type[BaseException] | None
) -> None:
    work, error = Work(borrowed), end() if end else None
    raised = work.ended(error)
    assert work.released == work.expected(failed=error is not None)
    failed = [number for number in work.released if borrowed[number].raises]
    told = "".join(traceback.format_exception(raised))
    assert all(f"of {number}" in told for number in failed)
    interrupted = any(not issubclass(one, Exception) for one in map(_raises(borrowed), failed))
    if ends(error) or not failed:
        assert raised is error
    elif interrupted:
        assert ends(raised)
    else:
        assert raised is error or isinstance(raised, ReleaseFailed)


def _raises(borrowed: list[Borrowed]) -> Callable[[int], type[BaseException]]:
    return lambda number: borrowed[number].raises or AssertionError


@contextmanager
def interrupted_at(line: int) -> Iterator[None]:
    """Press Ctrl+C at a line, counted over those that run, of what releases; once."""
    count = 0

    def count_lines(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        del arg
        count += event == "line"
        if event == "line" and count == line:
            raise KeyboardInterrupt
        return count_lines if frame.f_code.co_filename == releases.__file__ else None

    def enter_frame(frame: FrameType, event: str, arg: object) -> Any:
        del event, arg
        ours = frame.f_code.co_filename == releases.__file__ and frame.f_code.co_name != "run"
        return count_lines if ours else None

    before = sys.gettrace()
    sys.settrace(enter_frame)
    try:
        yield
    finally:
        sys.settrace(before)


@settings(max_examples=300)
@given(st.integers(1, 60), st.sampled_from([None, ValueError]))
def test_an_interrupt_between_two_releases_loses_and_repeats_none(
    line: int, end: type[Exception] | None
) -> None:
    kinds = ("callback", "entered", "callback", "rollback", "callback")
    work = Work([Borrowed(kind, priority, None) for priority, kind in enumerate(kinds)])
    error = end() if end else None
    with interrupted_at(line):
        raised = work.ended(error)
    assert len(work.released) == len({*work.released}), "each once"
    assert {*work.released} >= {*work.expected(failed=error is not None)}
    assert raised is error or type(raised) is KeyboardInterrupt


def test_the_interrupts_of_the_test_above_land() -> None:
    work = Work([Borrowed("callback", 0, None)])
    with pytest.raises(KeyboardInterrupt), interrupted_at(3), work.resources:
        pass
