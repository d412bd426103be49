"""A process of a pool, as a run needs it: it leaves Ctrl+C to the coordinator, and ends with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache
from multiprocessing import parent_process

LOOKS_S = 0.1


def settle_in() -> None:
    """Do so from now on, if this is such a process; an orphan ends here."""
    parent = parent_process()
    if parent and threading.current_thread() is threading.main_thread():
        is_child = _settle_in(os.getpid())
        if is_child and os.getppid() != parent.pid:
            os._exit(1)


@cache
def _settle_in(pid: int) -> bool:
    """Leave SIGINT, which a terminal sends to all, to the one who decides what it means.

    The handlers of SIGTERM and SIGHUP are those of the coordinator in a process that was forked.
    Tell whether the coordinator is the parent, and not a fork server.
    """
    del pid  # what a process forks has to settle in for itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, name="resumelog-orphan", daemon=True).start()
    parent = parent_process()
    return parent is not None and os.getppid() == parent.pid


def _end_with_parent() -> None:
    """End once the coordinator is gone: an idle worker holds the pipe open that it waits at."""
    parent = parent_process()
    assert parent is not None
    if os.getppid() == parent.pid:
        while os.getppid() == parent.pid:
            time.sleep(LOOKS_S)
    else:  # a fork server stands between
        parent.join()
    os._exit(1)
