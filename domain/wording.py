"""Counts as people read them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 scene, 2 scenes."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
