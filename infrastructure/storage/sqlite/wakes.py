"""Who waits for new events is woken, whichever process wrote them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Event, Lock, Thread

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

from resumelog.infrastructure.storage.sqlite.engine import sqlite3

LOOK_S = 0.01
RETRY_S = 1.0

logger = logging.getLogger("resumelog")


class Wakes:
    """Events to set after a commit: at once for one of this process, within LOOK_S for others.

    One thread looks for the commits of other processes while anybody listens.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection] | None) -> None:
        """Take what opens a connection to look with; None where no other process can write."""
        self._connect = connect
        self._listeners: set[Event] = set()
        self._lock = Lock()
        self._looking: tuple[Thread, Event] | None = None

    @contextmanager
    def listening(self, event: Event) -> Iterator[None]:
        """Set the event after each commit, until the block ends."""
        with self._lock:
            self._listeners.add(event)
            if self._looking is None and self._connect:
                enough = Event()
                thread = Thread(target=self._look, args=(self._connect, enough), daemon=True)
                self._looking = (thread, enough)
                thread.start()
        try:
            yield
        finally:
            self._end(self._without(event))

    def notify(self) -> None:
        """Wake all that listen."""
        if self._listeners:
            with self._lock:
                for event in self._listeners:
                    event.set()

    def close(self) -> None:
        """Look no more; who still listens is woken, to see that the log is closed."""
        with self._lock:
            looking, self._looking = self._looking, None
        self._end(looking)
        self.notify()

    def _without(self, event: Event) -> tuple[Thread, Event] | None:
        """Forget a listener; return what looks for it, if it was the last."""
        with self._lock:
            self._listeners.discard(event)
            if self._listeners:
                return None
            looking, self._looking = self._looking, None
            return looking

    def _end(self, looking: tuple[Thread, Event] | None) -> None:
        if looking:
            thread, enough = looking
            enough.set()
            thread.join()

    def _look(self, connect: Callable[[], sqlite3.Connection], enough: Event) -> None:
        while not enough.is_set():
            try:
                with closing(connect()) as connection:
                    self._watch(connection, enough)
            except sqlite3.Error as error:
                logger.warning("events of other processes are seen late: %s", error)
                enough.wait(RETRY_S)

    def _watch(self, connection: sqlite3.Connection, enough: Event) -> None:
        """Other connections' commits move this connection's data_version."""
        seen = None
        while not enough.wait(LOOK_S):
            (now,) = connection.execute("PRAGMA data_version").fetchone()
            if now != seen:
                seen = now
                self.notify()


class SQLiteSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Events as they are committed, in order of position, with no wake-up lost."""

    def __init__(
        self, recorder: ApplicationRecorder, wakes: Wakes, gt: int | None, topics: Sequence[str]
    ) -> None:
        """Begin to pull the events after position `gt`."""
        self._wakes = wakes
        super().__init__(recorder, gt, topics)

    def _loop_on_pull(self) -> None:
        """Listen first, then pull: what is committed in between wakes the next pull."""
        with self._wakes.listening(self._has_been_notified):
            super()._loop_on_pull()
