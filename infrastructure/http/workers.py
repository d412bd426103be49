"""Threads that answer requests, and that nobody waits for when the process ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

THREADS_MAX = 16

Task = tuple["Future[Any]", Callable[[], Any]]


class Workers:
    """At most THREADS_MAX calls at once, the others wait their turn.

    A hung call (a host's hook, a disk) holds a thread, and no end of the process: those of
    concurrent.futures are waited for when the interpreter ends.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._threads = 0

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Have a call made; one that is cancelled before its turn never is."""
        future: Future[T] = Future()
        self._tasks.put((future, call))
        if not self._idle.acquire(blocking=False):
            self._start_one()
        return future

    def _start_one(self) -> None:
        with self._lock:
            if self._threads == THREADS_MAX:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="resumelog-http", daemon=True).start()

    def _work(self) -> None:
        while True:
            future, call = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - whoever asked is told
                    future.set_exception(error)
            del future, call
            self._idle.release()
