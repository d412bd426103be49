"""One worker on one stream, the same for every kind of job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Generic, Literal, NamedTuple
from uuid import UUID

from resumelog.application.errors import AlreadyRunning, ClosedLog, StoreError
from resumelog.application.event_log import EventLog, State, of
from resumelog.application.held_saves import Command as Command  # what it does is called so
from resumelog.application.held_saves import HeldSaves, Part
from resumelog.application.ports import Clock, InFlight, Leases
from resumelog.domain.errors import LeaseLost, NotRunning, Refused, ResumelogError
from resumelog.domain.events import Events
from resumelog.domain.values import Attempt, Claim

CutOff = Callable[[State, Claim, BaseException], Events]

logger = logging.getLogger("resumelog")


class Saved(NamedTuple):
    """What a save came to: the events on disk, and how many scenes (or saves) wait for the disk.

    `throttled`: it is kept in memory until its time comes, or the end of the work.
    """

    events: Events
    held: int
    throttled: bool = False

    @property
    def on_disk(self) -> bool:
        """Tell whether this save and all before it are durable."""
        return not (self.held or self.throttled)


class Running(Generic[State]):
    """A lease, the kept state it guards, and the saves that wait for the disk.

    `on_save_error="continue"` holds a command that can't be written, warns, and decides it again
    with the next save and at the end; "raise" raises at once. Safe for threads.
    """

    def __init__(
        self,
        log: EventLog,
        leases: Leases,
        clock: Clock,
        state: State,
        *,
        on_save_error: Literal["raise", "continue"] = "raise",
    ) -> None:
        """Prepare; `begin` takes the lease."""
        self.log, self.leases, self.clock = log, leases, clock
        self.state = state
        self.on_save_error = on_save_error
        self.claim: Claim | None = None
        self.watched_at = float("-inf")
        self._in_flight, self._coming = dict[str, InFlight](), frozenset[InFlight]()
        self._had_ended = dict[str, InFlight]()
        self.held_saves = HeldSaves(log, state)
        self.lock = RLock()

    def begin(
        self,
        command: Command[State],
        *,
        force: bool = False,
        cut_off: CutOff[State] | None = None,
    ) -> Events:
        """Recover, take the lease, and record its epoch by what `command` decides.

        A command that is refused, or that has nothing to do, is known before: it takes no lease.
        `cut_off` decides what to record of a beginning that was on disk when an interrupt came.
        """
        self.require_log()
        if (state := self.log.recover(self.state)).version:
            logger.info("%s recovered at version %d", state.title, state.version, extra=of(state))
        trial = Claim(self.leases.worker, state.epoch + 1)
        if not self.log.decided(state, lambda state: command(state, trial)):
            return ()
        claim = None
        try:
            claim = self._acquired(state, force=force)
            return self._begin(state, claim, command)
        except BaseException as error:
            if claim:
                if cut_off:
                    self._cut_off(state, claim, error, cut_off)
                self.leases.abandon(state.id, claim)
            raise

    def _acquired(self, state: State, *, force: bool) -> Claim:
        try:
            return self.leases.acquire(state.id, state.title, state.epoch, force=force)
        except AlreadyRunning as error:
            if error.holder != str(self.leases.worker):
                raise
            raise AlreadyRunning(error.job, holder=error.holder, is_own=True) from None

    def _begin(self, state: State, claim: Claim, command: Command[State]) -> Events:
        """Record the epoch of a claim, and keep it where that is what `command` decides."""
        events = self.log.decide(state, lambda state: command(state, claim))
        if claim.in_flight is not None:  # it stands in the log now
            self._note(claim, ())
        if state.epoch == claim.epoch:
            self.claim = claim
        else:
            self.leases.release(state.id, claim)
        return events

    def _cut_off(
        self, state: State, claim: Claim, error: BaseException, command: CutOff[State]
    ) -> None:
        with suppress(ResumelogError):  # what ended the beginning is raised
            self.log.recover(state)
            if state.epoch == claim.epoch:
                self.log.decide(state, lambda state: command(state, claim, error))

    def do(
        self,
        command: Command[State],
        parts: Iterable[Part[State]] = (),
        coming: Collection[InFlight] = (),
    ) -> Saved:
        """Append what the command decides, after all that is held.

        `parts` are what it comes to scene by scene, should it be held. Units that are `coming` next
        are noted in the same transaction where the store can do that: `begun` has nothing to write
        then. Where the command is held they are not. Raises what it refuses, StoreError (TooMuchHeld
        where saves are held), NotRunning and ClosedLog.
        """
        claim = self._held_claim("save")
        with self.lock:
            try:
                self.held_saves.write(claim)
                events = self._decided(lambda state: command(state, claim), claim, coming)
                self._had_ended.clear()
                self.held_saves.made_up_for(parts)
                return Saved(events, 0)
            except StoreError as error:
                if self.on_save_error == "raise":
                    raise
                self.held_saves.hold(command, parts, error)
                return Saved((), self.held)

    def _decided(
        self, command: Callable[[State], Events], claim: Claim, coming: Collection[InFlight]
    ) -> Events:
        if not coming:
            return self.log.decide(self.state, command)
        self._coming = frozenset()  # whatever interrupts this: it may not be noted
        units = (*self._noted_units(), *coming)
        note = self.leases.note(self.state.id, claim, units)
        events = self.log.decide(self.state, command, note)
        if note.is_written:
            self._coming = frozenset(coming)
        return events

    def flush(self) -> None:
        """Write what is held, if there is room now."""
        with self.lock:
            if self.claim is None:
                return
            try:
                self.held_saves.write(self.claim)
            except StoreError as error:
                self.held_saves.warn(error)

    def accepts(self, question: Callable[[State, Claim], bool]) -> bool:
        """Tell whether the kept state says yes to a worker's question; a refusal is a no."""
        claim = self._held_claim("save")
        try:
            return question(self.state, claim)
        except Refused:
            return False

    @property
    def held(self) -> int:
        """How many scenes, or saves where they are no scenes', wait for the disk."""
        return len(self.held_saves)

    def watch(self) -> State:
        """Return the state as the log has it now, so that a pause or a stop is seen.

        Raises LeaseLost once a worker with a newer epoch is at it, or a control command ended ours.
        """
        with self.lock:
            try:
                state = self.log.recover(self.state)
            except StoreError:
                if self.on_save_error == "raise":
                    raise
                return self.state
            self.watched_at = self.clock.monotonic()
            if self.claim:
                state.require_claim(self.claim)
            return state

    def is_as_recorded(self) -> bool:
        """Tell whether a replay of the whole stream gives the kept state. Raises DamagedEvent."""
        with self.lock:
            empty = type(self.state)(self.state.id)
            return empty.fold(self.log.history(empty.id)) == self.watch()

    def begun(self, *units: InFlight) -> None:
        """Note that units are in flight, so that a successor can clean up after them.

        Those that a save noted as coming, and that are not begun now, are noted no more.
        Raises LeaseLost once another worker has the lease.
        """
        claim = self._held_claim("begin a unit")
        with self.lock:
            self._in_flight.update((unit.key, unit) for unit in units)
            noted, self._coming = self._coming, frozenset()
            if noted != {*units}:
                self._note_in_flight(claim)

    def note_anew(self) -> None:
        """Note what is in flight now, where units have ended since. Raises as `begun` does."""
        claim = self._held_claim("note what is in flight")
        with self.lock:
            self._coming = frozenset()
            self._note_in_flight(claim)

    def note_folder(self, path: Path) -> None:
        """Let a successor on this machine remove a temporary folder that a kill left behind."""
        if self.claim:
            self.begun(InFlight(str(path), 0, partial=str(path)))

    def ended(self, key: str) -> None:
        """Note that a unit is not in flight any more; the next `begun` or the end writes that.

        While how it ended waits for the disk it stays noted: after a kill it shows as cut off.
        """
        with self.lock:
            if unit := self._in_flight.pop(key, None):
                self._had_ended[key] = unit

    def taken_back(self, key: str) -> None:
        """Note that a unit is not in flight, and was not tried: after a kill it shows as it was before."""
        with self.lock:
            self._in_flight.pop(key, None)

    @property
    def busy(self) -> int:
        """How many units are in flight; at once, even while a save is made."""
        return len(self._in_flight)

    @property
    def in_flight(self) -> tuple[Attempt, ...]:
        """The units that were begun and have not ended."""
        with self.lock:
            return tuple(unit.as_attempt() for unit in self._in_flight.values())

    def require_log(self) -> None:
        """Raise ClosedLog once the log was closed."""
        if self.log.closing.is_set():
            raise ClosedLog(self.state.title)

    def _held_claim(self, command: str) -> Claim:
        if self.claim is None:
            self.require_log()
            raise NotRunning(self.state.title, command=command, status=self.state.status)
        return self.claim

    def end(self, *, is_told: bool = True) -> None:
        """Write what is held and give the lease back. Raises NotSaved if something is not on disk.

        Where the log was not told how the work ended (`is_told`), what is in flight stays noted: the
        successor records that it was cut off.
        """
        with self.lock:
            claim, self.claim = self.claim, None
            if claim is None:
                return
            give_back = self.leases.abandon
            try:
                self.held_saves.write(claim)
                give_back = self.leases.release if is_told else give_back
            except StoreError as error:
                self.held_saves.give_up(error)
            finally:
                self._give_back(claim, give_back)
            self.held_saves.require_none_lost()

    def _give_back(self, claim: Claim, give_back: Callable[[UUID, Claim], None]) -> None:
        try:
            give_back(self.state.id, claim)
        except ClosedLog:
            logger.debug("%s: closing the log gave the lease back", self.state.title)
        except StoreError as error:
            logger.warning("%s: the lease was not given back: %s", self.state.title, error)

    def _note_in_flight(self, claim: Claim) -> None:
        try:
            self._note(claim, (*self._noted_units(),))
        except StoreError as error:
            if self.on_save_error == "raise":
                raise
            level = logging.DEBUG if self.held else logging.WARNING  # of what waits was warned
            logger.log(level, "%s: what is in flight isn't noted: %s", self.state.title, error)

    def _noted_units(self) -> Iterator[InFlight]:
        yield from self._in_flight.values()
        for key, unit in self._had_ended.items():
            if key not in self._in_flight and self.held_saves.newest(key):
                yield unit

    def _note(self, claim: Claim, units: tuple[InFlight, ...]) -> None:
        try:
            self.leases.begun(self.state.id, claim, units)
        except LeaseLost as lost:  # the lease knows the stream, not its job
            raise LeaseLost(self.state.title, epoch=lost.epoch, current=lost.current) from None
