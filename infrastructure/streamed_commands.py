"""A command that is listened to while it runs, until it and all that it started have ended."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import IO, Generic, TypeVar

from resumelog.domain.values import ERROR_BYTES_MAX
from resumelog.infrastructure import processes
from resumelog.infrastructure.gate import Ended, behind_gate

TICK_S = 0.1
DRAIN_S = processes.TERMINATE_S
"""So long whatever outlives the command, as `tee` may, can finish printing; who reads may take longer."""
CHUNK_BYTES = 64 * 1024
WAITING_MAX = 1000

Said = TypeVar("Said")


class StreamedCommand(Generic[Said]):
    """One run of a command.

    `out` and `err` get its output in chunks, each in a thread of its own, and an empty one at the
    end; what `out` makes of them goes to `heard` in the thread of `run`, where `tick` is called
    at least every TICK_S too. Whoever reads what they pass on may be slow: where the command has
    ended, that is waited for as long as `is_patient` says so.
    """

    def __init__(
        self,
        *,
        out: Callable[[bytes], Iterable[Said]],
        err: Callable[[bytes], None],
        heard: Callable[[Said], None],
        tick: Callable[[], None],
        is_patient: Callable[[], bool],
    ) -> None:
        """Start nothing yet."""
        self._out, self._err, self._heard, self._tick = out, err, heard, tick
        self._is_patient = is_patient
        self._waiting: Queue[Said | None] = Queue(WAITING_MAX)
        self._tail = b""

    def run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        began: Callable[[int, int], None],
        folder: str | None = None,
    ) -> Ended:
        """Run it to its end, in a folder. `began(group, started)` puts its group on record first."""
        start, pipe = time.monotonic(), subprocess.PIPE
        group: list[int] = []

        def noted(number: int, started: int) -> None:
            group[:] = number, started
            began(number, started)

        with behind_gate(argv, noted, stdout=pipe, stderr=pipe, env=env, folder=folder) as process:
            try:
                self._listen(process)
            finally:
                processes.end_group(*group)
            code = process.wait()
        errors = self._tail.lstrip(_CONTINUATION).decode(errors="backslashreplace").strip()
        return Ended(code, "", errors, time.monotonic() - start)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        pumps = [
            _Pump(process.stdout, self._hear_out, self._waiting),
            _Pump(process.stderr, self._hear_err, self._waiting),
        ]
        open_pumps, left_s = len(pumps), DRAIN_S
        while process.poll() is None or (open_pumps and (left_s > 0 or not self._waiting.empty())):
            since, had_ended = time.monotonic(), process.returncode is not None
            if open_pumps:
                open_pumps -= self._hear_one()
            else:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(TICK_S)
            self._tick()
            is_held_up = any(pump.is_held_up for pump in pumps)
            if had_ended and not (is_held_up and self._is_patient()):
                left_s -= time.monotonic() - since
        for pump in pumps:
            pump.require_well()

    def _hear_one(self) -> bool:
        """Take what was said next, if anything is within a tick; tell whether a stream has ended."""
        try:
            said = self._waiting.get(timeout=TICK_S)
        except Empty:
            return False
        if said is not None:
            self._heard(said)
        return said is None

    def _hear_out(self, chunk: bytes) -> Iterable[Said]:
        return self._out(chunk)

    def _hear_err(self, chunk: bytes) -> Iterable[Said]:
        self._tail = (self._tail + chunk)[-ERROR_BYTES_MAX // 2 :]
        self._err(chunk)
        return ()


_CONTINUATION = bytes(range(0x80, 0xC0))
"""What a character in UTF-8 that was cut leaves at the start."""


class _Pump(Thread, Generic[Said]):
    """Reads one stream of a command to its end, then puts None."""

    def __init__(
        self,
        stream: IO[bytes] | None,
        hear: Callable[[bytes], Iterable[Said]],
        waiting: Queue[Said | None],
    ) -> None:
        assert stream is not None
        super().__init__(daemon=True)
        self._stream, self._hear, self._waiting = stream, hear, waiting
        self._failure: BaseException | None = None
        self._since = float("inf")
        self.start()

    def run(self) -> None:
        try:
            with self._stream:
                while chunk := os.read(self._stream.fileno(), CHUNK_BYTES):
                    self._put(chunk)
            self._put(b"")
        except BaseException as failure:  # noqa: BLE001 - raised where the command is waited for
            self._failure = failure
        finally:
            self._waiting.put(None)

    def require_well(self) -> None:
        """Raise what went wrong here."""
        if self._failure:
            raise self._failure

    @property
    def is_held_up(self) -> bool:
        """Tell whether it waits for whoever reads what it passes on."""
        return time.monotonic() > self._since + TICK_S

    def _put(self, chunk: bytes) -> None:
        self._since = time.monotonic()
        try:
            for said in self._hear(chunk):
                self._waiting.put(said)
        finally:
            self._since = float("inf")
