"""Whoever reads what `resumelog export` prints may be slow, or have stopped: nothing is lost, nothing hangs."""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.cli import Cli, wait_for
from support.exporting import (
    COUNTED,
    INTO_OUTPUT,
    KEY,
    arguments,
    recorded,
    reports,
    running,
    whys,
)
from support.terminals import CTRL_S

from resumelog.infrastructure import processes
from resumelog.infrastructure.streamed_commands import DRAIN_S

pytestmark = pytest.mark.kills  # most wait for the end of patience with who reads nothing

CHUNK = "head -c 8000 /dev/zero | tr '\\0' x"
PRINTS_MUCH = f'for i in $(seq 16); do {CHUNK}; echo; echo "units $i cursor $i"; done'
LATER_S = DRAIN_S + 2


def test_what_a_slow_reader_has_not_read_yet_is_not_lost(bare: Cli) -> None:
    slowly = ("sh", "-c", f'"$@" | (sleep {LATER_S}; wc -c)', "sh")
    ran = bare(*arguments(PRINTS_MUCH, "--total", 16), through=slowly)
    assert int(ran.out) == 16 * 8001
    assert f"{KEY}: complete, 16 of 16 units" in ran.err
    assert (reports(bare)[-1].units_done, reports(bare)[-1].cursor) == (16, 16)


def test_what_is_reported_beside_text_that_nobody_reads_is_on_record(bare: Cli) -> None:
    full, never_read = os.pipe()[::-1]
    os.set_blocking(full, False)
    while _fills(full):
        pass
    os.set_blocking(full, True)
    script = r"printf 'text\nunits 7\n'; sleep 60"
    with bare.started(*arguments(script, *COUNTED), terminal=full):
        wait_for(lambda: recorded(bare) == 7, "the report")
    os.close(full)
    os.close(never_read)


def test_a_signal_ends_a_command_of_which_nobody_reads_anything(bare: Cli) -> None:
    script = "trap '' TERM; echo $$ >> pids; echo progress 0.5; yes | tee /dev/stderr"
    unread = ("sh", "-c", 'exec 3>&1; { "$@" 3>&-; echo $? >&3; } 2>&1 | sleep 60', "sh")
    begun = arguments(script, "--grace", 0.2, INTO_OUTPUT)
    with bare.started(*begun, through=unread) as process:
        wait_for(lambda: recorded(bare) == 0.5, "the report")
        time.sleep(0.5)  # both pipes are full by then
        os.kill(bare.events(KEY)[0].worker.pid, signal.SIGTERM)  # type: ignore[attr-defined]  # Started has one
        assert process.stdout is not None
        assert process.stdout.readline() == "3\n"
        os.killpg(process.pid, signal.SIGKILL)
    assert whys(bare) == ["Terminated: SIGTERM"]
    assert running(bare) == []


def test_ctrl_c_ends_an_export_on_a_terminal_that_ctrl_s_has_stopped(bare: Cli) -> None:
    script = "trap '' INT; echo $$ >> pids; echo progress 0.5; yes"
    with bare.in_terminal(*arguments(script, "--grace", 0.2)) as shown:
        wait_for(lambda: recorded(bare) == 0.5, "the report")
        shown.types(CTRL_S)
        time.sleep(0.5)
        pid = bare.events(KEY)[0].worker.pid  # type: ignore[attr-defined]  # Started has one
        os.kill(pid, signal.SIGINT)  # as a key it would let the terminal go on
        wait_for(lambda: processes.started(pid) is None, "its end")
    assert bare.names(KEY)[-1] == "Interrupted"
    assert running(bare) == []


def _fills(full: int) -> int:
    try:
        return os.write(full, b"x" * 4096)
    except BlockingIOError:
        return 0
