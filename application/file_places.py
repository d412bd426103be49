"""Which scene has its file where, so that no other takes the same path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


class FilePlaces:
    """Scenes by the path of their newest file. Whether a file still counts is asked when it matters."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys, self._places = dict[Path, str](), dict[str, Path]()
        self._folders = dict[Path, Path]()

    def note(self, key: str, path: Path) -> None:
        """Note where a scene's file is; it has no other any more."""
        place = self._place(path)
        self._places[key] = place
        self._keys[place] = key

    def taken_by(self, path: Path, key: str, counts: Callable[[str], bool]) -> str | None:
        """Return which other scene has its file at a path, if that still counts."""
        place = self._place(path)
        other = self._keys.get(place)
        if other is None or other == key or self._places[other] != place or not counts(other):
            return None
        return other

    def _place(self, path: Path) -> Path:
        """Return the one path of a file whose folder is known by several; a link itself is replaced."""
        if path.parent not in self._folders:
            self._folders[path.parent] = path.parent.resolve()
        return self._folders[path.parent] / path.name
