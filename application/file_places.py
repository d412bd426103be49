"""Which scene has its file where, so that no other takes the same path."""

from __future__ import annotations

from collections.abc import Callable


class FilePlaces:
    """Scenes by the path of their newest file. Whether a file still counts is asked when it matters."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys, self._places = dict[str, str](), dict[str, str]()

    def note(self, key: str, place: str) -> None:
        """Note where a scene's file is; it has no other any more."""
        self._places[key] = place
        self._keys[place] = key

    def taken_by(self, place: str, key: str, counts: Callable[[str], bool]) -> str | None:
        """Return which other scene has its file at a path, if that still counts."""
        other = self._keys.get(place)
        if other is None or other == key or self._places[other] != place or not counts(other):
            return None
        return other
