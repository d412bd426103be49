"""The scene that a loop of the user's own has in hand, noted in flight for whoever follows a kill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from resumelog.application.ports import InFlight
from resumelog.application.running import Running
from resumelog.application.scene import Scene


@dataclass
class _Hand:
    """`noted` by us, or by the loop (`is_own`); `ended`: it was completed or failed."""

    noted: bool
    is_own: bool = False
    ended: bool = False

    @property
    def is_ours(self) -> bool:
        """Tell whether our note says that the scene is in flight."""
        return self.noted and not (self.is_own or self.ended)


class SceneInHand:
    """Notes a scene that a loop is handed, until it has ended or the loop asks for the next or is left.

    A loop that gathers scenes (a list of them, tasks) has none in hand: the first is noted and taken
    back, and no other before one has ended right after it was handed out. So nothing is said to be
    in flight that may not even be begun. Nor is a scene noted after one that the loop has noted.
    """

    def __init__(self, running: Running[Any]) -> None:
        """Begin with none."""
        self._running, self._hands = running, dict[str, _Hand]()

    def each(self, scenes: Iterator[Scene]) -> Iterator[Scene]:
        """Hand scenes out."""
        notes, is_stale = True, False
        for scene in scenes:
            hand = self._hands[scene.key] = _Hand(notes)
            if notes and self._running.claim:
                self._running.begun(InFlight(scene.key, scene.attempt))
            elif is_stale:
                self._note_anew()
            try:
                yield scene
            finally:  # where the loop is left nothing is written: that may be in any place
                is_stale = self._take_back(scene.key, hand)
            notes = hand.ended and not hand.is_own
        if is_stale:
            self._note_anew()

    def begun(self, key: str) -> None:
        """Note that the loop has noted a scene."""
        if hand := self._hands.get(key):
            hand.is_own = True

    def ended(self, key: str) -> None:
        """Note that a scene was completed or failed."""
        if hand := self._hands.get(key):
            hand.ended = True

    def take_back(self) -> None:
        """Take back what was noted: the batch is left in order."""
        for key, hand in [*self._hands.items()]:
            self._take_back(key, hand)

    def _take_back(self, key: str, hand: _Hand) -> bool:
        """Tell whether a note is to be written without a scene."""
        with self._running.lock:  # the loop may note it in another thread just now
            if self._hands.get(key) is hand:
                del self._hands[key]
            if hand.is_ours:
                self._running.taken_back(key)
            return hand.is_ours

    def _note_anew(self) -> None:
        if self._running.claim:
            self._running.note_anew()
