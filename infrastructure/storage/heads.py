"""The heads of the streams that this process appended to last."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from resumelog.domain.seals import Head

HEADS_MAX = 1024


class Heads:
    """A bounded memory of heads that were committed here.

    It is never wrong: what follows version n may only be n + 1, and the seal of a committed
    version never changes. A stream that moved on elsewhere conflicts, or is looked up.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._heads: dict[str, Head] = {}
        self._lock = Lock()

    def get(self, stream: str) -> Head | None:
        """Return the head that was committed here last, if it is still remembered."""
        return self._heads.get(stream)

    def remember(self, heads: Mapping[str, Head]) -> None:
        """Take over what has been committed; the streams that came first go."""
        with self._lock:
            self._heads.update(heads)
            while len(self._heads) > HEADS_MAX:
                del self._heads[next(iter(self._heads))]
