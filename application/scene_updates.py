"""What a run tells whoever watches it, scene by scene."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from resumelog.application.scene import Counts, Scene

logger = logging.getLogger("resumelog")


class SceneState(StrEnum):
    """What came of a scene just now; RETRYING: it failed and is tried again in `wait_s`."""

    BEGUN = "begun"
    DONE = "done"
    RETRYING = "retrying"
    FAILED = "failed"


class SceneUpdate(NamedTuple):
    """One step of one scene, and where the batch stands; `running` scenes are in flight now."""

    scene: Scene
    state: SceneState
    counts: Counts
    running: int
    error: str = ""
    elapsed_s: float = 0.0
    wait_s: float = 0.0


OnScene = Callable[[SceneUpdate], object]


class Listeners:
    """Callbacks whose errors are logged, the first with its traceback: a display spoils no work."""

    def __init__(self) -> None:
        """Begin with none."""
        self._callbacks: list[OnScene] = []
        self._failed = False

    def __bool__(self) -> bool:
        """Tell whether anybody listens."""
        return bool(self._callbacks)

    def add(self, callback: OnScene) -> Callable[[], None]:
        """Add one, and return what removes it."""
        self._callbacks.append(callback)

        def end() -> None:
            with suppress(ValueError):
                self._callbacks.remove(callback)

        return end

    def __call__(self, update: SceneUpdate) -> None:
        """Tell all."""
        for callback in (*self._callbacks,):
            try:
                callback(update)
            except Exception:
                level = logging.DEBUG if self._failed else logging.WARNING
                self._failed = True
                logger.log(level, "a scene callback failed; the work goes on", exc_info=True)
