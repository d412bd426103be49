"""Progress in words."""

from __future__ import annotations

from datetime import timedelta

from resumelog.application.batch_progress import BatchFacts
from resumelog.application.progress_meter import ProgressFacts
from resumelog.domain.wording import counted

Facts = ProgressFacts | BatchFacts

FINISHED = "finished already"
LEFT_MAX_S = 100 * 24 * 3600


def described(facts: Facts) -> str:
    """Return how far it is, how fast, and how long yet, as far as that is known."""
    parts = _of_batch(facts) if isinstance(facts, BatchFacts) else _of_export(facts)
    return " · ".join(part for part in parts if part)


def began(facts: Facts) -> str:
    """Return where the attempt began, if not at the beginning."""
    if isinstance(facts, BatchFacts):
        if facts.skipped >= facts.total:
            return FINISHED
        return f"{facts.skipped} done before" if facts.skipped else ""
    if facts.resumed_at >= 1:
        return FINISHED
    return f"resumed at {percent(facts.resumed_at)}" if facts.resumed_at else ""


def news(before: Facts | None, facts: Facts) -> bool:
    """Tell whether something has to be shown at once: a save is held, or none is any more."""
    if not isinstance(facts, BatchFacts):
        return before is None
    return bool(facts.held) != bool(isinstance(before, BatchFacts) and before.held)


def same(before: Facts, facts: Facts) -> bool:
    """Tell whether a line would say once more what one has said."""
    if isinstance(before, BatchFacts) and isinstance(facts, BatchFacts):
        return before[:2] == facts[:2] and before.held == facts.held
    return before.fraction == facts.fraction


def _of_export(facts: ProgressFacts) -> tuple[str, ...]:
    time = began(facts) if facts.resumed_at >= 1 else _time(facts)
    return percent(facts.fraction), _counts(facts), _pace(facts), time


def _of_batch(facts: BatchFacts) -> tuple[str, ...]:
    """What must not be cut off by a narrow terminal comes first."""
    held = f"{counted(facts.held, 'save')} not on disk" if facts.held else ""
    counts = f"{facts.done} of {facts.total}"
    failed = f"{facts.failed} failed" if facts.failed else ""
    running = f"{facts.running} running" if facts.running else ""
    left = f"{facts.remaining} remaining" if facts.remaining else ""
    time = _time(facts) if facts.skipped < facts.total else FINISHED
    return held, counts, failed, running, time, left, _pace(facts)


def percent(fraction: float) -> str:
    """Return whole percents; 100 only for all of it."""
    return f"{int(100 * fraction + 1e-9)} %"


def _counts(facts: ProgressFacts) -> str:
    return f"{facts.done} of {facts.total}" if facts.total is not None else ""


def _pace(facts: Facts) -> str:
    if facts.rate is None:
        return ""
    if facts.total is None:
        a_second = 100 * facts.rate
        return f"{a_second:.1f} %/s" if a_second >= 1 else f"{60 * a_second:.2g} %/min"
    return f"{facts.rate:.1f}/s" if facts.rate >= 1 else f"{_clock(1 / facts.rate)} each"


def _time(facts: Facts) -> str:
    if facts.fraction >= 1:
        return f"took {_clock(facts.elapsed_s)}"
    return f"{_clock(facts.left_s)} left" if facts.left_s else ""  # 0.0: it is overdue


def _clock(seconds: float) -> str:
    if seconds >= LEFT_MAX_S:
        return "over 100 days"
    return f"{seconds:.1f} s" if seconds < 10 else str(timedelta(seconds=round(seconds)))
