"""Files of attempts that nobody waits for any more: a thread that can't be interrupted writes on."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Any


class LateFiles:
    """Temporary paths, each removed once its attempt has ended, or with the process. Safe for threads."""

    def __init__(self, discard: Callable[[Path], object]) -> None:
        """Begin with none; `discard` removes what stands at one."""
        self._discard, self._left, self._lock = discard, set[Path](), Lock()

    def __len__(self) -> int:
        """Count those whose attempt goes on."""
        return len(self._left)

    def add(self, partial: Path, attempt: Future[Any], ended: Callable[[], object]) -> None:
        """Remove what an attempt leaves there; `ended` is called afterwards, in any thread."""
        with self._lock:
            self._left.add(partial)
            atexit.register(self._discard_all)

        def end(_: object) -> None:
            self._end(partial)
            ended()

        attempt.add_done_callback(end)

    def _end(self, partial: Path) -> None:
        self._discard(partial)
        with self._lock:
            self._left.discard(partial)
            if not self._left:
                atexit.unregister(self._discard_all)

    def _discard_all(self) -> None:
        for partial in [*self._left]:
            self._discard(partial)
