"""Counts in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

NAMED_MAX = 3
"""So many are named; of the others it is said how many they are."""


def counted(count: int, noun: str, names: Iterable[str] = ()) -> str:
    """Return "2 saves", or with names "1 scene (a)" and "60 scenes (a, b, c and 57 more)"."""
    nouns = f"{count:,} {noun}" + ("" if count == 1 else "s")
    first = [*islice(names, NAMED_MAX)]
    if not first:
        return nouns
    more = f" and {count - len(first):,} more" if count > len(first) else ""
    return f"{nouns} ({', '.join(first)}{more})"


def agreeing(count: int, one: str, many: str) -> str:
    """Return the word that goes with so many."""
    return one if count == 1 else many
