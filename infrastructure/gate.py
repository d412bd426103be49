"""A command that starts only once its process group is on record, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple

from resumelog.infrastructure import processes

GATE = 'IFS= read -r go || exit 125; input=$1; shift; exec "$@" <"$input"'
"""A parent that dies before the go closes the gate."""


class Ended(NamedTuple):
    """How a command ended: its exit code (negative: a signal), what it printed, and for how long."""

    code: int
    printed: str
    errors: str
    elapsed_s: float

    @property
    def why(self) -> str:
        """Return why it counts as failed, with the end of what it said on standard error."""
        ended = (
            f"exit code {self.code}" if self.code >= 0 else f"ended by {signal_name(-self.code)}"
        )
        return f"{ended}: {self.errors}" if self.errors else ended


@contextmanager
def behind_gate(
    argv: Sequence[str],
    began: Callable[[int, int], None],
    *,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    stdin: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command in a process group of its own, once `began(group, started)` has returned.

    It reads the file `stdin` from its beginning, or nothing, runs in `folder`, and has ended when the
    block is left.
    """
    source, passed = (f"/dev/fd/{stdin.fileno()}", (stdin.fileno(),)) if stdin else (os.devnull, ())
    process = subprocess.Popen(  # noqa: S603 - running the user's command is the purpose
        ["/bin/sh", "-c", GATE, "resumelog", source, *argv],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env=env,
        cwd=folder,
        pass_fds=passed,
        process_group=0,
    )
    try:
        began(process.pid, processes.started(process.pid) or 0)
        _open_gate(process)
        yield process
    finally:
        _close_gate(process)


def _open_gate(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(b"go\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # it was ended at the gate


def _close_gate(process: subprocess.Popen[bytes]) -> None:
    """Without the go, closing its standard input ends what waits at the gate."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def signal_name(number: int) -> str:
    """Return SIGTERM and its like."""
    known = {each.value: each.name for each in signal.Signals}
    return known.get(number, f"signal {number}")
