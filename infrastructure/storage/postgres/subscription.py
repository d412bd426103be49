"""A subscription that misses no event and outlives a restart of the server."""

from __future__ import annotations

import time
from typing import Any

import eventsourcing.postgres as stock
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from resumelog.application.errors import StoreUnavailable
from resumelog.infrastructure.storage.postgres.connections import PAUSE_S, Datastore

WAKE_S = 5.0
"""After so long it looks though nobody called."""
LOOK_S = 0.1


class PostgresSubscription(stock.PostgresSubscription):
    """The stock subscription, whose listener has a connection of its own."""

    def _listen(self) -> None:
        try:
            while not self._is_over:
                try:
                    self._listen_once()
                except StoreUnavailable:
                    time.sleep(PAUSE_S)  # the puller's patience says when it is enough
            self._has_been_notified.set()  # so that the puller sees that the log was closed
        except BaseException as error:  # noqa: BLE001 - whoever reads the subscription raises it
            if self._thread_error is None:
                self._thread_error = error
            self.stop()

    def _listen_once(self) -> None:
        """Wake the puller whenever somebody has appended, until the end or a lost connection."""
        with self._datastore.own_connection() as connection:
            channel = Identifier(self._recorder.channel_name)
            connection.execute(SQL("LISTEN {}").format(channel))
            while not self._is_over:
                self._has_been_notified.set()  # at first for what came before LISTEN
                self._await_call(connection)

    def _await_call(self, connection: Connection[Any]) -> None:
        deadline = time.monotonic() + WAKE_S
        while not self._is_over and time.monotonic() < deadline:
            for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
                return

    @property
    def _is_over(self) -> bool:
        ended = self._has_been_stopped or self._thread_error is not None
        return ended or self._datastore.is_closed

    @property
    def _datastore(self) -> Datastore:
        datastore = self._recorder.datastore
        assert isinstance(datastore, Datastore)
        return datastore
