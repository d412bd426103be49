"""The scenes of one run that are to be begun: at once, once they are due again, or after the stage before."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable
from itertools import chain, count, islice

NEVER = float("inf")


class SceneQueue:
    """Keys of scenes, each in it once until it is recorded; those whose next try is due come first."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        waiting: Callable[[Collection[str]], Collection[str]],
        is_left: Callable[[str], bool],
    ) -> None:
        """Begin empty; `waiting` tells which of some scenes are not done in the stage before.

        `is_left` tells whether one is still to be made: a loop, or another scene, may make it.
        """
        self._monotonic, self._which_wait, self._is_left = monotonic, waiting, is_left
        self._offered, self._waiting = set[str](), dict[str, None]()
        self._ready, self._due = deque[str](), deque[str]()
        self._later, self._nth = list[tuple[float, int, str]](), count()

    def __bool__(self) -> bool:
        """Tell whether anything is to be begun, now or later."""
        return bool(self._ready or self._due or self._later)

    @property
    def is_ready(self) -> bool:
        """Tell whether any scene is to be begun that was not tried yet."""
        return bool(self._ready)

    @property
    def was_offered(self) -> bool:
        """Tell whether there was ever anything to do."""
        return bool(self._offered)

    @property
    def waiting(self) -> int:
        """How many wait for the stage before."""
        return len(self._waiting)

    @property
    def to_try_again(self) -> int:
        """How many have failed and are to be tried again."""
        return len(self._due) + len(self._later)

    @property
    def due_at(self) -> float:
        """When the next try of one is due, on the monotonic clock."""
        return self._later[0][0] if self._later else NEVER

    def offer(self, keys: Iterable[str]) -> None:
        """Queue scenes that are not in it; what is not done in the stage before waits."""
        new = [key for key in keys if key in self._waiting or key not in self._offered]
        waiting = self._which_wait(new)
        self._offered.update(new)
        for key in new:
            if key in waiting:
                self._waiting[key] = None
            else:
                self._waiting.pop(key, None)
                self._ready.append(key)

    def recorded(self, keys: Iterable[str]) -> None:
        """Let scenes be offered again: what was made of them is on disk."""
        self._offered.difference_update(keys)

    def again(self, key: str, wait_s: float) -> None:
        """Queue a scene that has failed."""
        heapq.heappush(self._later, (self._monotonic() + wait_s, next(self._nth), key))

    def give_back(self, key: str, *, has_failed: bool) -> None:
        """Put a scene first again that was taken and not begun."""
        (self._due if has_failed else self._ready).appendleft(key)

    def wait(self, keys: Iterable[str]) -> None:
        """Let scenes that were taken wait for the stage before."""
        self._waiting.update(dict.fromkeys(keys))

    def wake(self) -> None:
        """Let those come next whose time has come: their failure is recorded."""
        while self._later and self._later[0][0] <= self._monotonic():
            self._due.append(heapq.heappop(self._later)[2])

    def take(self, room: int, *, only_due: bool) -> list[str]:
        """Take the next, at most `room`; without new ones where `only_due`."""
        keys = self._taken(self._due, room)
        return keys if only_due else keys + self._taken(self._ready, room - len(keys))

    def coming(self, room: int, *, only_due: bool) -> list[str]:
        """Return what `take` would, as far as it can be told before."""
        queue = self._due if only_due else chain(self._due, self._ready)
        return [*islice(queue, max(0, room))]

    def _taken(self, queue: deque[str], room: int) -> list[str]:
        """Take from one queue what is left; what is to be made again in the stage before waits for that."""
        keys = list[str]()
        while queue and len(keys) < room:
            some = [queue.popleft() for _ in range(min(room - len(keys), len(queue)))]
            left = [key for key in some if self._is_left(key)]
            self._offered.difference_update({*some}.difference(left))
            waiting = self._which_wait(left)
            self.wait(waiting)
            keys += [key for key in left if key not in waiting] if waiting else left
        return keys
