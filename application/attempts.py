"""How often each scene was tried, also where the end of an attempt waits for the disk."""

from __future__ import annotations

from resumelog.application.scene import Scene


class Attempts:
    """Numbers the attempts of one worker: one that has ended makes the next another."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last: dict[str, tuple[Scene | str | None, int]] = {}

    def next(self, key: str, recorded: int) -> int:
        """Number the attempt to come, of which so many are on record."""
        of, last = self._last.get(key, (None, 0))
        return max(recorded, last if of is None else 0) + 1

    def ending(self, scene: Scene | str, begun: Scene, recorded: int) -> int:
        """Number the attempt at `begun` that ends now; the same again until it is recorded.

        `scene` is what the caller named: an interrupt may come before the end is recorded, and who
        says it once more means the same attempt.
        """
        of, last = self._last.get(begun.key, (None, 0))
        if of is not scene:
            last = max(begun.attempt, recorded + 1, last + 1)
            self._last[begun.key] = (scene, last)
        return last

    def ended(self, key: str, attempt: int) -> None:
        """Note that the end of an attempt is recorded, or waits to be."""
        self._last[key] = (None, attempt)
