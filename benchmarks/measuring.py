"""Interleaved rounds and medians: neighbours' load hits every variant alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

ROUNDS = 7


def medians(variants: Mapping[str, Callable[[], int]], rounds: int = ROUNDS) -> dict[str, float]:
    """Run the variants in turns; return the median seconds for one operation of each.

    A variant returns how many operations it did.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            start = time.perf_counter()
            count = work()
            seconds[name].append((time.perf_counter() - start) / count)
    return {name: statistics.median(each) for name, each in seconds.items()}


def show(title: str, measured: Mapping[str, float], peer: str) -> None:
    """Print a table of microseconds and ratios to the peer."""
    print(f"\n{title}\n{'':<44}{'µs':>12}{'× ' + peer:>24}")
    for name, each in measured.items():
        print(f"{name:<44}{each * 1e6:>12.1f}{each / measured[peer]:>24.2f}")
