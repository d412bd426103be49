"""Saves that the disk has no room for now: kept in memory, in their order, until it has."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple

from resumelog.application.errors import StoreError, TooMuchHeld
from resumelog.application.event_log import EventLog, State
from resumelog.application.lost_saves import LostSaves
from resumelog.domain.errors import LeaseLost, Refused
from resumelog.domain.events import Events
from resumelog.domain.values import Claim
from resumelog.domain.wording import agreeing, counted

HELD_BYTES_MAX = 256 * 1024 * 1024

Command = Callable[[State, Claim], Events]

logger = logging.getLogger("resumelog")


class Part(NamedTuple, Generic[State]):
    """One scene's part in a save: what records it alone, and about how many bytes that keeps.

    `made` is what the scene is done with; None where this does not complete it.
    """

    scene: str
    command: Command[State]
    size: int = 0
    made: object = None


class _Held(NamedTuple, Generic[State]):
    command: Command[State]
    parts: tuple[Part[State], ...]

    @property
    def scenes(self) -> list[str]:
        return [part.scene for part in self.parts]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


class HeldSaves(Generic[State]):
    """The commands of one worker that wait for the disk, at most HELD_BYTES_MAX bytes of them.

    They are decided again in their order. One that is refused then is lost, and its neighbours in
    the same save are not. The caller has the lock.
    """

    def __init__(self, log: EventLog, state: State) -> None:
        """Begin with none."""
        self._log, self._state = log, state
        self._saves = deque[_Held[State]]()
        self._newest, self._made = dict[str, Part[State]](), set[str]()
        self._bytes, self._lost = 0, LostSaves()

    def __len__(self) -> int:
        """Count the scenes that wait; where no save names any, the saves."""
        return len(self._newest) or len(self._saves)

    @property
    def made(self) -> int:
        """How many scenes are done once all is written."""
        return len(self._made)

    def newest(self, scene: str) -> Part[State] | None:
        """Return the last that waits of what was saved of a scene."""
        return self._newest.get(scene)

    def hold(
        self, command: Command[State], parts: Iterable[Part[State]], error: StoreError
    ) -> None:
        """Keep a save that could not be written, and warn. Raises TooMuchHeld."""
        held = _Held(command, (*parts,))
        self._require_room(held, error)
        self.made_up_for(held.parts)
        self._saves.append(held)
        self._bytes += held.size
        for part in held.parts:
            self._newest[part.scene] = part
            (self._made.discard if part.made is None else self._made.add)(part.scene)
        self.warn(error)

    def warn(self, error: StoreError) -> None:
        """Say what waits, and why."""
        needed = f"; about {self._bytes:,} bytes are needed" if self._bytes else ""
        logger.warning("%s: %s for the disk: %s%s", self._title, self._waiting, error, needed)

    def write(self, claim: Claim) -> None:
        """Write what waits. What is refused is lost. Raises StoreError: what is left waits on."""
        while self._saves:
            self._write_first(claim)

    def give_up(self, error: StoreError) -> None:
        """Count as lost what still waits."""
        for held in self._saves:
            self._lost.add(held.scenes, error)

    def require_none_lost(self) -> None:
        """Raise NotSaved where something will not be on disk."""
        self._lost.require_none(self._title)

    def made_up_for(self, parts: Iterable[Part[State]]) -> None:
        """Forget that an earlier save of these scenes was lost: this one counts."""
        if self._lost:
            self._lost.forget(part.scene for part in parts)

    def _require_room(self, held: _Held[State], error: StoreError) -> None:
        if held.size + self._bytes <= HELD_BYTES_MAX:
            return
        self._lost.add(held.scenes, error)
        raise TooMuchHeld(
            self._title,
            waiting=self._waiting,
            held=self._bytes,
            limit=HELD_BYTES_MAX,
            size=held.size,
            store=getattr(error, "store", ""),
            why=str(error),
            advice="make room, then run it again: what is not on disk then is made again",
        ) from error

    def _write_first(self, claim: Claim) -> None:
        held = self._saves[0]
        try:
            self._log.decide(self._state, lambda state: held.command(state, claim))
        except Refused as refusal:
            if len(held.parts) > 1 and not isinstance(refusal, LeaseLost):
                self._take_apart(held)
                return
            self._lost.add_refused(self._title, held.scenes, refusal)
        self._drop_first()

    def _take_apart(self, held: _Held[State]) -> None:
        """Let each part of the first save be decided by itself."""
        alone = [_Held(part.command, (part,)) for part in held.parts]
        self._saves.extendleft(reversed(alone))
        del self._saves[len(alone)]  # last: an interrupt in between loses nothing

    def _drop_first(self) -> None:
        held = self._saves.popleft()
        self._bytes -= held.size
        for part in held.parts:
            if self._newest.get(part.scene) is part:
                del self._newest[part.scene]
                self._made.discard(part.scene)

    @property
    def _title(self) -> str:
        return self._state.title

    @property
    def _waiting(self) -> str:
        noun, count = "scene" if self._newest else "save", len(self)
        return f"{counted(count, noun, self._newest)} {agreeing(count, 'waits', 'wait')}"
