"""How a batch is run: how many at once, where, how often, how long."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypedDict

from resumelog.application.errors import BadArgument
from resumelog.application.retry import Retry
from resumelog.application.scene_attempt import Check
from resumelog.application.scene_executors import Executors
from resumelog.application.stop_flag import StopFlag


class RunOptions(TypedDict, total=False):
    """The options of `Batch.run`.

    `workers`: how many scenes are in flight at once (1). `executor`: where they are made, a
    `concurrent.futures.Executor`, or what makes one for so many workers, as `ProcessPoolExecutor`
    is; threads by default, an event loop for coroutine functions.
    `retry`: none by default. `check`: a function of a result, or of a result and its scene, that
    refuses one by False, by a text that says why, or by raising.
    `timeout_s`: what one attempt may take. A coroutine is cancelled and a process pool's worker
    interrupted; a thread can't be: its scene fails, and what it does later counts for nothing.
    `stop_after_failures`: begin no more once so many scenes have failed for good in this run. One
    that waits for its next try counts among them until that has ended, and others wait with it.
    `stop`: a flag that another thread sets to end the run after the scenes in flight.
    """

    workers: int
    executor: Executors
    retry: Retry | None
    check: Check | None
    timeout_s: float | None
    stop_after_failures: int | None
    stop: StopFlag | None


def require(options: RunOptions) -> None:
    """Refuse options that can't be meant. Raises BadArgument."""
    for name, given in options.items():
        if name not in RunOptions.__annotations__:
            advice = f"the options are {', '.join(RunOptions.__annotations__)}"
            raise BadArgument(option=name, given=given, advice=advice)
    _require_kind("retry", options.get("retry"), Retry, "give a Retry")
    _require_kind("stop", options.get("stop"), StopFlag, "give a StopFlag")
    _require_kind("check", options.get("check"), Callable, "give a function")
    if inspect.iscoroutinefunction(options.get("check")):
        advice = "give a plain function: what a coroutine says would be known too late"
        raise BadArgument(option="check", given=options.get("check"), advice=advice)
    for name in ("workers", "stop_after_failures"):
        given = options.get(name)
        if given is not None and (not isinstance(given, int) or given < 1):
            raise BadArgument(option=name, given=given, advice="give 1 or more")
    timeout_s = options.get("timeout_s")
    _require_kind("timeout_s", timeout_s, int | float, "give seconds")
    if timeout_s is not None and not 0 < timeout_s < float("inf"):
        raise BadArgument(option="timeout_s", given=timeout_s, advice="give seconds, more than 0")


def _require_kind(option: str, given: object, kind: Any, advice: str) -> None:
    if given is not None and not isinstance(given, kind):
        raise BadArgument(option=option, given=given, advice=advice)
