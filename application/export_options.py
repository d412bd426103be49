"""What an export can be asked for, looked at before anything is read or written."""

from __future__ import annotations

from os import PathLike, fspath
from threading import TIMEOUT_MAX
from typing import Literal, get_args

from resumelog.application.errors import BadArgument
from resumelog.application.progress_scale import Scale
from resumelog.domain.errors import BadKey

SAVE_INTERVAL_S = 5.0
LONGEST_S = TIMEOUT_MAX // 2
"""A timer that waits for so long is within its bound, however its end is rounded."""

OnChangedInputs = Literal["restart", "refuse"]


def require_on_changed_inputs(given: object) -> None:
    """Raise BadArgument for anything but what OnChangedInputs lists."""
    _require_listed("on_changed_inputs", given, get_args(OnChangedInputs))


def require_scale(given: object) -> None:
    """Raise BadArgument for anything but what Scale lists."""
    _require_listed("progress_scale", given, get_args(Scale))


def require_key(given: object) -> None:
    """Raise BadKey for a name that nobody can read; the domain takes it, as logs may have one."""
    if isinstance(given, str) and not given.strip():
        raise BadKey(what="the key", key=given, why="it is empty or blank")


def require_function(option: str, given: object) -> None:
    """Raise BadArgument for what can't be called."""
    if not callable(given):
        raise BadArgument(option=option, given=given, advice="give a function")


def require_path(given: object) -> None:
    """Raise BadArgument for what names no output; None is a job that has none."""
    if given is None or (isinstance(given, str | PathLike) and fspath(given)):
        return
    advice = "name a file, or give None and a `key`"
    raise BadArgument(option="output_path", given=given, advice=advice)


def seconds_between(given: object, option: str = "save_interval_s") -> float:
    """Return an interval that a timer can wait for: an infinite one is a century.

    Raises BadArgument for what is no number of seconds from 0 on.
    """
    if isinstance(given, int | float) and not isinstance(given, bool) and given >= 0:
        return min(given, LONGEST_S)
    advice = "give seconds, 0 (each report is written) or more"
    raise BadArgument(option=option, given=given, advice=advice)


def _require_listed(option: str, given: object, listed: tuple[str, ...]) -> None:
    if given not in listed:
        raise BadArgument(option=option, given=given, advice=f"choose {' or '.join(listed)}")
