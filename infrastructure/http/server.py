"""A process that serves until it is asked to end, and then ends within its time."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from resumelog.infrastructure.http.fastapi_adapter import note_ending

if TYPE_CHECKING:
    from fastapi import FastAPI

DRAIN_S = 1
FORCED_S = 0.5
IDLE_S = 5
CONNECTIONS_MAX = 1000
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes any that is free. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.create_server(address[:2], family=family, backlog=CONNECTIONS_MAX)
    # asyncio sets it only where a socket names its protocol, and this one does not: the second part
    # of an answer would wait 40 ms for whoever asked to acknowledge the first
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Tell whether only this machine reaches it."""
    return ip_address(listener.getsockname()[0]).is_loopback


def url_of(listener: socket.socket) -> str:
    """Return where it is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: FastAPI, listener: socket.socket, hand_back: Callable[[], object]) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP comes.

    Open requests have DRAIN_S seconds from then on; meanwhile `hand_back` is called. What is still
    open after them is cut off.
    """
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, args=([listener],), name="resumelog-serve")
    thread.daemon = True  # a request that hangs holds no end of the process
    with _asked_to_end() as asked:
        thread.start()
        while thread.is_alive() and not _came(asked):
            pass
        note_ending(app)
        server.should_exit = True
        hand_back()
        thread.join(DRAIN_S + FORCED_S)
        server.force_exit = True
        thread.join(FORCED_S)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )


def _came(asked: SimpleQueue[int]) -> bool:
    """Wait a while for a signal."""
    try:
        asked.get(timeout=IDLE_S)
    except Empty:
        return False
    return True


@contextmanager
def _asked_to_end() -> Iterator[SimpleQueue[int]]:
    """Note a signal instead of dying of it; uvicorn's own handlers would die of it in the end.

    A handler may come in the middle of waiting: an Event could block itself there, this queue can't.
    """
    asked: SimpleQueue[int] = SimpleQueue()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        asked.put(number)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
