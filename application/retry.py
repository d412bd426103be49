"""When a scene that failed is tried again, and how long that waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from tenacity import RetryCallState, wait_exponential, wait_random

from resumelog.application.errors import BadArgument

RetryOn = tuple[type[BaseException], ...] | type[BaseException] | Callable[[BaseException], bool]


def retry_after_s(error: BaseException) -> float | None:
    """Return the seconds that an error asks to wait: `retry_after`, or a Retry-After header.

    The header is that of the error or its `response` (urllib, requests, httpx and aiohttp have
    one): seconds, or an HTTP date (RFC 9110, 10.2.3). None where it asks for nothing: a moment that
    has passed, less than 0, or what can't be read.
    """
    given = getattr(error, "retry_after", None)
    for holder in (error, getattr(error, "response", None)):
        if given is None:
            given = _retry_after(getattr(holder, "headers", None))
    return _seconds(given)


@dataclass(frozen=True)
class Retry:
    """At most `attempts` tries of a scene in one run, with exponential backoff and jitter.

    The nth wait is `backoff_s` · 2^(n-1) and up to `jitter_s` more, `backoff_max_s` at most, but
    never less than `hint` reads from the error, seconds or None. An error that asks for more than
    `hint_max_s` is not tried again in this run, and says so: a service that is closed until
    tomorrow stalls no run, and is not asked before its time. `retry_on` are error classes, or a
    function of the error; a result that the check refused is always tried again.
    Raises BadArgument.
    """

    attempts: int = 3
    backoff_s: float = 5.0
    backoff_max_s: float = 300.0
    jitter_s: float = 1.0
    retry_on: RetryOn = Exception
    hint: Callable[[BaseException], float | None] = retry_after_s
    hint_max_s: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        _require(self.attempts >= 1, "attempts", self.attempts, "give 1 or more")
        is_meant = isinstance(self.retry_on, type | tuple) or callable(self.retry_on)
        _require(is_meant, "retry_on", self.retry_on, "give error classes, or a function")
        for name in ("backoff_s", "backoff_max_s", "jitter_s", "hint_max_s"):
            seconds = getattr(self, name)
            _require(0 <= seconds < float("inf"), name, seconds, "give seconds, 0 or more")

    def wants(self, error: BaseException) -> bool:
        """Tell whether this error is worth another try."""
        if isinstance(self.retry_on, type | tuple):
            return isinstance(error, self.retry_on)
        return bool(self.retry_on(error))

    def why_not(self, hint_s: float | None) -> str:
        """Say why a wait is too long for this run; empty where it is not."""
        if hint_s is None or hint_s <= self.hint_max_s:
            return ""
        asked, most = f"{hint_s:.0f} s", f"{self.hint_max_s:g} s"
        return f"it asks to wait {asked}, and a run waits {most} at most; run it again then"

    def wait_s(self, failures: int, hint_s: float | None = None) -> float:
        """Return the seconds before the next try, after so many failures in this run."""
        state = RetryCallState(_NO_RETRYING, None, (), {})
        state.attempt_number = failures
        longest_s = self.backoff_max_s
        wait = wait_exponential(self.backoff_s, longest_s) + wait_random(0, self.jitter_s)
        return max(min(wait(state), longest_s), hint_s or 0.0)


_NO_RETRYING: Any = None
"""tenacity's waits look at the number of the attempt alone."""


def _retry_after(headers: Any) -> object:
    """Return the header however its name is written: a plain dict looks at that."""
    items = getattr(headers, "items", None)
    pairs = items() if callable(items) else ()
    return next((value for name, value in pairs if str(name).lower() == "retry-after"), None)


def _seconds(given: object) -> float | None:
    if given is None:
        return None
    try:
        seconds = float(str(given))
    except ValueError:
        try:
            at = parsedate_to_datetime(str(given))
            # A date without a zone is in UTC too: RFC 9110 lets services send asctime's form
            seconds = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return seconds if 0 < seconds < float("inf") else None


def _require(holds: bool, option: str, given: object, advice: str) -> None:
    if not holds:
        raise BadArgument(option=option, given=given, advice=advice)


ONCE = Retry(attempts=1)
