"""Calls that block, awaited: made whole, in order, whatever happens to the task."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from resumelog.application.off_loop import OffLoop, OneThread

WHO: ContextVar[str] = ContextVar("who", default="nobody")


class Gate:
    """A call that blocks until it is opened, and then says so."""

    def __init__(self) -> None:
        self.begun, self.opened = threading.Event(), threading.Event()
        self.made: list[str] = []

    def __call__(self, what: str = "made") -> str:
        self.begun.set()
        assert self.opened.wait(60)
        self.made.append(what)
        return what


@asynccontextmanager
async def one_thread() -> AsyncIterator[OneThread]:
    thread = OneThread("test")
    try:
        yield thread
    finally:
        thread.close()


def in_loop(test: Callable[[OneThread], Any]) -> None:
    """Run an asynchronous test with a thread."""

    async def run() -> None:
        async with one_thread() as thread:
            await test(thread)

    asyncio.run(run(), debug=True)


async def begun(gate: Gate) -> None:
    await asyncio.to_thread(gate.begun.wait, 60)


async def cancelled_in(thread: OneThread, gate: Gate, times: int = 1) -> asyncio.Task[str]:
    """Return a task that was cancelled in the middle of a call."""
    task = asyncio.create_task(thread.do(gate))
    await begun(gate)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    return task


def test_it_returns_and_raises_what_the_call_does() -> None:
    async def test(thread: OneThread) -> None:
        assert await thread.do(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await thread.do(lambda: 1 / 0)

    in_loop(test)


def test_calls_are_made_in_order_in_one_thread_that_is_not_the_loops() -> None:
    made: list[tuple[int, int]] = []

    async def test(thread: OneThread) -> None:
        calls = [lambda n=n: made.append((n, threading.get_ident())) for n in range(50)]
        await asyncio.gather(*map(thread.do, calls))
        assert [number for number, _ in made] == [*range(50)]
        (where,) = {ident for _, ident in made}
        assert where != threading.get_ident()

    in_loop(test)


def test_a_call_sees_the_context_of_its_task() -> None:
    async def ask(thread: OneThread, name: str) -> str:
        WHO.set(name)
        return await thread.do(WHO.get)

    async def test(thread: OneThread) -> None:
        assert await asyncio.gather(*(ask(thread, name) for name in "abc")) == ["a", "b", "c"]
        assert await thread.do(WHO.get) == "nobody"

    in_loop(test)


@pytest.mark.parametrize("times", [1, 3])
def test_a_cancellation_waits_for_the_call_and_then_goes_on(times: int) -> None:
    async def test(thread: OneThread) -> None:
        gate = Gate()
        task = await cancelled_in(thread, gate, times)
        assert not task.done()
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gate.made == ["made"]

    in_loop(test)


def test_a_call_that_was_asked_for_is_made_even_where_its_turn_had_not_come() -> None:
    async def test(thread: OneThread) -> None:
        first, second = Gate(), Gate()
        second.opened.set()
        running = asyncio.create_task(thread.do(first))
        await begun(first)
        waiting = asyncio.create_task(thread.do(second))
        await asyncio.sleep(0)
        waiting.cancel()
        first.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await running, second.made) == ("made", ["made"])

    in_loop(test)


def test_a_call_that_fails_in_a_cancelled_task_is_told_by_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(thread: OneThread) -> None:
        gate = Gate()

        def fail() -> str:
            gate()
            raise OSError("no space left")

        task = asyncio.create_task(thread.do(fail))
        await begun(gate)
        task.cancel()
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_loop(test)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [
        "a task was cancelled, and what it was at failed: no space left"
    ]


def test_a_timeout_is_a_timeout() -> None:
    async def test(thread: OneThread) -> None:
        gate = Gate()
        asyncio.get_running_loop().call_later(0.05, gate.opened.set)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await thread.do(gate)
        assert gate.made == ["made"]

    in_loop(test)


def test_what_is_asked_after_the_end_is_made_by_whoever_asks() -> None:
    async def test(thread: OneThread) -> None:
        thread.close()
        assert await thread.do(threading.get_ident) == threading.get_ident()

    in_loop(test)


# A context that is entered and left off the loop


class Noted:
    """A context that notes what happens to it, and may be held up."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.gate = Gate()

    @contextmanager
    def __call__(self) -> Iterator[str]:
        self.gate()
        self.notes.append("entered")
        try:
            yield "it"
        except BaseException as error:
            self.notes.append(type(error).__name__)
            raise
        finally:
            self.notes.append("left")


def test_a_context_is_left_with_what_ended_the_block() -> None:
    async def fail(thread: OneThread, noted: Noted) -> None:
        async with OffLoop(thread, noted()) as it:
            assert it == "it"
            raise ZeroDivisionError

    async def test(thread: OneThread) -> None:
        noted = Noted()
        noted.gate.opened.set()
        with pytest.raises(ZeroDivisionError):
            await fail(thread, noted)
        assert noted.notes == ["entered", "ZeroDivisionError", "left"]

    in_loop(test)


def test_a_task_that_is_cancelled_while_it_enters_leaves_again() -> None:
    async def enter(thread: OneThread, noted: Noted) -> None:
        async with OffLoop(thread, noted()):
            pytest.fail("the block began")

    async def test(thread: OneThread) -> None:
        noted = Noted()
        task = asyncio.create_task(enter(thread, noted))
        await begun(noted.gate)
        task.cancel()
        noted.gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert noted.notes == ["entered", "CancelledError", "left"]

    in_loop(test)


def test_a_coroutine_that_is_closed_leaves_at_once() -> None:
    async def hold(thread: OneThread, noted: Noted) -> None:
        async with OffLoop(thread, noted()):
            await asyncio.Event().wait()

    async def test(thread: OneThread) -> None:
        noted = Noted()
        noted.gate.opened.set()
        coroutine = hold(thread, noted)
        waits = coroutine.send(None)
        while "entered" not in noted.notes:
            await asyncio.wait((waits,))
            waits = coroutine.send(None)
        coroutine.close()
        assert noted.notes == ["entered", "GeneratorExit", "left"]

    in_loop(test)


def test_a_coroutine_that_is_closed_in_the_middle_of_a_call_waits_for_it() -> None:
    async def test(thread: OneThread) -> None:
        gate = Gate()
        coroutine = thread.do(gate)
        coroutine.send(None)
        await begun(gate)
        threading.Timer(0.05, gate.opened.set).start()
        coroutine.close()
        assert gate.made == ["made"]

    in_loop(test)
