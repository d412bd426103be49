"""Workers in threads are ended once, and say why."""

from __future__ import annotations

import pytest

from resumelog import BatchStopped, StopFlag


def test_the_first_cause_stays() -> None:
    stop = StopFlag()
    stop.leave_if_set()
    stop.set(KeyboardInterrupt())
    stop.set("later")
    with pytest.raises(BatchStopped, match="KeyboardInterrupt"):
        stop.leave_if_set()
    assert stop.cause == "KeyboardInterrupt"


def test_there_is_always_a_cause() -> None:
    stop = StopFlag()
    stop.set("")
    assert stop.cause == "it was asked for"
