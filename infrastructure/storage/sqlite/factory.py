"""The factory: the library's environment variables, and our recorders."""

from __future__ import annotations

from typing import Any, cast, get_args

import eventsourcing.sqlite as stock
from eventsourcing.persistence import Mapper, Transcoder
from eventsourcing.utils import Environment, EnvType

from resumelog.application.errors import BadSetting
from resumelog.infrastructure.storage.lease_table import LeaseTable, MemoryLeaseTable
from resumelog.infrastructure.storage.mapper import keeping_payloads_aside
from resumelog.infrastructure.storage.sqlite.datastore import Datastore, Durability
from resumelog.infrastructure.storage.sqlite.jobs import SQLiteJobsView
from resumelog.infrastructure.storage.sqlite.leases import SQLiteLeaseTable
from resumelog.infrastructure.storage.sqlite.recorders import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    TrackingRecorder,
)


class Factory(stock.SQLiteFactory):
    """The stock factory and its environment variables, with these recorders."""

    SQLITE_DURABILITY = "SQLITE_DURABILITY"

    datastore: Datastore
    aggregate_recorder_class = AggregateRecorder  # type: ignore[assignment]  # narrower datastore
    application_recorder_class = ApplicationRecorder  # type: ignore[assignment]  # narrower datastore
    tracking_recorder_class = TrackingRecorder
    process_recorder_class = ProcessRecorder  # type: ignore[assignment]  # narrower datastore

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Read the environment as the stock factory does, then open the file."""
        super().__init__(env)
        stock_store = self.datastore
        self.datastore = Datastore(
            stock_store.pool.db_name,
            lock_timeout=stock_store.pool.lock_timeout,
            durability=self._durability(),
            single_row_tracking=stock_store.single_row_tracking,
            originator_id_type=stock_store.originator_id_type,
        )

    def _durability(self) -> Durability:
        chosen = (self.env.get(self.SQLITE_DURABILITY) or "full").lower()
        if chosen not in get_args(Durability):
            raise BadSetting(name=self.SQLITE_DURABILITY, why=f"{chosen!r} is not full or normal")
        return cast("Durability", chosen)

    def mapper(
        self,
        transcoder: Transcoder | None = None,
        mapper_class: type[Mapper[Any]] | None = None,
    ) -> Mapper[Any]:
        """Return the mapper, told that this store keeps payloads aside."""
        return keeping_payloads_aside(super().mapper(transcoder, mapper_class))

    def lease_table(self) -> LeaseTable:
        """Return who works on what, kept beside the events."""
        if self.datastore.file.in_memory:
            return MemoryLeaseTable()
        return SQLiteLeaseTable(self.datastore)

    def jobs_view(self) -> SQLiteJobsView:
        """Return the rows of the `jobs` projection, kept beside the events."""
        view = self.tracking_recorder(SQLiteJobsView)
        assert isinstance(view, SQLiteJobsView)
        return view

    def tracking_recorder(
        self, tracking_recorder_class: type[stock.SQLiteTrackingRecorder] | None = None
    ) -> stock.SQLiteTrackingRecorder:
        """Return a tracking recorder; the view of an encrypted log is encrypted too."""
        recorder = super().tracking_recorder(tracking_recorder_class)
        if isinstance(recorder, SQLiteJobsView):
            recorder.cipher = self.cipher()
        return recorder
