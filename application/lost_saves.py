"""Saves that will not be on disk: told at once where they are refused, and all at the end."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from resumelog.application.errors import NotSaved
from resumelog.domain.errors import Refused
from resumelog.domain.wording import counted

logger = logging.getLogger("resumelog")


class LostSaves:
    """The scenes of one job whose saves were lost, by key, and how many saves were no scenes'."""

    def __init__(self) -> None:
        """Begin with none."""
        self._scenes, self._others, self._why = dict[str, None](), 0, ""

    def __len__(self) -> int:
        """Count them."""
        return len(self._scenes) + self._others

    def forget(self, scenes: Iterable[str]) -> None:
        """Count these scenes as lost no more."""
        for scene in scenes:
            self._scenes.pop(scene, None)

    def add(self, scenes: Sequence[str], why: Exception) -> None:
        """Count a save as lost."""
        self._scenes.update(dict.fromkeys(scenes))
        self._others += not scenes
        self._why = str(why)

    def add_refused(self, title: str, scenes: Sequence[str], refusal: Refused) -> None:
        """Count one that waited and was refused then, and warn: nobody else is told."""
        self.add(scenes, refusal)
        lost = counted(len(scenes), "scene", scenes) if scenes else "1 save"
        why = str(refusal).removeprefix(f"{title}: ")
        logger.warning("%s: %s waited for the disk, and lost: %s", title, lost, why)

    def require_none(self, title: str) -> None:
        """Raise NotSaved where any was lost."""
        if count := len(self._scenes) or self._others:
            raise NotSaved(title, count=count, scenes=(*self._scenes,), why=self._why)
