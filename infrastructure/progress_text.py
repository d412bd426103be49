"""Progress in words."""

from __future__ import annotations

from datetime import timedelta

from resumelog.application.progress_meter import ProgressFacts

LEFT_MAX_S = 100 * 24 * 3600


def described(facts: ProgressFacts) -> str:
    """Return how far it is, how fast, and how long yet, as far as that is known."""
    time = began(facts) if facts.resumed_at >= 1 else _time(facts)
    parts = (percent(facts.fraction), _counts(facts), _pace(facts), time)
    return " · ".join(part for part in parts if part)


def began(facts: ProgressFacts) -> str:
    """Return where the attempt began, if not at the beginning."""
    if facts.resumed_at >= 1:
        return "finished already"
    return f"resumed at {percent(facts.resumed_at)}" if facts.resumed_at else ""


def percent(fraction: float) -> str:
    """Return whole percents; 100 only for all of it."""
    return f"{int(100 * fraction + 1e-9)} %"


def _counts(facts: ProgressFacts) -> str:
    return f"{facts.done} of {facts.total}" if facts.total is not None else ""


def _pace(facts: ProgressFacts) -> str:
    if facts.rate is None:
        return ""
    if facts.total is None:
        a_second = 100 * facts.rate
        return f"{a_second:.1f} %/s" if a_second >= 1 else f"{60 * a_second:.2g} %/min"
    return f"{facts.rate:.1f}/s" if facts.rate >= 1 else f"{_clock(1 / facts.rate)} each"


def _time(facts: ProgressFacts) -> str:
    if facts.fraction >= 1:
        return f"took {_clock(facts.elapsed_s)}"
    return f"{_clock(facts.left_s)} left" if facts.left_s is not None else ""


def _clock(seconds: float) -> str:
    if seconds >= LEFT_MAX_S:
        return "over 100 days"
    return f"{seconds:.1f} s" if seconds < 10 else str(timedelta(seconds=round(seconds)))
