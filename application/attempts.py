"""How often each scene was tried, also where the end of an attempt waits for the disk."""

from __future__ import annotations

from resumelog.application.errors import AttemptOver
from resumelog.application.scene import Scene


class Attempts:
    """Numbers the attempts of one worker: one that has ended makes the next another."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last: dict[str, tuple[Scene | str | None, int]] = {}
        self._let_go = set[tuple[str, int]]()

    def let_go(self, scene: Scene) -> None:
        """Note that nobody waits for an attempt any more, though it goes on."""
        self._let_go.add((scene.key, scene.attempt))

    def require_wanted(self, scene: Scene, job: str) -> None:
        """Raise AttemptOver for an attempt that was let go."""
        if (scene.key, scene.attempt) in self._let_go:
            raise AttemptOver(job, scene=scene.key, attempt=scene.attempt)

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
