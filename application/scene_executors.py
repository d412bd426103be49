"""Where scenes are made: daemon threads by default, an event loop, or an executor of the user's."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from resumelog.application.errors import BadArgument
from resumelog.application.pool_worker import settle_in
from resumelog.application.scene import Scene
from resumelog.application.scene_attempt import Attempt, Ended

Executors = Executor | Callable[[int], Executor] | None
"""An executor that stays the caller's, or what makes one for so many workers."""

GRACE_S = 5.0
"""So long after its time is up an attempt is let go of that should have ended by itself."""
LEAVING_S = 5.0
"""So long a run waits for coroutines that it has cancelled."""
IN_A_LOOP = (
    "this would block the event loop that it is called in; write `async with"
    " log.scenes.open_async(…) as batch:` and `await batch.run(…)`"
)


class DaemonThreads(Executor):
    """Threads that nobody waits for: one that hangs in a scene holds up neither run nor exit.

    concurrent.futures joins its threads when the interpreter ends, and can't replace one.
    """

    def __init__(self, workers: int) -> None:
        """Start the threads."""
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._workers = 0
        for _ in range(workers):
            self.add_worker()

    def add_worker(self) -> None:
        """Start one more, e.g. in place of one that hangs."""
        self._workers += 1
        threading.Thread(target=self._work, name="resumelog-scene", daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call."""
        future: Future[Any] = Future()
        self._calls.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the threads end after what is queued; wait for none."""
        del wait, cancel_futures
        for _ in range(self._workers):
            self._calls.put(None)

    def _work(self) -> None:
        while (queued := self._calls.get()) is not None:
            future, call = queued
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whoever waits for the future is told
                future.set_exception(error)
            del future, call, queued  # nothing is kept while it waits


class Coroutines(Executor):
    """An event loop in a daemon thread, or one that runs already, as an executor of coroutines."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Start the thread unless a loop is given."""
        self._is_own = loop is None
        self._loop = loop or asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="resumelog-loop", daemon=True)
        if self._is_own:
            self._thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Schedule a coroutine function's call; cancelling the future cancels its task."""
        return asyncio.run_coroutine_threadsafe(fn(*args, **kwargs), self._loop)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the loop, if it is our own; its tasks are cancelled."""
        del wait, cancel_futures
        if self._is_own:
            with suppress(RuntimeError):  # a sys.exit in a coroutine has closed it
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LEAVING_S)

    def _run(self) -> None:
        with (
            suppress(SystemExit, KeyboardInterrupt),  # a coroutine's own; its future has it
            asyncio.Runner(loop_factory=lambda: self._loop) as runner,
        ):
            runner.get_loop().run_forever()


class Workshop:
    """Where the attempts of one run are made; a context manager that ends what it has begun."""

    def __init__(self, attempt: Attempt, workers: int, executor: Executors) -> None:
        """Choose; nothing is started yet. Raises BadArgument."""
        self._workers, self._given, self._function = workers, executor, attempt.function
        self._is_async = is_async(attempt.function)
        self._call: Callable[[Scene], Any] = attempt.awaited if self._is_async else attempt
        if not (executor is None or isinstance(executor, Executor) or callable(executor)):
            advice = "give a concurrent.futures.Executor, or what makes one for so many workers"
            raise BadArgument(option="executor", given=executor, advice=advice)
        if self._is_async and not isinstance(executor, Coroutines | None):
            advice = "a coroutine function runs in an event loop; leave the executor out"
            raise BadArgument(option="executor", given=executor, advice=advice)
        if self._is_async and is_in_loop():
            raise BadArgument(option="function", given=attempt.function, advice=IN_A_LOOP)

    def __enter__(self) -> None:
        """Start the executor. Raises BadArgument for a function that it can't be sent."""
        self._executor = self._made()
        if isinstance(self._executor, ProcessPoolExecutor):
            self._require_picklable()

    def __exit__(self, *_: object) -> None:
        """Let go of an executor of our own; one that was given is its owner's."""
        if self._executor is not self._given:
            self._executor.shutdown(wait=False, cancel_futures=True)

    @property
    def executor(self) -> Executor:
        """Return where scenes are made now; another one after `reopen`."""
        return self._executor

    @property
    def grace_s(self) -> float:
        """How long attempts that are interrupted there may take to end once their time is up."""
        return GRACE_S if isinstance(self._executor, Coroutines | ProcessPoolExecutor) else 0.0

    def submit(self, scene: Scene) -> Future[Ended]:
        """Begin a scene. Raises BrokenExecutor, RuntimeError."""
        return self._executor.submit(self._call, scene)

    def reopen(self) -> bool:
        """Put another executor in place of one that broke; tell whether that can be done."""
        if self._given is None or isinstance(self._given, Executor):
            return False
        self.__exit__()
        self._executor = self._made()
        return True

    def abandon(self) -> None:
        """End what can be ended of the scenes in flight: a pool's exit would wait for them."""
        if self._executor is not self._given and isinstance(self._executor, ProcessPoolExecutor):
            # there is no public way before Python 3.14, and the dict is None once it was shut down
            for process in [*(self._executor._processes or {}).values()]:
                process.terminate()

    def is_at_work_on(self, future: Future[Ended]) -> bool:
        """Tell whether a scene is being made, and not waiting for a worker."""
        # the future of a coroutine says that it runs no sooner than it has ended
        return future.running() or isinstance(self._executor, Coroutines)

    def replaced_worker(self) -> bool:
        """Start a worker in place of one that hangs; tell whether that can be done."""
        if isinstance(self._executor, DaemonThreads):
            self._executor.add_worker()
            return True
        return False

    def _made(self) -> Executor:
        if self._given is None:
            return Coroutines() if self._is_async else DaemonThreads(self._workers)
        if isinstance(self._given, Executor):
            return self._given
        if self._given is ProcessPoolExecutor:  # its workers end with this process, used or not
            return ProcessPoolExecutor(self._workers, initializer=settle_in)
        return self._given(self._workers)

    def _require_picklable(self) -> None:
        try:
            pickle.dumps(self._call)
        except Exception as error:
            self.__exit__()
            advice = f"a process pool needs functions from the top level of a module ({error})"
            raise BadArgument(option="function", given=self._function, advice=advice) from error


def is_in_loop() -> bool:
    """Tell whether an event loop runs in this thread."""
    with suppress(RuntimeError):
        return asyncio.get_running_loop() is not None
    return False


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling it gives a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 - an object's own, which may be async
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
